/* imapd/sorting.h - messages in the order of SORT (RFC 5256, RFC 5957): by one key after the other. */
#ifndef IMAPD_SORTING_H
#define IMAPD_SORTING_H

#include "imapd/head_text.h"
#include "imapd/search_run.h"

#define SORT_KEYS_MAX	16

enum sort_key {
	SORT_ARRIVAL, SORT_CC, SORT_DATE, SORT_FROM, SORT_SIZE, SORT_SUBJECT,
	SORT_TO, SORT_DISPLAYFROM, SORT_DISPLAYTO
};

struct sort_order {
	struct {
		uint8_t	key;
		bool	reverse;
	}		keys[SORT_KEYS_MAX];
	unsigned	n;
};

/* "(REVERSE DATE SUBJECT)". False: the cursor stays. */
bool	sort_order_parse(struct cur *, struct sort_order *);
/* Puts found->at in that order; equal ones stay as they are. -1: errno; ECANCELED: see progress.h. */
int	sort_found(struct view *, const struct sort_order *, struct found *, struct progress *) must_check;

/* One thing to be sorted, by key, then as less says (NULL: by place), then as it was. */
struct sort_row {
	uint64_t	key;
	uint32_t	place;
};
/* Stable; room is as long as the rows. differ: of two rows with the same key: < 0, 0, > 0. */
void	sort_rows(struct sort_row *, struct sort_row *room, size_t n, int (*differ)(const void *, uint32_t, uint32_t), const void *);

/* ---- sort_keys.c: of one message. -1: errno, ENOENT: it is gone */

bool	sort_is_text(uint8_t key);
int	sort_number(struct view *, size_t at, uint8_t key, uint64_t *) must_check;
/* Appended to an empty buffer. */
int	sort_text(struct view *, struct head_text *, size_t at, uint8_t key, struct buf *) must_check;
/* So that it sorts as a number without sign. */
uint64_t sort_signed(int64_t);
/* When it was sent, or came, if it does not say (RFC 5256 2.2). -1: errno. */
int	sort_sent(struct view *, size_t at, int64_t *) must_check;
/* The folded base subject, appended; reply as words.h has it. */
int	sort_subject(struct head_text *, struct str envelope, struct buf *, bool *reply) must_check;

#endif

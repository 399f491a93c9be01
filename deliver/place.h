/*
 * deliver/place.h - where messages are stored: a Maildir or an mbox file, as
 * its user. Deliveries to a Maildir come in batches that share a flush.
 */
#ifndef DELIVER_PLACE_H
#define DELIVER_PLACE_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/store/maildir.h"
#include "deliver/content.h"

#define PLACE_PATH_MAX	1024
#define PLACE_BATCH	32

enum place_kind { PLACE_MAILDIR, PLACE_MBOX };

struct place {
	enum place_kind	kind;
	char		path[PLACE_PATH_MAX];
	struct maildir	maildir;
	uint64_t	quota, used;		/* bytes; 0: no limit */
	int64_t		counted;		/* when; 0: never */
	int64_t		lock_timeout;		/* ms, for mbox */
	char		host[256];		/* in names of files */
};

struct mail {
	struct str	sender, rcpt, addr;
	struct content	content;
	/* the result: enhanced status code and a sentence */
	char		status[16];
	char		text[256];
	struct maildir_draft draft;		/* between place_begin and place_end */
};

/* "maildir:/path" or "mbox:/path"; a Maildir is made if it is not there. -1: errno and why. */
int	place_open(struct place *, const char *location, const char *folder, struct diag *) must_check;
/* Is what was opened still what the path names? Asked before a batch. */
bool	place_is_there(const struct place *);
/* Checks loop and hops, then writes. False: the mail has its result. */
bool	place_begin(struct place *, struct mail *, size_t max_hops);
/* All that begin let through: each gets its result. */
void	place_end(struct place *, struct mail **, size_t);
void	place_close(struct place *);

void	mail_result(struct mail *, const char *status, const char *fmt, ...) printf_like(3, 4);
/* From errno; what says at what. */
void	mail_errno(struct mail *, const char *what);

#endif

/*
 * imapd/search_text.h - the text of a message, for searching: its header, and the bodies that are text with their transfer encoding and
 * charset undone. A file is read once for all that is asked about it.
 */
#ifndef IMAPD_SEARCH_TEXT_H
#define IMAPD_SEARCH_TEXT_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/casemap.h"
#include "common/store/view.h"
#include "imapd/scan.h"

/* A text that is looked for. */
struct text_key {
	bool		 headers;	/* TEXT: in headers, too */
	bool		 found;		/* in the message that text_find has just seen */
	struct needle	 needle;
};

struct text {
	struct view	*view;
	struct text_key	*keys;
	struct scan_word *words;	/* of the keys */
	size_t		 nkeys;
	int		 fd;		/* of the message under way, or -1 */
	bool		 whole;		/* all of it is in raw */
	struct buf	 raw;
	struct buf	 scratch[2];
	struct arena	 arena;		/* of one message */
	struct arena	 one;		/* of one of its parts */
};

/* n keys, whose words are put by text_key. -1: ENOMEM. */
int	text_init(struct text *, struct view *, size_t n) must_check;
int	text_key(struct text *, size_t, struct str utf8, bool headers) must_check;
void	text_free(struct text *);
/* The next message comes. */
void	text_next(struct text *);
/* The header of a message, as it stands in the file; a view until the next call. -1: errno (ENOENT: it is gone). */
int	text_header(struct text *, size_t at, struct str *) must_check;
/* Looks for all keys in that message and sets their found. -1: as text_header. */
int	text_find(struct text *, size_t at) must_check;

#endif

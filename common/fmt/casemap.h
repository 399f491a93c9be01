/* common/fmt/casemap.h - comparing UTF-8 text as people do: i;unicode-casemap (RFC 5051), and searching in it. Pure. */
#ifndef FMT_CASEMAP_H
#define FMT_CASEMAP_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

/* Appends the folded form of UTF-8 text (what is not well-formed stays as it is); ASCII is fast. */
int	casemap_put(struct buf *, struct str) must_check;

/* A word that is looked for in text that comes in pieces (each ends between two characters). */
struct needle {
	struct buf	word;		/* folded */
	struct buf	rest;		/* the end of the piece before, folded */
	bool		found;
};
int	needle_begin(struct needle *, struct str utf8) must_check;	/* an empty word is found at once */
void	needle_reset(struct needle *);		/* another text begins */
int	needle_feed(struct needle *, struct str utf8) must_check;	/* sets found */
void	needle_free(struct needle *);
/* All at once. */
bool	needle_in(struct needle *, struct str utf8);

#endif

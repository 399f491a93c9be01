/*
 * imapd/list_match.h - patterns of LIST and LSUB (RFC 3501 6.3.8): '*' is anything, '%' anything within one part of the
 * hierarchy. Pure. A name is looked at once, whatever the pattern: no pattern takes more than its length times the name's.
 */
#ifndef IMAPD_LIST_MATCH_H
#define IMAPD_LIST_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/str.h"

#define LIST_PATTERN_MAX	2048	/* bytes; what is longer matches nothing */

struct list_pattern {
	struct str	 text;		/* wildcards next to each other are one */
	size_t		 words;		/* 64 states each */
	unsigned char	 letter[256];	/* row of a byte in bits; 0: it is not in the pattern */
	uint64_t	*bits;		/* rows of words: where the byte stands */
	uint64_t	*star, *percent, *now, *next;
	char		 separator;
	bool		 has_percent;
};

/* reference and pattern, one behind the other; what it needs is in the arena. -1: no memory. */
int	list_pattern_make(struct list_pattern *, struct arena *, struct str reference, struct str pattern,
	    char separator) must_check;
/* The first nocase bytes of the name match in any case: "INBOX". */
bool	list_pattern_match(struct list_pattern *, struct str name, size_t nocase);

#endif

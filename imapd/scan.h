/*
 * imapd/scan.h - proof from the bytes of a message as they lie in the file that a word is nowhere in its text, without looking
 * for its parts and undoing their encodings. Most messages of a search for text are done with by this. Pure.
 */
#ifndef IMAPD_SCAN_H
#define IMAPD_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/casemap.h"

#define SCAN_WORD_MAX	64

/* What is looked for: the longest piece of a needle without blanks, in lower case. */
struct scan_word {
	char		 lower[SCAN_WORD_MAX];
	size_t		 n;		/* 0: there is no such piece */
	bool		 is_ascii;	/* all of the needle is */
	struct needle	*needle;
};
void	scan_word(struct scan_word *, struct needle *);

/* ASCII case ignored; where it begins, or NULL. The word is in lower case, and not empty. */
const char *scan_find(struct str in, struct str lower);
/*
 * True: none of the words can be in the decoded text of that message, which is here as a whole. False: they may be.
 * scratch: two buffers, each as large as the message may be; their content is lost.
 */
bool	scan_refutes(const struct scan_word *, size_t n, struct str message, struct buf scratch[2]);

#endif

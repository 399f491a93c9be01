/*
 * imapd/search_answer.h - what the client wants to hear of a search (RETURN: RFC 4731, RFC 5182, RFC 5267, RFC 9394, RFC 5465 7), and the
 * ESEARCH response. Pure.
 */
#ifndef IMAPD_SEARCH_ANSWER_H
#define IMAPD_SEARCH_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

enum {
	RETURN_MIN = 1, RETURN_MAX = 2, RETURN_ALL = 4, RETURN_COUNT = 8,
	RETURN_SAVE = 16, RETURN_PARTIAL = 32, RETURN_UPDATE = 64,
	RETURN_CONTEXT = 128,
	RETURN_GIVEN = 256	/* there was a RETURN: the answer is ESEARCH */
};
/* What the answer has something of. */
#define RETURN_ITEMS	\
	(RETURN_MIN | RETURN_MAX | RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL)

struct search_return {
	unsigned	want;
	bool		from_last;		/* PARTIAL -1:-100 */
	uint32_t	first, last;		/* as the client wrote them */
	struct str	update;			/* "(UID FLAGS)": attributes that UPDATE asks for; n 0: none */
};

/* "RETURN (...) " if it is there; want is 0 if not. The arena is for what is thrown away. False: *why says what is wrong. */
bool	search_return_parse(struct cur *, struct arena *, struct search_return *, const char **why);
/* Which of n results PARTIAL means: from .. to - 1, in their order. */
void	search_partial(const struct search_return *, size_t n, size_t *from, size_t *to);

struct esearch {
	struct str	 tag;
	const struct buf *mailbox;	/* MAILBOX, an astring; NULL: not said */
	uint32_t	 uidvalidity;	/* with it */
	bool		 uid;
	const struct search_return *ret;
	const uint32_t	*numbers;	/* in the order of the result */
	size_t		 n;
	uint64_t	 modseq;	/* 0: not said */
};
/* The whole line. */
int	esearch_put(struct buf *, const struct esearch *) must_check;
/* "3,1:2" : numbers in any order, with ranges where they ascend (RFC 5267 3.2). At least one. */
int	esearch_put_set(struct buf *, const uint32_t *, size_t) must_check;

#endif

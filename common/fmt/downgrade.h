/*
 * common/fmt/downgrade.h - a message for a server without 8BITMIME (RFC 6152 3): what is above 127 in the bodies of
 * its parts becomes quoted-printable or base64. Two passes over the same bytes, in pieces of any size: the
 * first finds out what each part needs, the second writes. Pure. Fields of headers stay as they are, and what is
 * signed (multipart/signed) does: if that has 8 bits, the message cannot be converted.
 */
#ifndef FMT_DOWNGRADE_H
#define FMT_DOWNGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/mime.h"

#define DOWNGRADE_PARTS	2000u	/* bodies that are no multipart; more cannot be converted */
#define DOWNGRADE_DEPTH	32u	/* multiparts in one another; deeper ones are a body */
#define DOWNGRADE_HEAD	(256u << 10)	/* bytes of a header */
#define DOWNGRADE_LINE	2048u	/* bytes looked at together */

struct downgrade_level {
	char	boundary[MIME_BOUNDARY_MAX + 1];
	bool	digest;		/* parts are messages unless they say what they are */
	bool	sealed;		/* multipart/signed, or in one: nothing may be altered (RFC 1847 2.1) */
};

struct downgrade {
	uint8_t		how[DOWNGRADE_PARTS];	/* enum in downgrade.c; made by the first pass */
	size_t		part;			/* the next body's index */
	struct buf	*out;			/* NULL: the first pass */
	int		state;
	struct buf	line, head;		/* line: so far without its end */
	bool		bol;			/* what is in line begins a line */
	struct downgrade_level level[DOWNGRADE_DEPTH];
	size_t		depth;
	bool		top;			/* the header is the message's own */
	bool		message;		/* a body without a type is a message */
	bool		impossible;
	/* the present body: */
	uint8_t		now;
	bool		text;
	enum mime_encoding encoding;
	uint64_t	bytes, high;
	size_t		column;
	bool		eol;			/* a line end is held back */
	uint8_t		group[57];		/* base64: of a line of output */
	size_t		ngroup;
};

/* Before the first pass. A large struct, of no owner: between passes it holds what was found out. */
void	downgrade_init(struct downgrade *);
/* Before the second pass, which appends to out. */
void	downgrade_write(struct downgrade *, struct buf *out);
/* The next piece. -1: the buffer's errno. */
int	downgrade_add(struct downgrade *, struct str) must_check;
/* After the last piece. -1: the buffer's errno, or EINVAL: it cannot be converted (after the first pass). */
int	downgrade_end(struct downgrade *) must_check;
void	downgrade_free(struct downgrade *);

#endif

/* common/fmt/parts_impl.h - what the files of parts.h share: the parser, its boundaries, the fields of a header. */
#ifndef FMT_PARTS_IMPL_H
#define FMT_PARTS_IMPL_H

#include "common/fmt/parts.h"

/*
 * More than RFC 2046's 70, for those who do not count. What is longer is cut: a line has only to begin with its
 * boundary (5.1.1).
 */
#define BOUNDARY_MAX	256u
/* "--", the boundary, "--": what has to be seen of a line. */
#define LINE_HEAD	(2u + BOUNDARY_MAX + 2u)
#define BUCKETS		256u

struct boundary {
	const char	*p;
	uint32_t	 n, hash;
	uint32_t	 level;		/* of its multipart among the open parts */
	uint32_t	 older;		/* in the same bucket, number + 1 */
};

/*
 * Those of the open multiparts. The last one in is the first one out, so that a bucket is a stack, too. Bit n of lengths:
 * there is one of n bytes.
 */
struct boundaries {
	struct boundary	 b[PARTS_DEPTH_MAX];
	uint32_t	 n;
	uint32_t	 bucket[BUCKETS];	/* newest, number + 1 */
	uint16_t	 of_length[BOUNDARY_MAX + 1];
	uint64_t	 lengths[BOUNDARY_MAX / 64 + 1];
	uint32_t	 longest;		/* no boundary that is there has more bytes */
};

/* b must live as long as it is in the table. */
void	parts_boundary_push(struct boundaries *, struct str b, uint32_t level);
void	parts_boundary_pop(struct boundaries *);
/* The longest (of these, the newest) that the line behind its "--" begins with; *end: "--" follows. NULL: none. */
const struct boundary *parts_boundary_find(const struct boundaries *, struct str line, bool *end);

/* What the header says. -1: the arena's errno. */
int	parts_fields_read(struct arena *, struct str header, struct part_fields *) must_check;
/* A parameter's value, put together if it is in pieces (RFC 2231 3); n 0: there is none. At most max bytes, in the arena. */
int	parts_fields_param(struct arena *, const struct part_param *, struct str name, size_t max, struct str *) must_check;

#endif

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

#define OPEN_MAX	(PARTS_DEPTH_MAX + 1u)

/* Where something is, and how many lines there are in front of it. */
struct place {
	uint64_t	at, lines, bare;	/* bare: ends of lines without CR */
};

struct open {
	uint32_t	part, last_child;
	bool		has_boundary, digest;
	struct place	header, body;
};

struct parts {
	struct arena		*arena;
	struct part		*list;
	struct part_fields	**fields;
	size_t			 n, cap;
	struct open		 open[OPEN_MAX];
	uint32_t		 nopen;
	struct boundaries	 boundaries;
	struct place		 now;
	bool			 in_header;	/* of the innermost open part */
	bool			 in_line;	/* its first bytes have been seen */
	bool			 opening;	/* the line is a boundary that a part comes after */
	bool			 cr;		/* the last byte was one */
	bool			 was_bare;	/* the last end of a line */
	char			*gathered;	/* of the header that was begun in another piece */
	size_t			 ngathered, gathered_cap;
	size_t			 headers;	/* bytes of headers that were looked at */
	size_t			 nheld;
	char			 held[LINE_HEAD];
};

/* parts_tree.c: the open parts, outermost first */
struct open *parts_tree_innermost(struct parts *);
/* A part within the innermost one begins here. -1: the arena's errno. */
int	parts_tree_open(struct parts *) must_check;
/* The innermost one ends here, or, without_eol, one line end earlier; its header is complete. */
void	parts_tree_close(struct parts *, bool without_eol);
/* More of the innermost one's header, which goes on in another piece. */
int	parts_tree_gather(struct parts *, struct str) must_check;
/* Its header ends here, with this last piece: what is it? A message that is in it is opened, too. */
int	parts_tree_end_header(struct parts *, struct str) must_check;

/* What the header says. -1: the arena's errno. */
int	parts_fields_read(struct arena *, struct str header, struct part_fields *) must_check;
/* A parameter's value, put together if it is in pieces (RFC 2231 3); n 0: there is none. At most max bytes, in the arena. */
int	parts_fields_param(struct arena *, const struct part_param *, struct str name, size_t max, struct str *) must_check;

#endif

/*
 * common/fmt/parts.c - the tree of a message's parts, in one pass; pure.
 *
 * Most bytes are only searched for the end of their line. What has to be seen whole are a line's first bytes, if it may be
 * a boundary or the empty line; when a piece ends within them they are held for the next one, so that it does not matter
 * where the message was cut into pieces.
 */
#include "common/fmt/parts.h"

#include <string.h>

#include "common/fmt/parts_impl.h"

enum start { START_HELD, START_LINE, START_EMPTY, START_BOUNDARY };

static const struct boundary *
look_for_boundary(const struct parts *p, struct str rest, bool *end)
{
	const char	*lf;
	struct str	 line;

	if (rest.n > LINE_HEAD)
		rest.n = LINE_HEAD;
	line = (struct str){ rest.p + 2, rest.n - 2 };
	if ((lf = memchr(rest.p, '\n', rest.n)) != NULL) {
		line.n = (size_t)(lf - line.p);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
	}
	return parts_boundary_find(&p->boundaries, line, end);
}

/* What does the line begin with? */
static enum start
look_at_start(const struct parts *p, struct str rest, bool last,
    const struct boundary **b, bool *end)
{
	bool	looking = p->boundaries.n > 0 && p->n < PARTS_MAX;

	if (p->in_header && rest.p[0] == '\n')
		return START_EMPTY;
	if (p->in_header && rest.p[0] == '\r') {
		if (rest.n == 1)
			return last ? START_LINE : START_HELD;
		return rest.p[1] == '\n' ? START_EMPTY : START_LINE;
	}
	if (!looking || rest.p[0] != '-')
		return START_LINE;
	if (rest.n == 1)
		return last ? START_LINE : START_HELD;
	if (rest.p[1] != '-')
		return START_LINE;
	if (!last && rest.n < LINE_HEAD &&
	    memchr(rest.p, '\n', rest.n) == NULL)
		return START_HELD;
	*b = look_for_boundary(p, rest, end);
	return *b == NULL ? START_LINE : START_BOUNDARY;
}

/*
 * What is within the boundary's multipart ends. The end of the line in front is the boundary's, unless it is the one of
 * a header's empty line.
 */
static int
take_boundary(struct parts *p, const struct boundary *b, bool end,
    const char *header, const char *at)
{
	struct open	*o = parts_tree_innermost(p);
	uint32_t	 level = b->level;
	bool		 eol = p->now.at >
			    (p->in_header ? o->header.at : o->body.at);

	if (p->in_header && parts_tree_end_header(p, (struct str){ header,
	    (size_t)(at - header) }) == -1)
		return -1;
	while (p->nopen > level + 1)
		parts_tree_close(p, eol);
	if (end) {
		p->open[level].has_boundary = false;
		parts_boundary_pop(&p->boundaries);
	} else
		p->opening = true;
	return 0;
}

/* The rest of a line, or of the piece; what comes behind it. */
static const char *
take_line(struct parts *p, const char *at, const char *to)
{
	const char	*lf = memchr(at, '\n', (size_t)(to - at));
	const char	*next = lf == NULL ? to : lf + 1;

	if (lf != NULL) {
		p->was_bare = lf > at ? lf[-1] != '\r' : !p->cr;
		p->now.bare += p->was_bare;
		p->now.lines++;
	}
	p->now.at += (uint64_t)(next - at);
	p->cr = next[-1] == '\r';
	p->in_line = lf == NULL;
	return next;
}

/* Lines of a body that are not to be looked at: the way of most bytes. Stops where a boundary may be. */
static const char *
skip_lines(struct parts *p, const char *at, const char *to)
{
	const char	*from = at, *lf;
	const bool	 looking = p->boundaries.n > 0 && p->n < PARTS_MAX;
	uint64_t	 lines = 0, bare = 0;
	bool		 cr = p->cr;

	while (at < to && (p->in_line || !looking || *at != '-')) {
		if ((lf = memchr(at, '\n', (size_t)(to - at))) == NULL) {
			p->in_line = true;
			at = to;
			break;
		}
		cr = lf > from ? lf[-1] == '\r' : cr;
		lines++;
		bare += !cr;
		p->was_bare = !cr;
		p->in_line = false;
		at = lf + 1;
	}
	if (at > from)
		p->cr = at[-1] == '\r';
	p->now.at += (uint64_t)(at - from);
	p->now.lines += lines;
	p->now.bare += bare;
	return at;
}

/*
 * One line, or what of it is here. *at moves on, and stays where it is if more has to be seen. *header is where the header
 * begins in this piece.
 */
static int
take(struct parts *p, const char **at, const char *to, bool last,
    const char **header)
{
	const struct boundary	*b = NULL;
	bool			 end = false;
	enum start		 start = START_LINE;

	if (!p->in_line && !p->opening)
		start = look_at_start(p, (struct str){ *at,
		    (size_t)(to - *at) }, last, &b, &end);
	switch (start) {
	case START_HELD:
		return 0;
	case START_EMPTY:
		*at = take_line(p, *at, to);
		if (parts_tree_end_header(p, (struct str){ *header,
		    (size_t)(*at - *header) }) == -1)
			return -1;
		*header = *at;	/* of the message in this one, if it is one */
		return 0;
	case START_BOUNDARY:
		if (take_boundary(p, b, end, *header, *at) == -1)
			return -1;
		break;
	case START_LINE:
		break;
	}
	*at = take_line(p, *at, to);
	if (p->opening && !p->in_line) {
		p->opening = false;
		*header = *at;
		return parts_tree_open(p);
	}
	return 0;
}

/* How much of the piece was used: all, but for the beginning of a line that more has to be seen of. */
static int
run(struct parts *p, struct str piece, bool last, size_t *used)
{
	const char	*at = piece.p, *to = piece.p + piece.n;
	const char	*header = at, *before;

	while (at < to) {
		if (!p->in_header && !p->opening) {
			at = skip_lines(p, at, to);
			if (at == to)
				break;
		}
		before = at;
		if (take(p, &at, to, last, &header) == -1)
			return -1;
		if (at == before)
			break;
	}
	if (p->in_header && parts_tree_gather(p, (struct str){ header,
	    (size_t)(at - header) }) == -1)
		return -1;
	*used = (size_t)(at - piece.p);
	return 0;
}

/* Makes what is held longer, until it is enough. */
static int
feed_held(struct parts *p, struct str *in)
{
	size_t		 n = LINE_HEAD - p->nheld, used;
	const char	*lf;

	if (n > in->n)
		n = in->n;
	if ((lf = memchr(in->p, '\n', n)) != NULL)
		n = (size_t)(lf - in->p) + 1;
	memcpy(p->held + p->nheld, in->p, n);
	p->nheld += n;
	in->p += n;
	in->n -= n;
	if (run(p, (struct str){ p->held, p->nheld }, false, &used) == -1)
		return -1;
	/* what is left of it is the beginning of the same line, or nothing */
	p->nheld -= used;
	if (p->nheld > 0 && used > 0)
		memmove(p->held, p->held + used, p->nheld);
	return 0;
}

int
parts_feed(struct parts *p, struct str in)
{
	size_t	used;

	while (p->nheld > 0 && in.n > 0)
		if (feed_held(p, &in) == -1)
			return -1;
	if (in.n == 0)
		return 0;
	if (run(p, in, false, &used) == -1)
		return -1;
	p->nheld = in.n - used;
	if (p->nheld > 0)
		memcpy(p->held, in.p + used, p->nheld);
	return 0;
}

int
parts_end(struct parts *p)
{
	size_t	used;

	if (p->nheld > 0 && run(p, (struct str){ p->held, p->nheld }, true,
	    &used) == -1)
		return -1;
	p->nheld = 0;
	/* a message of which only the header came may be in another one */
	while (p->in_header)
		if (parts_tree_end_header(p, STR("")) == -1)
			return -1;
	while (p->nopen > 0)
		parts_tree_close(p, false);
	return 0;
}

struct parts *
parts_begin(struct arena *a)
{
	struct parts	*p;

	if ((p = arena_get(a, sizeof(*p))) == NULL)
		return NULL;
	p->arena = a;
	return parts_tree_open(p) == -1 ? NULL : p;
}

const struct part *
parts_list(const struct parts *p, size_t *n)
{
	*n = p->n;
	return p->list;
}

const struct part_fields *
parts_fields(const struct parts *p, size_t number)
{
	return p->fields[number];
}

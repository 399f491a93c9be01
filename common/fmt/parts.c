/*
 * common/fmt/parts.c - the tree of a message's parts, in one pass; pure.
 *
 * Most bytes are only searched for the end of their line. What has to be seen whole are a line's first bytes, if it may be
 * a boundary or the empty line; when a piece ends within them they are held for the next one, so that it does not matter
 * where the message was cut into pieces.
 */
#include "common/fmt/parts.h"

#include <errno.h>
#include <string.h>

#include "common/fmt/parts_impl.h"

#define PARTS_FIRST	8u
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

enum start { START_HELD, START_LINE, START_EMPTY, START_BOUNDARY };

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

static struct open *
innermost(struct parts *p)
{
	return &p->open[p->nopen - 1];
}

/* Twice the room; what was there stays in the arena until its end. */
static int
grow(struct parts *p)
{
	size_t			  cap = p->cap == 0 ? PARTS_FIRST : p->cap * 2;
	struct part		 *list;
	struct part_fields	**fields;

	if ((list = arena_get(p->arena, cap * sizeof(*list))) == NULL ||
	    (fields = arena_get(p->arena, cap * sizeof(*fields))) == NULL)
		return -1;
	if (p->n > 0) {
		memcpy(list, p->list, p->n * sizeof(*list));
		memcpy(fields, p->fields, p->n * sizeof(*fields));
	}
	p->list = list;
	p->fields = fields;
	p->cap = cap;
	return 0;
}

static int
open_part(struct parts *p)
{
	struct open	*above = p->nopen == 0 ? NULL : innermost(p);
	uint32_t	 number = (uint32_t)p->n;

	if (p->n == p->cap && grow(p) == -1)
		return -1;
	if ((p->fields[number] = arena_get(p->arena,
	    sizeof(**p->fields))) == NULL)
		return -1;
	p->list[number] = (struct part){ .header = p->now.at, .is_text = 1 };
	if (above != NULL) {
		p->list[number].parent = above->part;
		if (above->last_child == 0)
			p->list[above->part].child = number;
		else
			p->list[above->last_child].next = number;
		above->last_child = number;
	}
	p->open[p->nopen++] = (struct open){ .part = number,
	    .header = p->now };
	p->n++;
	p->in_header = true;
	p->ngathered = 0;
	return 0;
}

static uint64_t
wire_between(const struct place *from, const struct place *to)
{
	return to->at - from->at + to->bare - from->bare;
}

/*
 * The innermost open part, whose header is complete, ends here, or one line end earlier: that belongs to the boundary (RFC 2046 5.1.1). It is 2
 * octets when it is sent.
 */
static void
close_part(struct parts *p, bool without_eol)
{
	struct open	*o = innermost(p);
	struct part	*part = &p->list[o->part];

	if (p->in_header)
		o->body = p->now;	/* of a message that has not begun */
	part->body = o->body.at;
	part->end = p->now.at;
	part->header_wire = wire_between(&o->header, &o->body);
	part->body_wire = wire_between(&o->body, &p->now);
	part->header_lines = (uint32_t)(o->body.lines - o->header.lines);
	part->body_lines = (uint32_t)(p->now.lines - o->body.lines);
	if (without_eol) {
		part->end -= p->was_bare ? 1 : 2;
		if (part->body_lines > 0) {
			part->body_wire -= 2;
			part->body_lines--;
		} else if (part->header_lines > 0) {
			part->header_wire -= 2;
			part->header_lines--;
		} else
			part->header = part->end;
		if (part->body > part->end)
			part->body = part->end;
	}
	if (o->has_boundary)
		parts_boundary_pop(&p->boundaries);
	p->nopen--;
	p->in_header = false;
}

static int
gather(struct parts *p, struct str s)
{
	size_t	 cap = p->gathered_cap == 0 ? 4096 : p->gathered_cap;
	char	*to;

	if (s.n > PARTS_HEADER_MAX - p->ngathered)
		s.n = PARTS_HEADER_MAX - p->ngathered;
	while (cap < p->ngathered + s.n)
		cap *= 2;
	if (cap != p->gathered_cap) {
		if ((to = arena_get(p->arena, cap)) == NULL)
			return -1;
		if (p->ngathered > 0)
			memcpy(to, p->gathered, p->ngathered);
		p->gathered = to;
		p->gathered_cap = cap;
	}
	if (s.n > 0)
		memcpy(p->gathered + p->ngathered, s.p, s.n);
	p->ngathered += s.n;
	return 0;
}

/* Is the part a message of its own, whose ENVELOPE may be wanted? */
static bool
is_message(const struct parts *p, const struct open *o)
{
	return o->part == 0 ||
	    p->list[p->list[o->part].parent].kind == PART_MESSAGE;
}

static bool
is_type(const struct part_fields *f, struct str type, struct str subtype)
{
	return str_eq_nocase(f->type, type) &&
	    str_eq_nocase(f->subtype, subtype);
}

static int
begin_multipart(struct parts *p, struct part_fields *f)
{
	struct open	*o = innermost(p);
	struct str	 b;

	if (p->nopen >= PARTS_DEPTH_MAX)
		return 0;
	if (parts_fields_param(p->arena, f->params, STR("boundary"),
	    BOUNDARY_MAX, &b) == -1)
		return -1;
	b = str_trim(b);
	if (b.n == 0)
		return 0;
	p->list[o->part].kind = PART_MULTIPART;
	o->has_boundary = true;
	o->digest = str_eq_nocase(f->subtype, STR("digest"));
	parts_boundary_push(&p->boundaries, b, p->nopen - 1);
	return 0;
}

/* A message in a transfer encoding, which may not be (RFC 2046 5.2.1), is a leaf; so is what would be too deep. */
static int
begin_message(struct parts *p)
{
	struct part	*part = &p->list[innermost(p)->part];

	if (part->encoding == MIME_QP || part->encoding == MIME_BASE64 ||
	    p->nopen >= PARTS_DEPTH_MAX || p->n >= PARTS_MAX)
		return 0;
	part->kind = PART_MESSAGE;
	return open_part(p);
}

static int
read_fields(struct parts *p, struct str header, struct part_fields *f)
{
	struct open	*o = innermost(p);

	if (header.n > PARTS_HEADER_MAX)
		header.n = PARTS_HEADER_MAX;
	if (is_message(p, o))
		f->header = STR("");
	if (header.n == 0 || header.n > PARTS_HEADERS_MAX - p->headers)
		return 0;
	p->headers += header.n;
	if (is_message(p, o)) {
		if (arena_dup(p->arena, header, &f->header) == -1)
			return -1;
		header = f->header;
	}
	return parts_fields_read(p->arena, header, f);
}

/* The header is complete: what is the part? */
static int
end_header(struct parts *p, struct str header)
{
	struct open		*o = innermost(p);
	struct part		*part = &p->list[o->part];
	struct part_fields	*f = p->fields[o->part];
	bool			 message;

	o->body = p->now;
	if (read_fields(p, header, f) == -1)
		return -1;
	p->in_header = false;
	part->encoding = f->encoding.p == NULL ? MIME_7BIT :
	    (uint8_t)mime_encoding(f->encoding);
	message = f->type.p == NULL && o->part != 0 &&
	    p->open[p->nopen - 2].digest;
	if (message) {	/* RFC 2046 5.1.5 */
		f->type = STR("message");
		f->subtype = STR("rfc822");
	}
	part->is_text = f->type.p == NULL ||
	    str_eq_nocase(f->type, STR("text"));
	if (str_eq_nocase(f->type, STR("multipart")))
		return begin_multipart(p, f);
	if (message || is_type(f, STR("message"), STR("rfc822")) ||
	    is_type(f, STR("message"), STR("global")))
		return begin_message(p);
	return 0;
}

/* A header that has come to its end in this piece, which it has been in since from. */
static int
end_header_at(struct parts *p, const char *from, const char *to)
{
	struct str	header = { from, (size_t)(to - from) };

	if (p->ngathered > 0) {
		if (gather(p, header) == -1)
			return -1;
		header = (struct str){ p->gathered, p->ngathered };
	}
	return end_header(p, header);
}

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
	struct open	*o = innermost(p);
	uint32_t	 level = b->level;
	bool		 eol = p->now.at >
			    (p->in_header ? o->header.at : o->body.at);

	if (p->in_header && end_header_at(p, header, at) == -1)
		return -1;
	while (p->nopen > level + 1)
		close_part(p, eol);
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
		if (end_header_at(p, *header, *at) == -1)
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
		return open_part(p);
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
	if (p->in_header && gather(p, (struct str){ header,
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
		if (end_header(p, (struct str){ p->gathered,
		    p->ngathered }) == -1)
			return -1;
	while (p->nopen > 0)
		close_part(p, false);
	return 0;
}

struct parts *
parts_begin(struct arena *a)
{
	struct parts	*p;

	if ((p = arena_get(a, sizeof(*p))) == NULL)
		return NULL;
	p->arena = a;
	return open_part(p) == -1 ? NULL : p;
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

static bool
nth_child(const struct part *list, size_t n, size_t *at, uint32_t number)
{
	uint32_t	i = list[*at].child;

	while (i != 0 && i < n && --number > 0)
		i = list[i].next;
	*at = i;
	return i != 0 && i < n;
}

bool
parts_find(const struct part *list, size_t n, const uint32_t *numbers,
    size_t nnumbers, size_t *out)
{
	bool	message = true;		/* at is one, not a part of one */
	size_t	at = 0, i;

	if (n == 0)
		return false;
	for (i = 0; i < nnumbers; i++) {
		if (numbers[i] == 0)
			return false;
		if (!message && list[at].kind == PART_MESSAGE) {
			at = list[at].child;
			message = true;
			if (at == 0 || at >= n)
				return false;
		}
		if (list[at].kind == PART_MULTIPART) {
			if (!nth_child(list, n, &at, numbers[i]))
				return false;
		} else if (!message || numbers[i] != 1)
			return false;
		message = false;
	}
	*out = at;
	return true;
}

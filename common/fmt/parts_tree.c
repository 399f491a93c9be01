/*
 * common/fmt/parts_tree.c - the tree of parts while it grows: parts are opened and closed, a header that is complete says
 * what its part is; pure.
 */
#include <string.h>

#include "common/fmt/parts_impl.h"

#define PARTS_FIRST	8u

struct open *
parts_tree_innermost(struct parts *p)
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

int
parts_tree_open(struct parts *p)
{
	struct open	*above = p->nopen == 0 ? NULL : parts_tree_innermost(p);
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
void
parts_tree_close(struct parts *p, bool without_eol)
{
	struct open	*o = parts_tree_innermost(p);
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

int
parts_tree_gather(struct parts *p, struct str s)
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
	struct open	*o = parts_tree_innermost(p);
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
	struct part	*part = &p->list[parts_tree_innermost(p)->part];

	if (part->encoding == MIME_QP || part->encoding == MIME_BASE64 ||
	    p->nopen >= PARTS_DEPTH_MAX || p->n >= PARTS_MAX)
		return 0;
	part->kind = PART_MESSAGE;
	return parts_tree_open(p);
}

static int
read_fields(struct parts *p, struct str header, struct part_fields *f)
{
	struct open	*o = parts_tree_innermost(p);

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
	struct open		*o = parts_tree_innermost(p);
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

int
parts_tree_end_header(struct parts *p, struct str header)
{
	if (p->ngathered > 0) {
		if (parts_tree_gather(p, header) == -1)
			return -1;
		header = (struct str){ p->gathered, p->ngathered };
	}
	return end_header(p, header);
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

/* common/fmt/addrlist.c - finds addresses in header fields as people write them; pure. */
#include "common/fmt/addrlist.h"
#include "common/fmt/header.h"

struct reading {
	bool	angle;		/* inside < > */
	bool	had_angle;	/* what is behind > does not count */
	bool	blank;		/* was there one before this byte? */
	bool	bad;		/* it did not fit */
	const char *end;	/* of what was taken last */
};

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * Blanks stand around dots and @ (RFC 5322 4.4). Between two words they stay, so
 * that "ann bob" is seen to be no address and is not taken for "annbob".
 */
static void
take_blank(int next, struct buf *out, struct reading *r)
{
	if (r->blank && out->n > 0 && out->p[out->n - 1] != '.' &&
	    out->p[out->n - 1] != '@' && next != '.' && next != '@')
		r->bad |= buf_addc(out, ' ') == -1;
	r->blank = false;
}

static void
take(struct cur *c, int b, struct buf *out, struct reading *r)
{
	r->bad |= buf_addc(out, (char)b) == -1;
	r->end = c->p;
}

/* A quoted string is kept as it stands: it may be a local part. */
static void
take_quoted(struct cur *c, struct buf *out, struct reading *r)
{
	int	b;
	bool	first = true;

	take_blank('"', out, r);
	while ((b = cur_peek(c)) != -1) {
		c->p++;
		if (b == '\r' || b == '\n')
			continue;	/* folding is no part of it (3.2.4) */
		take(c, b, out, r);
		if (b == '\\' && (b = cur_peek(c)) != -1 && b != '\r' &&
		    b != '\n') {
			c->p++;
			take(c, b, out, r);
		} else if (b == '"' && !first)
			return;
		first = false;
	}
}

/* A domain literal, which may hold colons: a@[IPv6:2001:db8::1] */
static void
take_literal(struct cur *c, struct buf *out, struct reading *r)
{
	int	b;

	take_blank('[', out, r);
	while ((b = cur_peek(c)) != -1 && b != ',' && b != ';' && b != '>') {
		c->p++;
		if (!is_blank(b))
			take(c, b, out, r);
		if (b == ']')
			return;
	}
}

/* What came so far was no address: a name, a group, a source route. */
static void
forget(struct buf *out, struct reading *r)
{
	buf_reset(out);
	r->bad = r->blank = false;
}

static void
take_byte(struct cur *c, int b, struct buf *out, struct reading *r)
{
	c->p++;
	if (b == '<' && !r->angle) {
		r->angle = true;
		r->had_angle = false;
		forget(out, r);
	} else if (b == '>' && r->angle) {
		r->angle = false;
		r->had_angle = true;
	} else if (b == ':' && !r->had_angle)
		forget(out, r);
	else if (is_blank(b))
		r->blank = true;
	else if (!r->had_angle) {
		take_blank(b, out, r);
		take(c, b, out, r);
	}
}

static bool
next(struct cur *c, struct buf *out, struct reading *r)
{
	int	b;

	buf_reset(out);
	while ((b = cur_peek(c)) != -1) {
		if (b == '(') {
			header_skip_comment(c);
			r->blank = true;
		} else if (b == '<' && r->had_angle && out->n > 0 && !r->bad)
			return true;	/* the comma was forgotten */
		else if (b == '"' && !r->had_angle)
			take_quoted(c, out, r);
		else if (b == '[' && !r->had_angle)
			take_literal(c, out, r);
		else if ((b == ',' && !r->angle) || b == ';') {
			c->p++;
			if (out->n > 0 && !r->bad)
				return true;
			buf_reset(out);
			*r = (struct reading){ .end = NULL };
		} else
			take_byte(c, b, out, r);
	}
	return out->n > 0 && !r->bad;
}

bool
addrlist_next_at(struct cur *c, struct buf *out, const char **end)
{
	struct reading	r = { .end = NULL };
	bool		found = next(c, out, &r);

	*end = r.end;
	return found;
}

bool
addrlist_next(struct cur *c, struct buf *out)
{
	const char	*end;

	return addrlist_next_at(c, out, &end);
}

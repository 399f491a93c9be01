/* common/fmt/charset.c - conversions to UTF-8, in pieces; pure. */
#include "common/fmt/charset.h"

#include <string.h>

#include "common/fmt/charset_impl.h"
#include "common/fmt/utf8.h"

void
charset_begin(struct charset_state *cs, const struct charset *set)
{
	*cs = (struct charset_state){ .set = set };
}

static int
put(struct buf *out, uint32_t c)
{
	if (c == CHARSET_NOTHING)
		return 0;
	if (c < 0x80)
		return buf_addc(out, (char)c);
	if (!utf8_put(out, c))
		utf8_put(out, 0xfffd);
	return buf_ok(out) ? 0 : -1;
}

/* Bytes that are UTF-8 already: appended, and counted. */
static int
as_is(const struct charset_state *cs, struct str s, struct buf *out, size_t *n)
{
	const struct charset	*set = cs->set;

	*n = 0;
	if (set->one == charset_utf8 || set->one == charset_ascii)
		*n = utf8_run(s);
	else if (set->is_ascii)
		*n = utf8_ascii_run(s);
	return *n == 0 ? 0 : buf_add(out, s.p, *n);
}

/*
 * As much as can be decided; what is left is the beginning of a character. In most sets ASCII is itself; those that give
 * some of it a meaning (ESC, SO, "~") have it looked at one by one.
 */
static int
decide(struct charset_state *cs, struct str *s, bool last, struct buf *out)
{
	uint32_t	c[2];
	size_t		n;

	while (s->n > 0) {
		if (as_is(cs, *s, out, &n) == -1)
			return -1;
		if (n == 0) {
			c[1] = CHARSET_NOTHING;
			n = cs->set->one(cs, (const unsigned char *)s->p, s->n,
			    last, c);
			if (n == 0)
				return 0;
			if (put(out, c[0]) == -1 || put(out, c[1]) == -1)
				return -1;
		}
		s->p += n;
		s->n -= n;
	}
	return 0;
}

static void
hold(struct charset_state *cs, struct str s)
{
	cs->nheld = (unsigned)s.n;	/* less than charset_one looks at */
	if (s.n > 0)
		memmove(cs->held, s.p, s.n);
}

int
charset_feed(struct charset_state *cs, struct str s, struct buf *out)
{
	char		joined[2 * sizeof(cs->held)];
	size_t		more = s.n < sizeof(cs->held) ? s.n : sizeof(cs->held);
	struct str	rest = { joined, cs->nheld + more };

	if (cs->nheld > 0) {
		memcpy(joined, cs->held, cs->nheld);
		if (more > 0)
			memcpy(joined + cs->nheld, s.p, more);
		if (decide(cs, &rest, false, out) == -1)
			return -1;
		if (more == s.n) {
			hold(cs, rest);
			return 0;
		}
		/* shorter than what was added: what was held is done */
		s.p += more - rest.n;
		s.n -= more - rest.n;
	}
	if (decide(cs, &s, false, out) == -1)
		return -1;
	hold(cs, s);
	return 0;
}

int
charset_end(struct charset_state *cs, struct buf *out)
{
	struct str	s = { (const char *)cs->held, cs->nheld };
	int		r = decide(cs, &s, true, out);

	charset_begin(cs, cs->set);
	return r;
}

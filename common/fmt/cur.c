/* common/fmt/cur.c - a cursor over bytes; pure. */
#include "common/fmt/cur.h"

#include <string.h>

bool
cur_word(struct cur *c, struct str word)
{
	if (!str_starts_nocase(cur_rest(c), word))
		return false;
	c->p += word.n;
	return true;
}

bool
cur_span(struct cur *c, bool (*is)(unsigned char), size_t max, struct str *out)
{
	size_t	n = 0, left = cur_left(c);

	while (n < left && is((unsigned char)c->p[n]))
		if (++n > max)
			return false;
	if (n == 0)
		return false;
	out->p = c->p;
	out->n = n;
	c->p += n;
	return true;
}

bool
cur_skip_wsp(struct cur *c)
{
	const char	*from = c->p;

	while (c->p < c->end && is_wsp((unsigned char)*c->p))
		c->p++;
	return c->p != from;
}

bool
cur_until(struct cur *c, char b, struct str *out)
{
	const char	*at;

	if (cur_done(c) || (at = memchr(c->p, b, cur_left(c))) == NULL)
		return false;
	out->p = c->p;
	out->n = (size_t)(at - c->p);
	c->p = at + 1;
	return true;
}

bool
cur_number(struct cur *c, unsigned long long max, unsigned long long *out)
{
	struct str	digits = { c->p, 0 };
	size_t		left = cur_left(c);

	while (digits.n < left && is_digit((unsigned char)c->p[digits.n]))
		digits.n++;
	/* as long as a decimal of 64 bits with some leading zeros */
	if (digits.n > 32 || str_number(digits, max, out) == -1)
		return false;
	c->p += digits.n;
	return true;
}

struct str
cur_rest(const struct cur *c)
{
	struct str	s = { c->p, cur_left(c) };

	return s;
}

bool
is_alnum(unsigned char c)
{
	return is_alpha(c) || is_digit(c);
}

bool
is_wsp(unsigned char c)
{
	return c == ' ' || c == '\t';
}

bool
is_atext(unsigned char c)
{
	return is_alnum(c) ||
	    (c > 32 && c < 127 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool
is_vchar(unsigned char c)
{
	return c > 32 && c < 127;
}

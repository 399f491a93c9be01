/*
 * common/fmt/cur.h - a cursor over bytes; every parser takes one. Match and
 * advance, or leave it untouched.
 */
#ifndef FMT_CUR_H
#define FMT_CUR_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

struct cur {
	const char	*p;
	const char	*end;
};

/* These few are asked for each byte of everything that is parsed. */
static inline struct cur
cur_from(struct str s)
{
	struct cur	c = { s.p, s.p + s.n };

	return c;
}

static inline size_t
cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

static inline bool
cur_done(const struct cur *c)
{
	return c->p == c->end;
}

/* next byte 0..255, or -1 */
static inline int
cur_peek(const struct cur *c)
{
	return cur_done(c) ? -1 : (unsigned char)*c->p;
}

/* exactly this byte */
static inline bool
cur_byte(struct cur *c, char b)
{
	if (cur_done(c) || *c->p != b)
		return false;
	c->p++;
	return true;
}

bool		cur_word(struct cur *, struct str);	/* these bytes, ASCII case ignored */
/* One to max bytes of the class; the view does not include what follows. More than max: no match. */
bool		cur_span(struct cur *, bool (*)(unsigned char), size_t, struct str *);
bool		cur_skip_wsp(struct cur *);		/* SP and HT; was there any? */
/* Up to (not including) the byte, which must be there; consumes both. */
bool		cur_until(struct cur *, char, struct str *);
/* Decimal, at most max; no sign. */
bool		cur_number(struct cur *, unsigned long long, unsigned long long *);
struct str	cur_rest(const struct cur *);

static inline bool
is_alpha(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

bool	is_alnum(unsigned char);
bool	is_wsp(unsigned char);
bool	is_atext(unsigned char);	/* RFC 5322 3.2.3, ASCII only */
bool	is_vchar(unsigned char);	/* 33..126 */

#endif

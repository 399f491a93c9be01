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

struct cur	cur_from(struct str);
size_t		cur_left(const struct cur *);
bool		cur_done(const struct cur *);
int		cur_peek(const struct cur *);		/* next byte 0..255, or -1 */
bool		cur_byte(struct cur *, char);		/* exactly this byte */
bool		cur_word(struct cur *, struct str);	/* these bytes, ASCII case ignored */
/* One to max bytes of the class; the view does not include what follows. More than max: no match. */
bool		cur_span(struct cur *, bool (*)(unsigned char), size_t, struct str *);
bool		cur_skip_wsp(struct cur *);		/* SP and HT; was there any? */
/* Up to (not including) the byte, which must be there; consumes both. */
bool		cur_until(struct cur *, char, struct str *);
/* Decimal, at most max; no sign. */
bool		cur_number(struct cur *, unsigned long long, unsigned long long *);
struct str	cur_rest(const struct cur *);

bool	is_alpha(unsigned char);
bool	is_digit(unsigned char);
bool	is_alnum(unsigned char);
bool	is_wsp(unsigned char);
bool	is_atext(unsigned char);	/* RFC 5322 3.2.3, ASCII only */
bool	is_vchar(unsigned char);	/* 33..126 */

#endif

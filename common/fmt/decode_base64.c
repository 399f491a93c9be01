/*
 * common/fmt/decode_base64.c - base64 as it comes in mail (RFC 2045 6.8); pure. What is not of the alphabet is passed
 * over, padding may be missing; what follows the padding is no longer base64 (a footer that a list has added).
 */
#include "common/fmt/decode_impl.h"

enum { NOT = 0x80, BLANK, PAD };	/* above any value */

static const unsigned char values[256] = {
	128, 128, 128, 128, 128, 128, 128, 128, 128, 129, 129, 128, 128, 129, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	129, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 62, 128, 128, 128, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 128, 128, 128, 130, 128, 128,
	128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 128, 128, 128, 128, 128,
	128, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
	128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
};

/*
 * d->acc holds d->bits bits that are no whole group of four yet; after the padding has come, d->nheld is the number of
 * "=" that may still follow.
 */
static void
one(struct decode *d, unsigned char v, char **to)
{
	if (v == BLANK)
		return;
	if (v == NOT || (d->ended && (v != PAD || d->nheld == 0))) {
		d->malformed = true;
	} else if (v == PAD) {
		if (d->ended) {
			d->nheld--;
			return;
		}
		d->ended = true;
		if (d->bits < 12)
			d->malformed = true;
		d->nheld = d->bits == 12;
		while (d->bits >= 8) {
			d->bits -= 8;
			*(*to)++ = (char)(d->acc >> d->bits);
		}
	} else {
		d->acc = d->acc << 6 | v;
		if ((d->bits += 6) < 24)
			return;
		*(*to)++ = (char)(d->acc >> 16);
		*(*to)++ = (char)(d->acc >> 8);
		*(*to)++ = (char)d->acc;
		d->bits = 0;
	}
}

/* Groups of four, as long as nothing else is between them. */
static const unsigned char *
groups(const unsigned char *p, const unsigned char *end, char **out)
{
	uint32_t	a, b, c, e, v;
	char		*to = *out;

	while (end - p >= 4) {
		a = values[p[0]];
		b = values[p[1]];
		c = values[p[2]];
		e = values[p[3]];
		if (((a | b | c | e) & NOT) != 0)
			break;
		v = a << 18 | b << 12 | c << 6 | e;
		to[0] = (char)(v >> 16);
		to[1] = (char)(v >> 8);
		to[2] = (char)v;
		to += 3;
		p += 4;
	}
	*out = to;
	return p;
}

int
decode_base64(struct decode *d, struct str s, struct buf *out)
{
	const unsigned char	*p = (const unsigned char *)s.p;
	const unsigned char	*end = p + s.n;
	char			*to;

	/* at most three bytes begun before, and what four characters give */
	if (buf_reserve(out, s.n / 4 * 3 + 6) == -1)
		return -1;
	to = out->p + out->n;
	while (p < end) {
		if (d->bits == 0 && !d->ended)
			p = groups(p, end, &to);
		if (p < end)
			one(d, values[*p++], &to);
	}
	out->n = (size_t)(to - out->p);
	return 0;
}

int
decode_base64_end(struct decode *d, struct buf *out)
{
	if (d->ended) {
		d->malformed |= d->nheld > 0;
		return 0;
	}
	d->malformed |= d->bits > 0;
	while (d->bits >= 8) {
		d->bits -= 8;
		if (buf_addc(out, (char)(d->acc >> d->bits)) == -1)
			return -1;
	}
	return 0;
}

/* common/fmt/base64.c - RFC 4648 sections 4 and 5; pure. */
#include "common/fmt/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char	alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_encode(struct buf *b, struct str s)
{
	const unsigned char	*p = (const unsigned char *)s.p;
	size_t			 i, left;
	uint32_t		 v;
	char			*to;

	if (buf_reserve(b, BASE64_LEN(s.n)) == -1)
		return -1;
	to = b->p + b->n;
	for (i = 0; i < s.n; i += 3) {
		left = s.n - i;
		v = (uint32_t)p[i] << 16 |
		    (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		    (left > 2 ? (uint32_t)p[i + 2] : 0);
		*to++ = alphabet[v >> 18];
		*to++ = alphabet[v >> 12 & 63];
		*to++ = left > 1 ? alphabet[v >> 6 & 63] : '=';
		*to++ = left > 2 ? alphabet[v & 63] : '=';
	}
	b->n += BASE64_LEN(s.n);
	return 0;
}

static int
value(char c)
{
	const char	*at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* A group of four; the bytes in it, or 0: malformed. */
static size_t
group(const char *p, bool last, char out[3])
{
	uint32_t	v = 0;
	size_t		i, n = 4;
	int		d;

	if (last && p[3] == '=')
		n = p[2] == '=' ? 2 : 3;
	for (i = 0; i < 4; i++) {
		d = i < n ? value(p[i]) : 0;
		if (d == -1)
			return 0;
		v = v << 6 | (uint32_t)d;
	}
	if ((n == 2 && (v & 0xffff) != 0) || (n == 3 && (v & 0xff) != 0))
		return 0;
	out[0] = (char)(v >> 16);
	out[1] = (char)(v >> 8);
	out[2] = (char)v;
	return n - 1;
}

int
base64_decode(struct buf *b, struct str s)
{
	char	three[3];
	size_t	i, n;

	if (s.n % 4 != 0) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < s.n; i += 4) {
		if ((n = group(s.p + i, i + 4 == s.n, three)) == 0) {
			errno = EINVAL;
			return -1;
		}
		if (buf_add(b, three, n) == -1)
			return -1;
	}
	return 0;
}

static char
from_url(char c)
{
	switch (c) {
	case '-':
		return '+';
	case '_':
		return '/';
	case '+':
	case '/':
	case '=':
		return '\0';	/* of the other alphabet: in neither */
	}
	return c;
}

int
base64url_decode(struct buf *b, struct str s)
{
	char	four[4], three[3];
	size_t	i, j, n;

	if (s.n % 4 == 1) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < s.n; i += 4) {
		for (j = 0; j < 4; j++)
			four[j] = i + j < s.n ? from_url(s.p[i + j]) : '=';
		if ((n = group(four, i + 4 >= s.n, three)) == 0) {
			errno = EINVAL;
			return -1;
		}
		if (buf_add(b, three, n) == -1)
			return -1;
	}
	return 0;
}

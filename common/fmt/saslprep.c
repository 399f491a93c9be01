/* common/fmt/saslprep.c - RFC 4013 with the tables of RFC 3454 that it names; Unicode by utf8proc. Pure. */
#include "common/fmt/saslprep.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/fmt/utf8.h"

#define POINTS_MAX	8192	/* U+FDFA alone becomes 18 */

struct range {
	uint32_t	from, to;
};

/* RFC 3454 B.1 */
static const struct range nothing[] = {
	{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x1806, 0x1806 },
	{ 0x180b, 0x180d }, { 0x200b, 0x200d }, { 0x2060, 0x2060 },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff }
};

/* C.1.2 */
static const struct range blanks[] = {
	{ 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200b },
	{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 }
};

/* C.2.1, C.2.2, C.3 to C.9 */
static const struct range prohibited[] = {
	{ 0, 0x1f }, { 0x7f, 0x9f }, { 0x340, 0x341 }, { 0x6dd, 0x6dd },
	{ 0x70f, 0x70f }, { 0x180e, 0x180e }, { 0x200c, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x2063 }, { 0x206a, 0x206f },
	{ 0x2ff0, 0x2ffb }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xffff }, { 0x1d173, 0x1d17a },
	{ 0x1fffe, 0x1ffff }, { 0x2fffe, 0x2ffff }, { 0x3fffe, 0x3ffff },
	{ 0x4fffe, 0x4ffff }, { 0x5fffe, 0x5ffff }, { 0x6fffe, 0x6ffff },
	{ 0x7fffe, 0x7ffff }, { 0x8fffe, 0x8ffff }, { 0x9fffe, 0x9ffff },
	{ 0xafffe, 0xaffff }, { 0xbfffe, 0xbffff }, { 0xcfffe, 0xcffff },
	{ 0xdfffe, 0xdffff }, { 0xe0001, 0xe0001 }, { 0xe0020, 0xe007f },
	{ 0xefffe, 0x10ffff }
};

static bool
is_in(const struct range *r, size_t n, uint32_t c)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (c >= r[i].from && c <= r[i].to)
			return true;
	return false;
}

/* The character at this place; 0: none, broken. */
static size_t
character(struct str s, size_t at, uint32_t *c)
{
	struct str	rest = { s.p + at, s.n - at };
	size_t		n;

	if ((unsigned char)*rest.p < 0x80) {
		*c = (unsigned char)*rest.p;
		return 1;
	}
	if ((n = utf8_length(rest)) > 0)
		*c = utf8_point(rest.p, n);
	return n;
}

/* RFC 4013 2.1 */
static bool
map(struct str s, struct buf *out)
{
	uint32_t	c;
	size_t		i, n;

	for (i = 0; i < s.n; i += n) {
		if ((n = character(s, i, &c)) == 0)
			return false;
		if (is_in(nothing, nitems(nothing), c))
			continue;
		if (is_in(blanks, nitems(blanks), c))
			buf_addc(out, ' ');
		else
			buf_add(out, s.p + i, n);
	}
	return buf_ok(out) && out->n > 0;
}

static bool
is_from_right(const int32_t *c)
{
	int	class = utf8proc_get_property(*c)->bidi_class;

	return class == UTF8PROC_BIDI_CLASS_R || class == UTF8PROC_BIDI_CLASS_AL;
}

/* RFC 3454 6: what is read from the right is not mixed with what is read from the left. */
static bool
directions_ok(const int32_t *c, size_t n)
{
	bool	right = false, left = false;
	size_t	i;

	for (i = 0; i < n; i++) {
		right |= is_from_right(&c[i]);
		left |= utf8proc_get_property(c[i])->bidi_class ==
		    UTF8PROC_BIDI_CLASS_L;
	}
	return !right || (!left && is_from_right(&c[0]) &&
	    is_from_right(&c[n - 1]));
}

static int
write_out(const int32_t *c, size_t n, char *dst, size_t size)
{
	unsigned char	one[4];
	size_t		i, used = 0, len;

	for (i = 0; i < n; i++) {
		len = (size_t)utf8proc_encode_char(c[i], one);
		if (len == 0 || used + len >= size)
			return -1;
		memcpy(dst + used, one, len);
		used += len;
	}
	dst[used] = '\0';
	return 0;
}

/* RFC 4013 2.2 to 2.4; the text is wiped by the caller. */
static int
normalize(struct str s, int32_t *points, char *dst, size_t size)
{
	const utf8proc_option_t	how = UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
				    UTF8PROC_STABLE;
	utf8proc_ssize_t	n;
	size_t			i;

	n = utf8proc_decompose((const unsigned char *)s.p,
	    (utf8proc_ssize_t)s.n, points, POINTS_MAX, how);
	if (n <= 0 || n > POINTS_MAX)
		return -1;
	n = utf8proc_normalize_utf32(points, n, how);
	if (n <= 0)
		return -1;
	for (i = 0; i < (size_t)n; i++)
		if (is_in(prohibited, nitems(prohibited), (uint32_t)points[i]))
			return -1;
	if (!directions_ok(points, (size_t)n))
		return -1;
	return write_out(points, (size_t)n, dst, size);
}

int
saslprep(struct str s, char *dst, size_t size)
{
	int32_t		points[POINTS_MAX];
	struct buf	mapped;
	int		r = -1;

	dst[0] = '\0';
	if (s.n > SASLPREP_MAX)
		return -1;
	buf_init(&mapped, SASLPREP_MAX);
	if (map(s, &mapped)) {
		r = normalize(buf_view(&mapped), points, dst, size);
		explicit_bzero(points, sizeof(points));
	}
	if (r == -1)
		dst[0] = '\0';
	buf_wipe(&mapped);
	return r;
}

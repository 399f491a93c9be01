/*
 * route/hop_name.c - domains as DNS wants them, and address literals. Names
 * come from strangers: out of mail addresses and out of DNS.
 */
#include "route/hop_name.h"

#include <errno.h>
#include <idn2.h>
#include <string.h>

#include "common/fmt/cur.h"

#define LABEL_MAX	63
#define UTF8_MAX	1024	/* a name of U-labels; its A-labels are no longer */

static bool
host_byte(char c)
{
	return is_alnum((unsigned char)c) || c == '-' || c == '_';
}

/* Lower case, labels of 1 to 63 bytes. */
static int
finish(struct str in, char out[HOP_NAME_MAX + 1])
{
	size_t	i, label = 0;

	if (in.n == 0 || in.n > HOP_NAME_MAX)
		goto bad;
	for (i = 0; i <= in.n; i++) {
		if (i == in.n || in.p[i] == '.') {
			if (label == 0 || label > LABEL_MAX)
				goto bad;
			label = 0;
		} else if (!host_byte(in.p[i]))
			goto bad;
		else
			label++;
	}
	return str_lower(out, HOP_NAME_MAX + 1, in);
bad:
	errno = EINVAL;
	return -1;
}

static bool
is_ascii(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

int
hop_name_ascii(struct str in, char out[HOP_NAME_MAX + 1])
{
	char	 text[UTF8_MAX];
	uint8_t	*ascii = NULL;
	int	 r;

	if (is_ascii(in))
		return finish(in, out);
	if (str_copy(text, sizeof(text), in) == -1 ||
	    idn2_lookup_u8((const uint8_t *)text, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
		errno = EINVAL;
		return -1;
	}
	r = finish(str_from((const char *)ascii), out);
	idn2_free(ascii);
	return r;
}

int
hop_name_canonical(struct str in, char *out, size_t size)
{
	char	ascii[HOP_NAME_MAX + 1];

	if (is_ascii(in) || hop_name_ascii(in, ascii) == -1)
		return str_lower(out, size, in);
	return str_copy(out, size, str_from(ascii));
}

bool
hop_name_literal(struct str in, struct addr *out)
{
	struct str	inner;

	if (in.n < 3 || in.p[0] != '[' || in.p[in.n - 1] != ']')
		return false;
	inner.p = in.p + 1;
	inner.n = in.n - 2;
	return addr_parse(inner, out) == 0;
}

int
hop_name_wire(struct str in, char out[HOP_NAME_MAX + 1])
{
	char	text[256];
	size_t	at = 0, n = 0, len;

	while (at < in.n && (len = (unsigned char)in.p[at]) != 0) {
		if (len > LABEL_MAX || in.n - at - 1 < len ||
		    n + len + 1 > sizeof(text)) {
			errno = EINVAL;
			return -1;
		}
		/* a dot inside of a label would make two of one */
		if (memchr(in.p + at + 1, '.', len) != NULL) {
			errno = EINVAL;
			return -1;
		}
		if (n > 0)
			text[n++] = '.';
		memcpy(text + n, in.p + at + 1, len);
		n += len;
		at += len + 1;
	}
	if (at + 1 != in.n) {		/* no end, or something behind it */
		errno = EINVAL;
		return -1;
	}
	if (n == 0) {
		out[0] = '\0';
		return 0;
	}
	return finish((struct str){ text, n }, out);
}

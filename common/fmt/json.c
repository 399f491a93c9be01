/* common/fmt/json.c - strings of JSON, valid whatever comes in; pure. */
#include "common/fmt/json.h"

#include "common/fmt/cur.h"

/* Length of a well-formed character of more than one byte (RFC 3629), or 0. */
static size_t
utf8_length(struct str s)
{
	static const struct {
		unsigned char	from, to;	/* first byte */
		unsigned char	lo, hi;		/* second byte */
		size_t		n;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	unsigned char	first = (unsigned char)s.p[0], b;
	size_t		i, k;

	for (i = 0; i < nitems(forms); i++)
		if (first >= forms[i].from && first <= forms[i].to)
			break;
	if (i == nitems(forms) || s.n < forms[i].n)
		return 0;
	for (k = 1; k < forms[i].n; k++) {
		b = (unsigned char)s.p[k];
		if (b < (k == 1 ? forms[i].lo : 0x80) ||
		    b > (k == 1 ? forms[i].hi : 0xbf))
			return 0;
	}
	return forms[i].n;
}

/* Bytes that stand for themselves. */
static size_t
plain_run(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' ||
		    (unsigned char)s.p[i] > '~' || s.p[i] == '"' ||
		    s.p[i] == '\\')
			break;
	return i;
}

void
json_string(struct str s, struct buf *out)
{
	unsigned char	b;
	size_t		n;

	(void)buf_addc(out, '"');
	for (; s.n > 0; s.p += n, s.n -= n) {
		b = (unsigned char)s.p[0];
		n = 1;
		if (is_vchar(b) && b != '"' && b != '\\') {
			n = plain_run(s);
			(void)buf_add(out, s.p, n);
		} else if (b == '"' || b == '\\') {
			(void)buf_addc(out, '\\');
			(void)buf_addc(out, (char)b);
		} else if (b < ' ' || b == 127)
			(void)buf_addf(out, "\\u%04x", b);
		else if (b == ' ')
			(void)buf_addc(out, ' ');
		else if ((n = utf8_length(s)) > 0)
			(void)buf_add(out, s.p, n);
		else {
			n = 1;
			(void)buf_adds(out, "\\ufffd");
		}
	}
	(void)buf_addc(out, '"');
}

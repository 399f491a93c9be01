/* common/fmt/json.c - strings of JSON, valid whatever comes in; pure. */
#include "common/fmt/json.h"

#include "common/fmt/cur.h"
#include "common/fmt/utf8.h"

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
json_quote(struct str s, struct buf *out)
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

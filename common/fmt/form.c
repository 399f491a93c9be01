/* common/fmt/form.c - the URL standard, 5.2, without its plus sign; pure. */
#include "common/fmt/form.h"

#include "common/fmt/cur.h"

void
form_encode(struct buf *b, struct str s)
{
	static const char	digits[] = "0123456789ABCDEF";
	unsigned char		c;
	size_t			i;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (is_alnum(c) || c == '-' || c == '.' || c == '_')
			buf_addc(b, (char)c);
		else {
			buf_addc(b, '%');
			buf_addc(b, digits[c >> 4]);
			buf_addc(b, digits[c & 0xf]);
		}
	}
}

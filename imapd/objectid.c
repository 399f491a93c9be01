/* imapd/objectid.c - a GUID of the store as an objectid; pure. Run by the session. */
#include "imapd/objectid.h"

#include <stdint.h>

#include "common/fmt/cur.h"

#define OBJECTID_MAX	255	/* RFC 8474 4 */

/*
 * "(M1_2Eh)": only letters, digits, '-' and '_' may be in it. What is too long to be spelt so ends in a sum of all of it.
 */
int
objectid_put(struct buf *b, struct str id)
{
	static const char	hex[] = "0123456789ABCDEF";
	uint64_t		sum = 14695981039346656037u;	/* FNV-1a */
	size_t			i, from = b->n;
	unsigned char		c;

	for (i = 0; i < id.n; i++) {
		c = (unsigned char)id.p[i];
		sum = (sum ^ c) * 1099511628211u;
		if (is_alnum(c) || c == '-')
			buf_addc(b, (char)c);
		else
			buf_add(b, ((char[]){ '_', hex[c >> 4], hex[c & 15] }),
			    3);
	}
	if (b->n - from > OBJECTID_MAX) {
		b->n = from + OBJECTID_MAX - 21;
		buf_addc(b, '-');
		return buf_addf(b, "%llu", (unsigned long long)sum);
	}
	return buf_ok(b) ? 0 : -1;
}

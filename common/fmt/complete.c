/* common/fmt/complete.c - completes addresses in header fields; pure. */
#include "common/fmt/complete.h"

#include <string.h>

#include "common/fmt/addrlist.h"
#include "common/fmt/path.h"

/* RFC 2047 2: what somebody wrote there for a person is no local part. */
static bool
is_encoded_word(struct str s)
{
	return s.n > 4 && s.p[0] == '=' && s.p[1] == '?' &&
	    s.p[s.n - 2] == '?' && s.p[s.n - 1] == '=';
}

static bool
is_bare(struct str addr)
{
	struct cur	c = cur_from(addr);
	struct path	p;

	return path_mailbox(&c, PATH_UTF8, true, &p) && cur_done(&c) &&
	    p.domain.n == 0 && addr.p[0] != '"' && !is_encoded_word(addr);
}

/* Length of the line that ends in out and goes on here. */
static size_t
line_length(const struct buf *out, const char *at, const char *end)
{
	const char	*lf = out->n == 0 ? NULL : memrchr(out->p, '\n', out->n);
	const char	*to = memchr(at, '\n', (size_t)(end - at));
	size_t		 n;

	n = lf == NULL ? out->n : (size_t)(out->p + out->n - (lf + 1));
	if (to == NULL)
		to = end;
	else if (to > at && to[-1] == '\r')
		to--;
	return n + (size_t)(to - at);
}

void
complete_addresses(struct str field, struct str domain, size_t max,
    struct buf *out)
{
	struct cur	c = cur_from(field);
	struct buf	one;
	const char	*from = field.p, *end;

	buf_init(&one, ADDR_MAX);
	while (addrlist_next_at(&c, &one, &end)) {
		if (!is_bare(buf_view(&one)))
			continue;
		buf_add(out, from, (size_t)(end - from));
		from = end;
		if (line_length(out, end, field.p + field.n) + 1 +
		    domain.n <= max) {
			buf_addc(out, '@');
			buf_addstr(out, domain);
		}
	}
	buf_add(out, from, (size_t)(field.p + field.n - from));
	buf_free(&one);
}

/* tests/fuzz/fuzz_exim.c - spool files of Exim: views stay within them, and there are as many recipients as were counted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/exim.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct str all, struct str v)
{
	/* literals stand for what is not there */
	if (v.n > 0 && (v.p < all.p || v.n > all.n ||
	    v.p > all.p + all.n - v.n))
		abort();
}

static void
check_rcpts(struct str all, const struct exim_mail *m)
{
	struct exim_rcpt	r;
	struct cur		c = cur_from(m->rcpts);
	size_t			n = 0;

	while (exim_rcpt_next(&c, &r)) {
		check_within(all, r.addr);
		check_within(all, r.orcpt);
		if (r.notify > 15)
			abort();
		/* of all is enough to see; the rest costs the square */
		if (n++ < 50 && !exim_got(m, (struct str){ r.addr.p,
		    r.addr.n + 1 }, r.addr) && r.addr.p[r.addr.n] == '\n')
			abort();
	}
	if (n != m->nrcpts)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		all = { (const char *)data, size }, text, body;
	struct exim_mail	m;
	struct cur		c;
	const char		*why = NULL;
	size_t			sum = 0;

	if (exim_body(all, STR("1xWKgm-00032c-2O"), &body))
		check_within(all, body);
	if (!exim_read(all, &m, &why)) {
		if (why == NULL)
			abort();
		return 0;
	}
	check_within(all, m.name);
	check_within(all, m.sender);
	check_within(all, m.client);
	check_rcpts(all, &m);
	for (c = cur_from(m.header); exim_header_next(&c, &text);) {
		check_within(all, text);
		if (text.n == 0 || text.p[text.n - 1] != '\n')
			abort();
		sum += text.n;
	}
	if (sum > m.header.n)
		abort();
	return 0;
}

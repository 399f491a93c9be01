/* tests/fuzz/fuzz_postfix.c - a queue file of Postfix: views stay within it, counts are those of the calls, and the same file reads the same twice. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/postfix.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct seen {
	struct str	all;
	size_t		rcpts;
	uint64_t	sum;
};

static void
check_within(const struct seen *s, struct str v)
{
	/* literals stand for what is not there */
	if (v.n > 0 && (v.p < s->all.p || v.n > s->all.n ||
	    v.p > s->all.p + s->all.n - v.n))
		abort();
}

static bool
rcpt(void *arg, const struct postfix_rcpt *r)
{
	struct seen	*s = arg;

	check_within(s, r->addr);
	check_within(s, r->orcpt);
	if (r->notify > 15)
		abort();
	s->sum = s->sum * 31 + r->addr.n;
	s->rcpts++;
	return true;
}

static bool
text(void *arg, struct str piece, bool end)
{
	struct seen	*s = arg;

	check_within(s, piece);
	s->sum = s->sum * 31 + piece.n * 2 + end;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct postfix_ops	all = { rcpt, text }, none = { NULL, NULL };
	struct seen		a = { .all = { (const char *)data, size } };
	struct seen		b = a;
	struct postfix_mail	m, n;
	const char		*why = NULL, *again = NULL;
	bool			ok = postfix_read(a.all, &all, &a, &m, &why);

	if (ok != postfix_read(b.all, &none, &b, &n, &again) ||
	    a.rcpts != m.todo || m.todo != n.todo || m.done != n.done)
		abort();
	if (!ok && (why == NULL || why != again))
		abort();
	check_within(&a, m.sender);
	check_within(&a, m.client);
	check_within(&a, m.envid);
	if (ok && m.arrival_us < 0)
		abort();
	return 0;
}

/* tests/fuzz/fuzz_history.c - each line that makes sense is found by its recipient, in its order, and no other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "queue/history.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct str all, struct str s)
{
	if (s.p < all.p || s.n > all.n || s.p > all.p + all.n - s.n ||
	    (s.n > 0 && memchr(s.p, '\n', s.n) != NULL))
		abort();
}

/* What was read is a whole line: nothing of it is lost. */
static void
check_line(struct str all, const struct history_line *l)
{
	const char	*start = l->addr.p, *end = l->text.p + l->text.n;

	check_within(all, l->addr);
	check_within(all, l->status);
	check_within(all, l->text);
	if (l->host.n > 0)
		check_within(l->text, l->host);
	if (l->reply.n > 0)
		check_within(l->text, l->reply);
	if (l->reply.n > 0 && l->host.n == 0)
		abort();
	if (l->at_s < 0 || l->status.p != l->addr.p + l->addr.n + 1 ||
	    l->text.p != l->status.p + l->status.n + 1 ||
	    (l->status.n > 0 && memchr(l->status.p, ' ', l->status.n) != NULL))
		abort();
	if (start < all.p + 2 || start[-1] != ' ' || start[-2] < '0' ||
	    start[-2] > '9' || (end != all.p + all.n && *end != '\n'))
		abort();
}

static void
check_found(const struct history *h, struct str who)
{
	const struct history_line	*l;
	size_t				 i, n, want = 0;

	for (i = 0; i < h->n; i++)
		want += str_eq(h->lines[i].addr, who);
	l = history_of(h, who, &n);
	if (n != want || (l == NULL) != (n == 0))
		abort();
	for (i = 0; i < n; i++)
		if (!str_eq(l[i].addr, who) ||
		    (i > 0 && l[i].text.p <= l[i - 1].text.p))
			abort();
}

/* The same lines alone, as they were read, read as the same. */
static void
check_again(const struct history *h)
{
	struct history	again;
	struct buf	text;
	size_t		i;

	buf_init(&text, 1u << 24);
	for (i = 0; i < h->n; i++)
		buf_addf(&text, "%lld %.*s %.*s %.*s\n",
		    (long long)h->lines[i].at_s, STR_ARG(h->lines[i].addr),
		    STR_ARG(h->lines[i].status), STR_ARG(h->lines[i].text));
	if (!buf_ok(&text) || history_read(&again, buf_view(&text)) == -1 ||
	    again.n != h->n)
		abort();
	for (i = 0; i < h->n; i++)
		if (again.lines[i].at_s != h->lines[i].at_s ||
		    !str_eq(again.lines[i].addr, h->lines[i].addr) ||
		    !str_eq(again.lines[i].status, h->lines[i].status) ||
		    !str_eq(again.lines[i].text, h->lines[i].text))
			abort();
	history_free(&again);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	text = { (const char *)data, size };
	struct history	h;
	size_t		i, first;

	if (history_read(&h, text) == -1)
		abort();
	for (i = 0; i < h.n; i++) {
		check_line(text, &h.lines[i]);
		check_found(&h, h.lines[i].addr);
		if (i > 0 && str_cmp(h.lines[i - 1].addr, h.lines[i].addr) > 0)
			abort();
	}
	for (first = 0; first < size && data[first] != '\n'; first++)
		continue;
	check_found(&h, (struct str){ text.p, first });
	check_found(&h, STR(""));
	if (memchr(data == NULL ? (const uint8_t *)"" : data, 0, size) == NULL)
		check_again(&h);
	history_free(&h);
	return 0;
}

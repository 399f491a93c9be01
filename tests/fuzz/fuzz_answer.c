/* tests/fuzz/fuzz_answer.c - answers of route, as queue takes them. */
#include <stdint.h>

#include "queue/router.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message	m = { .fd = -1 };
	struct task	t = { .m = &m };
	struct str	in = { (const char *)data, size }, text = { "", 0 };
	char		status[16] = "";
	size_t		i, n = 0;
	int		r;

	arena_init(&m.mem, 1u << 20);
	r = take_answer(&t, in, status, &text);
	need(strlen(status) < sizeof(status));
	for (i = 0; i < t.nfinals; i++)
		n += t.finals[i].n;
	need(t.nfinals <= t.cfinals && n <= size);
	if (r == 1)
		need(t.nfinals > 0 || status[0] == '4' || status[0] == '5');
	need(text.n == 0 || (text.p >= in.p && text.p + text.n <= in.p + in.n));
	/* a second part is added to the first */
	n = t.nfinals;
	if (r == 0) {
		r = take_answer(&t, in, status, &text);
		need(t.nfinals >= n || r == -1 || t.nfinals == 0);
	}
	arena_free(&m.mem);
	return 0;
}

/* tests/fuzz/fuzz_canon.c - the same whether cut or whole; relaxed twice is relaxed once. */
#include <stdint.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/fmt/canon.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct both {
	struct buf	simple, relaxed;
	bool		forked;
};

static void
sink(void *arg, enum canon_which which, const char *p, size_t n)
{
	struct both	*b = arg;

	if ((which == CANON_BOTH) == b->forked)
		abort();
	if ((which != CANON_RELAXED && buf_add(&b->simple, p, n) == -1) ||
	    (which != CANON_SIMPLE && buf_add(&b->relaxed, p, n) == -1))
		abort();
}

static void
fork_once(void *arg)
{
	struct both	*b = arg;

	if (b->forked)
		abort();
	b->forked = true;
}

static const struct canon_ops ops = { sink, fork_once };

static void
run(struct str in, size_t step, struct both *b)
{
	struct canon	c;
	size_t		at, n;

	buf_init(&b->simple, 1u << 22);
	buf_init(&b->relaxed, 1u << 22);
	b->forked = false;
	canon_init(&c, &ops, b);
	for (at = 0; at < in.n; at += n) {
		n = in.n - at < step ? in.n - at : step;
		canon_add(&c, in.p + at, n);
	}
	canon_end(&c);
}

static void
done(struct both *b)
{
	buf_free(&b->simple);
	buf_free(&b->relaxed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 };
	struct both	whole, parts, again;

	if (size == 0)
		return 0;
	run(in, in.n + 1, &whole);
	run(in, data[0] % 5 + 1u, &parts);
	if (!str_eq(buf_view(&whole.simple), buf_view(&parts.simple)) ||
	    !str_eq(buf_view(&whole.relaxed), buf_view(&parts.relaxed)))
		abort();
	if (!whole.forked &&
	    !str_eq(buf_view(&whole.simple), buf_view(&whole.relaxed)))
		abort();
	run(buf_view(&whole.relaxed), in.n + 1, &again);
	if (!str_eq(buf_view(&again.relaxed), buf_view(&whole.relaxed)))
		abort();
	done(&whole);
	done(&parts);
	done(&again);
	return 0;
}

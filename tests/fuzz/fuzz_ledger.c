/* tests/fuzz/fuzz_ledger.c - any log: sums and complaints can be made of it; what adds up of each adds up of all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "queue/ledger.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
book(struct ledger *l, struct str text)
{
	struct logline	line;
	const char	*lf;
	struct str	s;

	while (text.n > 0) {
		lf = memchr(text.p, '\n', text.n);
		s = (struct str){ text.p, lf == NULL ? text.n :
		    (size_t)(lf - text.p) };
		if (logline_parse(s, &line))
			ledger_line(l, &line);
		text.p += s.n + (lf != NULL);
		text.n -= s.n + (lf != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		text = { (const char *)data, size };
	struct ledger		l;
	struct ledger_sums	sums;
	struct buf		why;
	size_t			i, wrong = 0, used = 0;

	ledger_init(&l, 0);
	buf_init(&why, 4096);
	book(&l, text);
	for (i = 0; i < l.cap; i++) {
		if (account_is_free(&l.accounts[i]))
			continue;
		used++;
		if (ledger_find(&l, l.accounts[i].id) != &l.accounts[i])
			abort();
		wrong += ledger_wrong(&l, &l.accounts[i], &why);
		if (!buf_ok(&why))
			abort();
	}
	ledger_sum(&l, &sums);
	if (used != l.n || (wrong == 0 && sums.difference != 0))
		abort();
	buf_free(&why);
	ledger_free(&l);
	return 0;
}

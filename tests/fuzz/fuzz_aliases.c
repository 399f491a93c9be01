/* tests/fuzz/fuzz_aliases.c - every line is told once, targets stay inside. */
#include <stdint.h>
#include <stdlib.h>

#include "common/fmt/aliases.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur		 c = cur_from((struct str){ (const char *)data, size });
	struct cur		 t;
	struct alias_entry	 e;
	struct alias_target	 target;
	enum alias_result	 r;
	struct buf		 scratch;
	const char		*what;
	unsigned		 line = 1, col, last = 0;

	buf_init(&scratch, 1u << 20);
	if (buf_reserve(&scratch, 1u << 19) == -1)
		abort();
	while ((r = alias_next(&c, &line, &e, &scratch, &what, &col)) !=
	    ALIAS_END) {
		if (e.line <= last || e.line >= line || (r == ALIAS_BAD &&
		    col == 0))
			abort();
		last = e.line;
		t = cur_from(e.targets);
		while (r == ALIAS_ENTRY &&
		    alias_target_next(&t, &scratch, &target))
			if (target.kind != ALIAS_ERROR && target.text.n == 0)
				abort();
		buf_reset(&scratch);
	}
	buf_free(&scratch);
	return 0;
}

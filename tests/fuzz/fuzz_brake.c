/*
 * tests/fuzz/fuzz_brake.c - the memory of the brake: reading ends, what was read is within its bounds and can be
 * counted on, and what is written again is read as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "queue/brake_file.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define DEMAND(x)	do { if (!(x)) abort(); } while (0)

static int
count(void *arg, struct brake_record *r)
{
	const struct brake_limits	l = { { 100, 500, 250, 50 }, 5 };
	struct buf			*out = arg;
	struct brake_rate		 rate = r->rate;
	enum brake_kind			 what;
	int64_t				 now = INT64_C(1795521180);

	DEMAND(r->name.n > 0 && r->name.n <= BRAKE_NAME_MAX);
	DEMAND(r->what < BRAKE_KINDS && r->nsamples <= BRAKE_SAMPLES);
	DEMAND(r->since >= 0);
	brake_file_add(out, r);
	brake_rate_move(&rate, &l, now, LEARN_SLOWLY);
	brake_rate_add(&rate, BRAKE_RCPTS, 7, now);
	(void)brake_rate_exceeds(&rate, &l, now, &what);
	DEMAND(brake_rate_limit(&rate, &l, BRAKE_RCPTS) >= 500);
	brake_rate_accept(&rate);
	(void)brake_rate_matters(&rate, &l, now + 100000);
	if (r->known != NULL) {
		(void)brake_known_add(r->known, r->name);
		DEMAND(!brake_known_add(r->known, r->name));
	}
	free(r->known);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct buf	one, two;
	struct diag	why = { "" };
	int64_t		saved = 0;

	buf_init(&one, 64u << 20);
	buf_init(&two, 64u << 20);
	brake_file_head(&one, 7);
	if (brake_file_read(in, &saved, count, &one, &why) == -1)
		DEMAND(why.text[0] != '\0');
	DEMAND(buf_ok(&one));
	brake_file_head(&two, 7);
	DEMAND(brake_file_read(buf_view(&one), &saved, count, &two, &why) == 0);
	DEMAND(saved == 7 && str_eq(buf_view(&one), buf_view(&two)));
	buf_free(&one);
	buf_free(&two);
	return 0;
}

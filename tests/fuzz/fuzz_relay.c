/*
 * tests/fuzz/fuzz_relay.c - what hop and remote answer: it makes sense or is refused; what is taken of it lies
 * within it and within bounds.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "queue/remotes.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct str all, struct str s, size_t max)
{
	if (s.n > max || (s.n > 0 && (s.p < all.p ||
	    s.p > all.p + all.n - s.n)))
		abort();
}

static void
check_hop(struct str rec)
{
	struct hop	*h = hop_new(rec, 1), *other;

	if (h == NULL) {
		if (errno != EPROTO)
			abort();
		return;
	}
	check_within(h->rec, h->text, HOP_ANSWER_MAX);
	check_within(h->rec, h->key, HOP_KEY_MAX);
	if ((h->code == 250) != (h->key.n > 0) || h->seconds < 10 ||
	    h->seconds > 3600 || !str_eq(h->rec, rec))
		abort();
	if (h->code != 250 && h->status[0] != '4' && h->status[0] != '5')
		abort();
	/* a copy is alike, with the same hash */
	if ((other = hop_new(rec, 1)) == NULL || other->hosts != h->hosts ||
	    !hop_alike(h, other))
		abort();
	hop_release(&other);
	hop_release(&h);
}

static void
check_result(struct str rec)
{
	struct verdict	v;
	uint64_t	n;

	if (!remote_packet_result(rec, &n, &v))
		return;
	check_within(rec, v.text, 1000);
	check_within(rec, v.host, 400);
	check_within(rec, v.tls, 200);
	if (n > ENVELOPE_RCPTS || strchr("245", v.status[0]) == NULL ||
	    strlen(v.status) >= sizeof(v.status) || !v.remote)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str	rec = { (const char *)data, n };

	if (n == 0)
		return 0;
	check_hop(rec);
	check_result(rec);
	return 0;
}

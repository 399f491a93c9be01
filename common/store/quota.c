/* common/store/quota.c - what a store may hold. */
#include "common/store/quota.h"

#include <errno.h>

#include "common/base/now.h"
#include "common/store/store_impl.h"

/* Others put messages in, and take them away. */
#define COUNT_AGAIN_MS	INT64_C(60000)
#define SHOWN_AGAIN_MS	INT64_C(1000)	/* what a client is shown is exact (RFC 9208 5.2) */

void
quota_set(struct store *s, uint64_t bytes)
{
	s->quota = bytes;
}

bool
quota_limits(struct store *s, struct quota *q)
{
	return quota_find(s->root, s->quota, q);
}

int
quota_change(struct store *s, const struct quota *q)
{
	return quota_set_write(s->root, q);
}

static int
count(struct store *s)
{
	struct maildir	m = { .root = s->root, .tmp = -1, .new = -1, .cur = -1 };

	if (maildir_usage(&m, &s->used, &s->used_count) == -1)
		return -1;
	s->counted = now_ms();
	return 0;
}

static bool
is_older(const struct store *s, int64_t ms)
{
	return s->counted == 0 || now_ms() - s->counted > ms;
}

int
quota_usage(struct store *s, struct quota *q)
{
	(void)quota_limits(s, q);
	if (is_older(s, SHOWN_AGAIN_MS) && count(s) == -1)
		return -1;
	q->bytes = s->used;
	q->count = s->used_count;
	return 0;
}

/* What was counted, if it is good enough for so much more. */
static bool
is_known(const struct store *s, const struct quota *q, uint64_t bytes,
    uint64_t n)
{
	return !is_older(s, COUNT_AGAIN_MS) && quota_fits(q, bytes, n) &&
	    (!is_older(s, SHOWN_AGAIN_MS) || !quota_is_tight(q, bytes, n));
}

static void
used(const struct store *s, struct quota *q)
{
	q->bytes = s->used;
	q->count = s->used_count;
}

int
quota_room(struct store *s, uint64_t bytes, uint64_t n)
{
	struct quota	q;

	if (!quota_limits(s, &q))
		return 0;
	used(s, &q);
	if (is_known(s, &q, bytes, n))
		return 0;
	if (count(s) == -1)
		return -1;
	used(s, &q);
	if (quota_fits(&q, bytes, n))
		return 0;
	errno = EDQUOT;
	return -1;
}

static uint64_t
moved(uint64_t from, int64_t by)
{
	if (by < 0 && from < (uint64_t)-by)
		return 0;
	return from + (uint64_t)by;
}

void
quota_changed(struct store *s, int64_t bytes, int64_t n)
{
	struct maildir	m = { .root = s->root, .tmp = -1, .new = -1, .cur = -1 };

	s->used = moved(s->used, bytes);
	s->used_count = moved(s->used_count, n);
	maildir_usage_add(&m, bytes, n);
}

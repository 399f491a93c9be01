/* common/store/quota.c - what a store may hold. */
#include "common/store/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/cur.h"
#include "common/store/store_impl.h"

#define COUNT_AGAIN_MS	INT64_C(60000)	/* others put messages in, and take them away */
#define FILE_SIZE	"maildirsize"

bool
quota_parse(struct str text, struct quota *q)
{
	struct cur		c;
	struct str		line;
	unsigned long long	v;

	q->bytes_max = q->count_max = 0;
	if (!str_take_line(&text, &line))
		return false;
	c = cur_from(line);
	do {
		if (!cur_number(&c, INT64_MAX, &v))
			return false;
		if (cur_byte(&c, 'S'))
			q->bytes_max = v;
		else if (cur_byte(&c, 'C'))
			q->count_max = v;
		else
			return false;
	} while (cur_byte(&c, ','));
	return cur_done(&c);
}

void
quota_set(struct store *s, uint64_t bytes)
{
	s->quota = bytes;
}

bool
quota_limits(struct store *s, struct quota *q)
{
	char	text[256];
	ssize_t	n = -1;
	int	fd;

	*q = (struct quota){ .bytes_max = s->quota };
	if (s->quota != 0)
		return true;
	fd = openat(s->root, FILE_SIZE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd != -1)
		n = fdio_read(fd, text, sizeof(text));
	fdio_close(&fd);
	if (n <= 0 || !quota_parse((struct str){ text, (size_t)n }, q))
		*q = (struct quota){ 0 };
	return q->bytes_max > 0 || q->count_max > 0;
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
is_old(const struct store *s)
{
	return s->counted == 0 || now_ms() - s->counted > COUNT_AGAIN_MS;
}

int
quota_usage(struct store *s, struct quota *q)
{
	(void)quota_limits(s, q);
	if (is_old(s) && count(s) == -1)
		return -1;
	q->bytes = s->used;
	q->count = s->used_count;
	return 0;
}

static bool
fits(const struct store *s, const struct quota *q, uint64_t bytes,
    uint64_t n)
{
	return (q->bytes_max == 0 || (bytes <= q->bytes_max &&
	    s->used <= q->bytes_max - bytes)) &&
	    (q->count_max == 0 || (n <= q->count_max &&
	    s->used_count <= q->count_max - n));
}

int
quota_room(struct store *s, uint64_t bytes, uint64_t n)
{
	struct quota	q;
	bool		fresh;

	if (!quota_limits(s, &q))
		return 0;
	if ((fresh = is_old(s)) && count(s) == -1)
		return -1;
	if (fits(s, &q, bytes, n))
		return 0;
	/* perhaps something was removed meanwhile */
	if (!fresh && count(s) == -1)
		return -1;
	if (!fresh && fits(s, &q, bytes, n))
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

/* common/store/quota_limits.c - where the limits of a Maildir come from. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/store/dotlock.h"
#include "common/store/quota.h"

#define FILE_SET	"posthouse-quota"
#define FILE_LOCK	FILE_SET ".lock"
#define FILE_SIZE	"maildirsize"
#define TEXT_MAX	256
#define LOCK_WAIT	3000	/* ms */
#define UNIT		QUOTA_UNIT

bool
quota_parse(struct str text, struct quota *q)
{
	struct cur		c;
	struct str		line;
	unsigned long long	v;

	q->bytes_max = q->count_max = QUOTA_NONE;
	if (!str_take_line(&text, &line))
		return false;
	c = cur_from(line);
	do {
		if (!cur_number(&c, INT64_MAX, &v))
			return false;
		if (v == 0)	/* no limit */
			v = QUOTA_NONE;
		if (cur_byte(&c, 'S'))
			q->bytes_max = v;
		else if (cur_byte(&c, 'C'))
			q->count_max = v;
		else
			return false;
	} while (cur_byte(&c, ','));
	return cur_done(&c);
}

static bool
take_number(struct str text, uint64_t max, uint64_t *out)
{
	struct cur		c = cur_from(text);
	unsigned long long	v;

	if (*out != QUOTA_NONE || !cur_number(&c, max, &v) || !cur_done(&c))
		return false;
	*out = v;
	return true;
}

bool
quota_set_parse(struct str text, struct quota *q)
{
	struct cur	c = cur_from(text);
	struct field	f;

	q->bytes_max = q->count_max = QUOTA_NONE;
	if (!record_next(&c, &f) || f.tag != 'V' || !str_eq(f.value, STR("1")))
		return false;
	while (!cur_done(&c)) {
		if (!record_next(&c, &f))
			return false;
		if (f.tag == 'S') {
			if (!take_number(f.value, QUOTA_UNITS_MAX,
			    &q->bytes_max))
				return false;
			q->bytes_max *= UNIT;
		} else if (f.tag != 'M' || !take_number(f.value, INT64_MAX,
		    &q->count_max))
			return false;
	}
	return q->bytes_max != QUOTA_NONE || q->count_max != QUOTA_NONE;
}

/* -1: there is none; 0: it makes no sense; 1. */
static int
read_limits(int root, const char *name, bool (*parse)(struct str,
    struct quota *), struct quota *q)
{
	char	text[TEXT_MAX];
	ssize_t	n = -1;
	int	fd;

	/* what a user may have put there instead of a file is not waited for */
	fd = openat(root, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? -1 : 0;
	n = fdio_read(fd, text, sizeof(text));
	fdio_close(&fd);
	return n > 0 && parse((struct str){ text, (size_t)n }, q);
}

bool
quota_find(int root, uint64_t bytes, struct quota *q)
{
	int	r;

	*q = (struct quota){ .bytes_max = QUOTA_NONE,
	    .count_max = QUOTA_NONE };
	if ((r = read_limits(root, FILE_SET, quota_set_parse, q)) == 1)
		return true;
	q->bytes_max = bytes != 0 ? bytes : QUOTA_NONE;
	q->count_max = QUOTA_NONE;
	q->is_bad = r == 0;
	if (bytes == 0 &&
	    read_limits(root, FILE_SIZE, quota_parse, q) != 1)
		q->bytes_max = q->count_max = QUOTA_NONE;
	return q->bytes_max != QUOTA_NONE || q->count_max != QUOTA_NONE;
}

bool
quota_fits(const struct quota *q, uint64_t bytes, uint64_t count)
{
	return (q->bytes_max == QUOTA_NONE || (bytes <= q->bytes_max &&
	    q->bytes <= q->bytes_max - bytes)) &&
	    (q->count_max == QUOTA_NONE || (count <= q->count_max &&
	    q->count <= q->count_max - count));
}

bool
quota_is_tight(const struct quota *q, uint64_t bytes, uint64_t count)
{
	return (q->bytes_max != QUOTA_NONE &&
	    q->bytes_max - q->bytes - bytes <= q->bytes_max / 16) ||
	    (q->count_max != QUOTA_NONE &&
	    q->count_max - q->count - count <= q->count_max / 16);
}

int
quota_set_put(struct buf *out, const struct quota *q)
{
	record_puts(out, 'V', "1");
	if (q->bytes_max != QUOTA_NONE)
		record_putu(out, 'S', q->bytes_max / UNIT);
	if (q->count_max != QUOTA_NONE)
		record_putu(out, 'M', q->count_max);
	return buf_ok(out) ? 0 : -1;
}

static int
take_away(int root)
{
	if (unlinkat(root, FILE_SET, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	return fsync(root);
}

int
quota_set_write(int root, const struct quota *q)
{
	struct buf	text;
	int		lock, r;

	if ((lock = dotlock_take(root, FILE_LOCK, LOCK_WAIT, DOTLOCK_MODE)) ==
	    -1)
		return -1;
	if (q->bytes_max == QUOTA_NONE && q->count_max == QUOTA_NONE) {
		r = take_away(root);
		dotlock_drop(root, FILE_LOCK, &lock);
		return r;
	}
	buf_init(&text, TEXT_MAX);
	if ((r = quota_set_put(&text, q)) == 0)
		r = dotlock_replace(root, FILE_LOCK, &lock, FILE_SET, &text);
	else
		dotlock_drop(root, FILE_LOCK, &lock);
	buf_free(&text);
	return r;
}

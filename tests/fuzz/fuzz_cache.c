/*
 * tests/fuzz/fuzz_cache.c - any bytes as the two files of a cache: what is answered is within them, and what is put is there
 * afterwards. The input is the rows, 0xff 0xfe, the texts; both get the header that they need, rows their sums, so that
 * what is behind these checks is reached, too, unless the first byte says otherwise.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/cache_impl.h"

#define VALIDITY	5u
#define GENERATION	6u

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int	dir = -1;
static char	dir_name[64];

static void
clean(void)
{
	(void)unlinkat(dir, CACHE_ROWS_NAME, 0);
	(void)unlinkat(dir, CACHE_TEXTS_NAME, 0);
	(void)rmdir(dir_name);
}

static void
begin(void)
{
	snprintf(dir_name, sizeof(dir_name), "/tmp/fuzz_cache.XXXXXX");
	if (mkdtemp(dir_name) == NULL ||
	    (dir = fdio_opendir(AT_FDCWD, dir_name)) == -1)
		abort();
	(void)atexit(clean);
}

static void
write_file(const char *name, bool bare, struct str s)
{
	struct cache_header	h;
	int			fd;

	(void)unlinkat(dir, name, 0);
	cache_header_make(&h, VALIDITY, GENERATION);
	if ((fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1 ||
	    (!bare && fdio_write(fd, &h, sizeof(h)) == -1) ||
	    fdio_write(fd, s.p, s.n) == -1)
		abort();
	close(fd);
}

static void
sum_rows(char *p, size_t n, struct str texts)
{
	struct cache_row	row;
	struct cache_header	h;
	size_t			i;
	uint64_t		at, size;

	for (i = 0; i + sizeof(row) <= n; i += sizeof(row)) {
		memcpy(&row, p + i, sizeof(row));
		row.uid %= 8;
		at = row.body_at - sizeof(h);
		size = row.nparts * sizeof(struct part) + row.structure_n;
		if (row.body_at >= sizeof(h) && at <= texts.n &&
		    size <= texts.n - at)
			row.body_sum = cache_sum(row.uid, texts.p + at, size);
		at = row.head_at - sizeof(h);
		size = (uint64_t)row.envelope_n + row.references_n +
		    row.message_id_n;
		if (row.head_at >= sizeof(h) && at <= texts.n &&
		    size <= texts.n - at)
			row.head_sum = cache_sum(row.uid, texts.p + at, size);
		row.sum = cache_row_sum(&row, GENERATION);
		memcpy(p + i, &row, sizeof(row));
	}
}

static size_t
touch(struct str s)
{
	size_t	i, n = 0;

	for (i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i];
	return n;
}

static size_t
look(struct cache *c)
{
	struct cache_head	head;
	struct cache_body	body;
	uint32_t		uid;
	size_t			i, n = 0;

	for (uid = 0; uid < 9; uid++) {
		if (cache_head(c, uid, &head))
			n += touch(head.envelope) + touch(head.references) +
			    touch(head.message_id);
		if (cache_body(c, uid, &body)) {
			n += touch(body.bodystructure);
			for (i = 0; i < body.nparts; i++)
				if (body.parts[i].child >= body.nparts ||
				    body.parts[i].end > body.size)
					abort();
		}
	}
	return n;
}

static bool
is_even(void *arg, uint32_t uid)
{
	(void)arg;
	return uid % 2 == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cache_head	put = { .envelope = STR("(x)"),
				    .references = STR(""),
				    .message_id = STR("") };
	struct cache_head	head;
	struct cache		*c;
	struct str		rows, texts = { "", 0 };
	char			*copy;
	const char		*split;

	if (size < 1)
		return 0;
	if (dir == -1)
		begin();
	rows = (struct str){ (const char *)data + 1, size - 1 };
	if ((split = memmem(rows.p, rows.n, "\xff\xfe", 2)) != NULL) {
		texts = (struct str){ split + 2,
		    (size_t)(rows.p + rows.n - split - 2) };
		rows.n = (size_t)(split - rows.p);
	}
	if ((copy = malloc(rows.n + 1)) == NULL)
		abort();
	memcpy(copy, rows.p, rows.n);
	if ((data[0] & 1) == 0)
		sum_rows(copy, rows.n, texts);
	write_file(CACHE_ROWS_NAME, (data[0] & 2) != 0, (struct str){ copy, rows.n });
	write_file(CACHE_TEXTS_NAME, (data[0] & 4) != 0, texts);
	free(copy);
	if ((c = cache_open(dir, VALIDITY, false)) == NULL)
		abort();
	(void)look(c);
	if (cache_put_head(c, 3, &put) == -1 || cache_flush(c) == -1 ||
	    !cache_head(c, 3, &head) || !str_eq(head.envelope, put.envelope) ||
	    cache_tidy(c, 0, is_even, NULL) == -1)
		abort();
	(void)look(c);
	cache_close(&c);
	return 0;
}

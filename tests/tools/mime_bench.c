/*
 * tests/tools/mime_bench.c - how fast messages are parsed; what is found in one.
 *
 *	mime_bench DIR		MB/s over the messages of a Maildir: of its parts, of parts, BODYSTRUCTURE and ENVELOPE from
 *				memory; of the same with opening, reading and keeping (cache.h); of asking what was kept. The
 *				cache is made anew, in DIR
 *	mime_bench -p FILE ...	what FETCH would answer, "* 1 FETCH (...)", one for each
 */
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/structure.h"
#include "common/store/cache.h"

#define MAIL_MAX	(1u << 30)

static struct parts *
parse(struct arena *a, struct str mail)
{
	struct parts	*p;

	arena_init(a, PARTS_ARENA_MAX);
	if ((p = parts_begin(a)) == NULL || parts_feed(p, mail) == -1 ||
	    parts_end(p) == -1)
		err(1, "parts");
	return p;
}

static void
describe(const struct parts *p, struct buf *envelope, struct buf *structure)
{
	if (envelope_put(envelope, parts_fields(p, 0)->header) == -1 ||
	    structure_put(structure, p, true) == -1)
		err(1, "structure");
}

static void
print(const char *path, size_t number)
{
	struct buf		 mail, envelope, structure, body;
	struct arena		 a;
	struct parts		*p;
	const struct part	*list;
	size_t			 n;

	buf_init(&mail, MAIL_MAX);
	buf_init(&envelope, MAIL_MAX);
	buf_init(&structure, MAIL_MAX);
	buf_init(&body, MAIL_MAX);
	if (fdio_slurp_at(AT_FDCWD, path, &mail) == -1)
		err(1, "%s", path);
	p = parse(&a, buf_view(&mail));
	describe(p, &envelope, &structure);
	if (structure_put(&body, p, false) == -1)
		err(1, "%s", path);
	list = parts_list(p, &n);
	printf("* %zu FETCH (RFC822.SIZE %llu ENVELOPE ", number,
	    (unsigned long long)(list->header_wire + list->body_wire));
	fwrite(envelope.p, 1, envelope.n, stdout);
	printf(" BODYSTRUCTURE ");
	fwrite(structure.p, 1, structure.n, stdout);
	printf(" BODY ");
	fwrite(body.p, 1, body.n, stdout);
	printf(")\r\n");
	arena_free(&a);
	buf_free(&mail);
	buf_free(&envelope);
	buf_free(&structure);
	buf_free(&body);
}

struct box {
	char	**names;
	struct str *mails;
	size_t	 n, bytes;
	int	 dir;
};

static void
load(struct box *box, const char *path)
{
	struct dirent	*e;
	struct buf	 mail;
	DIR		*d;

	if ((box->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    (d = opendir(path)) == NULL)
		err(1, "%s", path);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (box->n % 1024 == 0 &&
		    ((box->names = reallocarray(box->names, box->n + 1024,
		    sizeof(*box->names))) == NULL ||
		    (box->mails = reallocarray(box->mails, box->n + 1024,
		    sizeof(*box->mails))) == NULL))
			err(1, "memory");
		buf_init(&mail, MAIL_MAX);
		if (fdio_slurp_at(box->dir, e->d_name, &mail) == -1 ||
		    (box->names[box->n] = strdup(e->d_name)) == NULL)
			err(1, "%s", e->d_name);
		box->mails[box->n++] = buf_view(&mail);
		box->bytes += mail.n;
	}
	closedir(d);
}

/* Of this process, so that others on the machine do not matter much. */
static int64_t
cpu_ms(void)
{
	return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static void
report(const struct box *box, const char *what, int64_t from)
{
	double	s = (double)(cpu_ms() - from) / 1000;

	printf("%-40s %6.3f s of CPU %8.1f MB/s %8.2f us each\n", what, s,
	    (double)box->bytes / 1e6 / s, s * 1e6 / (double)box->n);
}

static void
bench(const struct box *box)
{
	struct buf	 envelope, structure;
	struct arena	 a;
	int64_t		 from = cpu_ms();
	size_t		 i;

	for (i = 0; i < box->n; i++) {
		(void)parse(&a, box->mails[i]);
		arena_free(&a);
	}
	report(box, "parts", from);
	buf_init(&envelope, MAIL_MAX);
	buf_init(&structure, MAIL_MAX);
	from = cpu_ms();
	for (i = 0; i < box->n; i++) {
		buf_reset(&envelope);
		buf_reset(&structure);
		describe(parse(&a, box->mails[i]), &envelope, &structure);
		arena_free(&a);
	}
	report(box, "parts, ENVELOPE, BODYSTRUCTURE", from);
	buf_free(&envelope);
	buf_free(&structure);
}

static void
keep(const struct box *box, struct cache *c)
{
	struct cache_head	head;
	struct cache_body	body;
	struct arena		a;
	size_t			i;
	int			fd;

	arena_init(&a, PARTS_ARENA_MAX);
	for (i = 0; i < box->n; i++) {
		uint32_t	uid = (uint32_t)i + 1;

		if (cache_head(c, uid, &head) && cache_body(c, uid, &body))
			errx(1, "it was there");
		if ((fd = openat(box->dir, box->names[i], O_RDONLY | O_CLOEXEC |
		    O_NOATIME)) == -1 ||
		    cache_parse(fd, &a, &head, &body) == -1 ||
		    cache_put_head(c, uid, &head) == -1 ||
		    cache_put_body(c, uid, &body) == -1)
			err(1, "%s", box->names[i]);
		close(fd);
		arena_free(&a);
	}
	if (cache_flush(c) == -1)
		err(1, "cache");
}

static void
bench_cache(const struct box *box)
{
	struct cache_head	head;
	struct cache_body	body;
	struct cache		*c;
	int64_t			 from;
	size_t			 i, sum = 0;

	(void)unlinkat(box->dir, "posthouse.cache", 0);
	(void)unlinkat(box->dir, "posthouse.texts", 0);
	from = cpu_ms();
	if ((c = cache_open(box->dir, 1, false)) == NULL)
		err(1, "cache");
	keep(box, c);
	report(box, "open, read, parse, keep", from);
	cache_close(&c);
	from = cpu_ms();
	if ((c = cache_open(box->dir, 1, true)) == NULL)
		err(1, "cache");
	for (i = 0; i < box->n; i++)
		if (!cache_head(c, (uint32_t)i + 1, &head))
			errx(1, "%zu: no head", i + 1);
	report(box, "open, cache_head of all", from);
	from = cpu_ms();
	for (i = 0; i < box->n; i++) {
		if (!cache_head(c, (uint32_t)i + 1, &head) ||
		    !cache_body(c, (uint32_t)i + 1, &body))
			errx(1, "%zu: no body", i + 1);
		sum += head.envelope.n + body.bodystructure.n;
	}
	report(box, "cache_head and cache_body of all", from);
	printf("%zu bytes of ENVELOPE and BODYSTRUCTURE\n", sum);
	cache_close(&c);
}

int
main(int argc, char *argv[])
{
	static struct box	box;
	int			i;

	if (argc > 2 && strcmp(argv[1], "-p") == 0) {
		for (i = 2; i < argc; i++)
			print(argv[i], (size_t)i - 1);
		return 0;
	}
	if (argc != 2)
		errx(64, "usage: mime_bench DIR | -p FILE ...");
	load(&box, argv[1]);
	printf("%zu messages, %.1f MB\n", box.n, (double)box.bytes / 1e6);
	bench(&box);
	bench_cache(&box);
	return 0;
}

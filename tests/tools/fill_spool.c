/*
 * tests/tools/fill_spool.c - puts messages into a spool as if they had been
 * deferred, for measurements and tests of large queues: fill_spool DIR COUNT
 * [SECONDS until the next attempt [DOMAINS of other hosts that it is for]]. The
 * suite must not run; nothing is flushed.
 */
#include "common/store/spool.h"

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/sums.h"

#define FILE_MAX	65536u
#define APART_US	50000	/* between two arrivals */

static const char	content[] =
    "Received: from client.test ([192.0.2.1])\r\n"
    "\tby mx.example.test (Posthouse) with ESMTP;\r\n"
    "\tTue, 24 Nov 2026 10:00:00 +0000\r\n"
    "From: sender@client.test\r\n"
    "To: alice@example.test\r\n"
    "Subject: it waits\r\n"
    "\r\n"
    "A short message.\r\n";

struct fill {
	struct spool	spool;
	struct stat	owner;		/* of queue/: files get the same */
	char		simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];
	int64_t		now_ms, due_ms;
	size_t		domains;	/* 0: for a local user */
	struct buf	file;
};

static void
digests(struct fill *f)
{
	struct sums	*s;

	if ((s = sums_new()) == NULL)
		err(EX_OSERR, "digests");
	sums_add(s, content, sizeof(content) - 1);
	if (sums_end(s, f->simple, f->relaxed) == -1)
		err(EX_OSERR, "digests");
	sums_free(&s);
}

/* DIR/XX/ID, the directory made when it is missing. */
static int
create(const struct fill *f, int dir, struct id id)
{
	char	name[SHARD_LEN + 1 + ID_SIZE];
	int	fd, flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;

	id_shard(id, name);
	name[SHARD_LEN] = '\0';
	if (mkdirat(dir, name, 0700) == 0) {
		if (fchownat(dir, name, f->owner.st_uid, f->owner.st_gid,
		    0) == -1)
			err(EX_OSERR, "%s", name);
	} else if (errno != EEXIST)
		err(EX_OSERR, "%s", name);
	name[SHARD_LEN] = '/';
	id_format(id, name + SHARD_LEN + 1);
	if ((fd = openat(dir, name, flags, 0600)) == -1 ||
	    fchown(fd, f->owner.st_uid, f->owner.st_gid) == -1)
		err(EX_OSERR, "%s", name);
	return fd;
}

static void
one(struct fill *f, size_t i, size_t n)
{
	struct envelope_rcpt	rcpt = { .addr = STR("alice@example.test"),
				    .orcpt = STR(""), .final = STR(""),
				    .state = RCPT_WAITING };
	struct envelope	env = {
		.arrival_ms = f->now_ms - (int64_t)(n - i) * (APART_US / 1000),
		.origin = STR("smtp"), .client = STR("192.0.2.1"),
		.helo = STR("client.test"), .proto = STR("ESMTP"),
		.auth = STR(""), .sender = STR("sender@client.test"),
		.envid = STR(""), .rcpts = &rcpt, .nrcpts = 1
	};
	struct id	id = { (uint64_t)env.arrival_ms * 1000, i };
	char		trailer[TRAILER_SIZE + 1], line[128], to[64];
	int		fd, k;

	if (f->domains > 0) {
		snprintf(to, sizeof(to), "user@d%zu.test", i % f->domains);
		rcpt.addr = str_from(to);
	}
	id_format(id, env.id);
	trailer_format(trailer, (off_t)sizeof(content) - 1, f->simple,
	    f->relaxed);
	buf_reset(&f->file);
	if (envelope_encode(&f->file, &env) == -1 ||
	    buf_add(&f->file, content, sizeof(content) - 1) == -1 ||
	    buf_add(&f->file, trailer, TRAILER_SIZE) == -1)
		err(EX_OSERR, "encode");
	fd = create(f, f->spool.queue, id);
	/* spread over a minute, as their random delays would */
	if (fdio_write(fd, f->file.p, f->file.n) == -1 ||
	    spool_set_due(fd, f->due_ms + (int64_t)(i * 7919 % 60000)) == -1)
		err(EX_OSERR, "%s", env.id);
	fdio_close(&fd);
	k = snprintf(line, sizeof(line), "%lld alice@example.test 4.2.0 "
	    "the mailbox cannot be opened\n",
	    (long long)(env.arrival_ms / 1000));
	fd = create(f, f->spool.status, id);
	if (fdio_write(fd, line, (size_t)k) == -1)
		err(EX_OSERR, "status %s", env.id);
	fdio_close(&fd);
}

int
main(int argc, char *argv[])
{
	struct fill	f = { .now_ms = now_real_ms() };
	struct diag	why;
	const char	*bad = NULL, *bad_due = NULL;
	size_t		i, n = 0;
	long long	wait = 86400;
	int		dir;

	if (argc >= 3 && argc <= 5)
		n = (size_t)strtonum(argv[2], 1, 10000000, &bad);
	if (argc == 5)
		f.domains = (size_t)strtonum(argv[4], 1, 10000000, &bad);
	if (argc >= 4)
		wait = strtonum(argv[3], -864000, 864000, &bad_due);
	if (n == 0 || bad != NULL || bad_due != NULL) {
		fprintf(stderr, "usage: fill_spool dir count [seconds [domains]]"
		    "\n");
		return EX_USAGE;
	}
	f.due_ms = f.now_ms + wait * 1000;
	if ((dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(EX_NOINPUT, "%s", argv[1]);
	if (spool_open(&f.spool, dir, DURABLE_STRICT, &why) == -1)
		errx(EX_NOINPUT, "%s", why.text);
	if (fstat(f.spool.queue, &f.owner) == -1)
		err(EX_OSERR, "queue");
	buf_init(&f.file, FILE_MAX);
	digests(&f);
	for (i = 0; i < n; i++)
		one(&f, i, n);
	buf_free(&f.file);
	spool_close(&f.spool);
	fdio_close(&dir);
	return EX_OK;
}

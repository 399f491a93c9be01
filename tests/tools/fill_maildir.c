/*
 * tests/tools/fill_maildir.c - a Maildir of COUNT messages of 2 to 8 KiB, the
 * same ones at each run, for measurements and tests of large mailboxes:
 * fill_maildir DIR COUNT. As its owner; nothing is flushed.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/base/str.h"

#define SIZE_LEAST	2048
#define SIZE_MOST	8192
#define FIRST_TIME	1700000000u
#define APART		61u	/* seconds between two messages */

static const char *const	words[] = {
	"all", "work", "and", "no", "play", "makes", "Jack", "a", "dull",
	"boy", "report", "meeting", "Thursday", "attached", "regards",
	"..."
};

static uint64_t	seed = 4711;

static uint32_t
below(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % n;
}

static void
put_line(struct buf *b, size_t *lines)
{
	unsigned	i, n = 6 + below(8);

	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ' ');
		buf_adds(b, words[below(nitems(words))]);
	}
	buf_addc(b, '\n');
	(*lines)++;
}

/* Returns how many line ends it has. */
static size_t
compose(struct buf *b, unsigned i)
{
	size_t	lines = 9, want = SIZE_LEAST +
		    below(SIZE_MOST - SIZE_LEAST - 100);

	buf_reset(b);
	buf_addf(b, "Return-Path: <s%u@client.test>\n"
	    "Received: from client.test (client.test [192.0.2.%u])\n"
	    "\tby mx.example.test with ESMTP; Tue, 14 Nov 2023 22:13:20 +0000\n"
	    "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
	    "From: Sender %u <s%u@client.test>\n"
	    "To: user@example.test\n"
	    "Subject: message %u\n"
	    "Message-ID: <%u@client.test>\n"
	    "\n", i % 997, i % 250, i % 997, i % 997, i, i);
	while (b->n < want)
		put_line(b, &lines);
	return lines;
}

static void
write_message(int cur, const struct buf *b, size_t lines, unsigned i)
{
	char	name[128];
	int	fd;

	snprintf(name, sizeof(name), "%u.M%06uP1.client,S=%zu,W=%zu:2,",
	    FIRST_TIME + i * APART, i % 1000000, b->n, b->n + lines);
	if ((fd = openat(cur, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) == -1 || fdio_write(fd, b->p, b->n) == -1)
		err(EX_CANTCREAT, "%s", name);
	fdio_close(&fd);
}

static int
make_dirs(const char *path)
{
	int	dir, cur;

	if (mkdir(path, 0700) == -1 ||
	    (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    mkdirat(dir, "new", 0700) == -1 ||
	    mkdirat(dir, "tmp", 0700) == -1 ||
	    mkdirat(dir, "cur", 0700) == -1 ||
	    (cur = openat(dir, "cur", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1)
		err(EX_CANTCREAT, "%s", path);
	fdio_close(&dir);
	return cur;
}

int
main(int argc, char *argv[])
{
	unsigned long long	n;
	struct buf		b;
	unsigned		i;
	int			cur;

	if (argc != 3 || str_number(str_from(argv[2]), 10000000, &n) == -1)
		errx(EX_USAGE, "usage: fill_maildir DIR COUNT");
	buf_init(&b, (size_t)2 * SIZE_MOST);
	cur = make_dirs(argv[1]);
	for (i = 0; i < n; i++) {
		size_t	lines = compose(&b, i);

		if (!buf_ok(&b))
			errx(EX_SOFTWARE, "message %u", i);
		write_message(cur, &b, lines, i);
	}
	buf_free(&b);
	fdio_close(&cur);
	return EX_OK;
}

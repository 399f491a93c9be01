/*
 * tests/tools/fill_incoming.c - puts messages into incoming as if smtpd had
 * received them from a user who logged in: fill_incoming SPOOL USER COUNT
 * SUBJECT RCPT ... The suite may run; nothing is flushed, queue finds them at
 * its next scan. Of several recipients each message has all; %d in one becomes
 * the number of the message.
 */
#include "common/store/spool.h"

#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"

#define RCPTS_MAX	1000u

static struct str
number(const char *pattern, long n, char *mem, size_t size)
{
	const char	*at = strstr(pattern, "%d");

	if (at == NULL)
		return str_from(pattern);
	snprintf(mem, size, "%.*s%ld%s", (int)(at - pattern), pattern, n,
	    at + 2);
	return str_from(mem);
}

static void
put(const struct spool_in *in, const struct stat *owner, const char *user,
    const char *subject, char *rcpts[], size_t nrcpts, long n)
{
	static char		names[RCPTS_MAX][128];
	static struct envelope_rcpt r[RCPTS_MAX];
	struct timespec		ts = now_real();
	struct envelope		env = {
		.arrival_ms = now_real_ms(), .origin = STR("smtp"),
		.client = STR("192.0.2.1"), .helo = STR("client.test"),
		.proto = STR("ESMTPA"), .auth = str_from(user),
		.sender = STR("sender@example.test"), .envid = STR(""),
		.rcpts = r, .nrcpts = nrcpts
	};
	struct draft		d;
	char			text[512];
	size_t			i;

	id_format(id_make(&ts), env.id);
	for (i = 0; i < nrcpts; i++)
		r[i] = (struct envelope_rcpt){ .addr = number(rcpts[i], n,
		    names[i], sizeof(names[i])), .orcpt = STR(""),
		    .final = STR(""), .state = RCPT_WAITING };
	snprintf(text, sizeof(text), "From: <sender@example.test>\r\n"
	    "Subject: %s %ld\r\n\r\nA short message.\r\n", subject, n);
	if (draft_begin(in, &d, &env) == -1 ||
	    fchown(d.fd, owner->st_uid, owner->st_gid) == -1 ||
	    draft_write(&d, text, strlen(text)) == -1 ||
	    draft_commit(in, &d) == -1)
		err(EX_OSERR, "message");
	printf("%s\n", env.id);
}

int
main(int argc, char *argv[])
{
	struct spool_in	in;
	struct stat	st;
	char		path[4096];
	long		n, count;
	int		dir;

	if (argc < 6 || (size_t)argc > RCPTS_MAX)
		errx(EX_USAGE, "usage: fill_incoming SPOOL USER COUNT SUBJECT "
		    "RCPT ...");
	count = strtol(argv[3], NULL, 10);
	snprintf(path, sizeof(path), "%s/incoming", argv[1]);
	if ((dir = fdio_opendir(AT_FDCWD, path)) == -1 ||
	    fstat(dir, &st) == -1 ||
	    spool_in_open(&in, dir, DURABLE_ORDERED) == -1)
		err(EX_OSERR, "%s", path);
	/* as the set-gid directory gives them */
	if (fstat(in.new, &st) == -1)
		err(EX_OSERR, "%s", path);
	for (n = 0; n < count; n++)
		put(&in, &st, argv[2], argv[4], argv + 5, (size_t)argc - 5, n);
	spool_in_close(&in);
	fdio_close(&dir);
	return 0;
}

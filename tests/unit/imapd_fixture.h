/*
 * tests/unit/imapd_fixture.h - a session of imapd without its process: a Maildir in /tmp, a pair of sockets with the client at the other end,
 * and commands that are run one by one.
 */
#ifndef TESTS_IMAPD_FIXTURE_H
#define TESTS_IMAPD_FIXTURE_H

#include <sys/resource.h>
#include <sys/socket.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/store_impl.h"
#include "imapd/commands.h"
#include "imapd/numbers.h"
#include "imapd/place.h"

static struct settings	 set;
static struct session	 s;
static struct command	 c;
static int		 client;
static char		 top[] = "/tmp/posthouse-imapd.XXXXXX", mailbox[64];
static char		 line[4096], heard[65536];

/* A message in cur/, as another program puts it there. */
static inline void
put_message(const char *name, const char *text)
{
	char	path[300];
	int	fd;

	snprintf(path, sizeof(path), "%s/M/cur/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static inline void
imapd_setup(void)
{
	static char	dot[] = ".", nothing[] = "";
	struct diag	why;
	int		fds[2];

	strlcpy(top, "/tmp/posthouse-imapd.XXXXXX", sizeof(top));
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(mailbox, sizeof(mailbox), "maildir:%s/M", top);
	memset(&set, 0, sizeof(set));
	set.imap.separator = dot;
	set.imap.prefix = set.imap.shared = nothing;
	set.imap.append_limit = 100000;
	set.imap.command_max = 2000;
	set.imap.literal_max = 10000;
	set.imap.in.idle_timeout = 5000;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fds), 0);
	client = fds[1];
	memset(&s, 0, sizeof(s));
	memset(&c, 0, sizeof(c));
	s.state = S_AUTH;
	s.set = &set;
	s.user = "ann";
	s.client = "192.0.2.1";
	s.mailbox = mailbox;
	conn_init(&s.conn, fds[0]);
	arena_init(&s.memory, 64u << 20);
	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
}

static inline void
imapd_teardown(void)
{
	buf_free(&c.text);
	arena_free(&s.memory);
	result_clear(&s);
	view_close(&s.view);
	places_close(&s);
	conn_close(&s.conn);
	fdio_close(&client);
	ck_assert_int_eq(store_remove_tree(AT_FDCWD, top), 0);
}

/* No descriptor is left. */
static inline void
use_up(struct rlimit *before)
{
	struct rlimit	few;
	int		fd = dup(client);

	ck_assert_int_ne(fd, -1);
	close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);
	few = *before;
	few.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

/* From the client; before the command that will read it. */
static inline void
send_ahead(struct str text)
{
	ck_assert_int_eq(fdio_write(client, text.p, text.n), 0);
}

/* All that was said since. */
static inline const char *
said(void)
{
	ssize_t	n;

	ck_assert_int_eq(conn_flush(&s.conn, 1000), 0);
	n = recv(client, heard, sizeof(heard) - 1, MSG_DONTWAIT);
	heard[n < 0 ? 0 : n] = '\0';
	return heard;
}

/* The first line of a command; it is run. "OK text", "NO text", "BAD text", "-": nothing. */
static inline const char *
run_command(const char *text)
{
	static const char *const	words[] = { "-", "OK ", "NO ", "BAD " };
	static char			reply[8192];
	const struct command_row	*row;

	buf_free(&c.text);
	memset(&c, 0, sizeof(c));
	buf_init(&c.text, REPLY_MAX);
	strlcpy(line, text, sizeof(line));
	ck_assert(command_begin(&s, str_from(line), &c, &row));
	s.state = row->run(&s, &c);
	snprintf(reply, sizeof(reply), "%s%.*s", words[c.reply],
	    STR_ARG(buf_view(&c.text)));
	return reply;
}

static inline void
replies(const char *text, const char *begin)
{
	const char	*reply = run_command(text);

	ck_assert_msg(strncmp(reply, begin, strlen(begin)) == 0,
	    "%s: %s instead of %s", text, reply, begin);
}

#endif

/*
 * tests/tools/hostile_session.c - imapd-session (or pop3d-session) after
 * somebody has taken it over: it came to life as that does, with the same
 * user and sandbox, and then does what a line of its client says, one step
 * after the other. See imap_unauthenticate.py.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/net/conn.h"
#include "common/net/relay.h"
#include "common/proc/given.h"
#include "common/proc/msg.h"

#define PATIENCE	60000
#define MANY		1000
#define LONG		600000

static void
give_back(struct conn *c)
{
	if (relay_give_back(c->fd, STDIN_FILENO, PATIENCE) == -1)
		(void)conn_putf(c, "no mark: %s\r\n", strerror(errno));
}

static void
marks(struct conn *c)
{
	int	i;

	for (i = 0; i < MANY && relay_give_back(c->fd, STDIN_FILENO,
	    PATIENCE) == 0; i++)
		continue;
}

/* A message as long as can be, with as many descriptors as can be. */
static void
armfuls(struct conn *c)
{
	struct msg_fds	fds = { .n = MSG_FDS };
	struct buf	rec;
	size_t		i;

	for (i = 0; i < MSG_FDS; i++)
		fds.fd[i] = c->fd;
	buf_init(&rec, MSG_MAX);
	while (rec.n + 8 <= MSG_MAX && buf_adds(&rec, "x NOOP\r\n") == 0)
		continue;
	for (i = 0; i < MANY && msg_send(c->fd, &rec, &fds) == 0; i++)
		continue;
	buf_free(&rec);
}

static void
flood(struct conn *c)
{
	while (conn_putf(c, "x NOOP\r\n") == 0)
		continue;
}

static void
stay(struct conn *c)
{
	(void)c;
	(void)poll(NULL, 0, LONG);
}

/* It goes on without its connection. */
static void
stay_closed(struct conn *c)
{
	conn_close(c);
	(void)poll(NULL, 0, LONG);
}

static const struct {
	const char	*name;
	void		(*run)(struct conn *);
} steps[] = {
	{ "mark", give_back }, { "marks", marks }, { "armfuls", armfuls },
	{ "flood", flood }, { "stay", stay }, { "stay-closed", stay_closed }
};

/* What is no step is said. */
static int
step(struct conn *c, struct str what)
{
	size_t	i;

	for (i = 0; i < nitems(steps); i++)
		if (str_eq(what, str_from(steps[i].name))) {
			steps[i].run(c);
			return 0;
		}
	if (conn_putf(c, "%.*s\r\n", STR_ARG(what)) == -1)
		return -1;
	return conn_flush(c, PATIENCE);
}

static void
obey(struct conn *c)
{
	struct str	line, one;
	const char	*end;

	if (conn_line(c, CONN_IN - 2, PATIENCE, &line) != LINE_OK)
		return;
	for (; line.n > 0; line.p += one.n + 1, line.n -= one.n + 1) {
		end = memchr(line.p, ';', line.n);
		if (end == NULL)
			return;
		one = (struct str){ line.p, (size_t)(end - line.p) };
		if (step(c, one) == -1)
			return;
	}
}

int
main(int argc, char *argv[])
{
	struct given	g;
	struct diag	why;
	struct conn	c;
	int		status;

	(void)argv;
	if ((status = given_take("hostile", argc, &g)) != 0)
		return status;
	conn_init(&c, g.connection);
	if (given_enter(&g, NULL, 0, &why) == 0 &&
	    conn_preload(&c, g.pending) == 0 &&
	    conn_putf(&c, "hostile note=%s\r\n", g.note) == 0)
		obey(&c);
	status = conn_flush(&c, PATIENCE) == -1;
	given_end(&g);
	return status;
}

/* tests/unit/server_fixture.h - a pool that answers with its process number, in a process of its own. */
#ifndef SERVER_FIXTURE_H
#define SERVER_FIXTURE_H

#include <sys/socket.h>
#include <sys/wait.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/net/server_impl.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"

static int	link_fd[2], port, listening;
static pid_t	pool;
static bool	early;		/* the listener greets */

/* A connection that goes on in a thread: it echoes, and says good-bye when it is told to stop. */
struct kept {
	int	fd;
	int	stop;
};

static void
kept_session(void *arg)
{
	struct kept	*k = arg;
	struct pollfd	 p[2] = { { k->fd, POLLIN, 0 }, { k->stop, POLLIN, 0 } };
	char		 c = 'k';

	while (write(k->fd, &c, 1) == 1 && poll(p, 2, -1) != -1) {
		if (p[1].revents != 0)
			c = 'b';
		else if (read(k->fd, &c, 1) != 1 || c == 'q')
			break;
		if (c == 'a')
			abort();
		if (c == 'b') {
			(void)!write(k->fd, &c, 1);
			break;
		}
	}
	close(k->fd);
	free(k);
}

/* Over before the session knows. */
static void
kept_shortly(void *arg)
{
	struct kept	*k = arg;

	close(k->fd);
	free(k);
}

static bool
keep(const struct server_session *s, bool shortly)
{
	struct kept	*k = malloc(sizeof(*k));

	if (k == NULL)
		_exit(1);
	*k = (struct kept){ s->fd, sig_wake_fd() };
	if (server_detach(s, shortly ? kept_shortly : kept_session, k) == -1) {
		free(k);
		return false;
	}
	if (shortly)
		usleep(200000);
	return true;
}

/* As one that has been taken over: of every place it says that it is free, and of more than there are. */
static void
lie(int control)
{
	struct buf	rec;
	unsigned	i;

	buf_init(&rec, MSG_MAX);
	for (i = 0; i < 12; i++) {
		buf_reset(&rec);
		record_putu(&rec, POOL_GONE, i % 3);
		if (msg_send(control, &rec, NULL) == -1)
			_exit(1);
	}
	for (i = 0; i < 3; i++) {
		buf_reset(&rec);
		record_puts(&rec, POOL_DONE, i == 0 ? "over" : "kept");
		if (msg_send(control, &rec, NULL) == -1)
			break;
	}
	buf_free(&rec);
}

/* Says who it is, then does what the client's letter asks for. */
static void
session(void *arg, const struct server_session *s)
{
	char	text[64], c = 'q';
	int	n;

	(void)arg;
	n = snprintf(text, sizeof(text), "hello %d %d\n", (int)getpid(),
	    s->stress);
	if (!s->greeted || strcmp(s->service, "tester") != 0 || (!early && write(s->fd, text, (size_t)n) == -1))
		_exit(1);
	while (*s->stop == 0) {
		if (poll(&(struct pollfd){ s->fd, POLLIN, 0 }, 1, 100) <= 0)
			continue;
		if (read(s->fd, &c, 1) != 1)
			break;
		if (c == 'a')
			abort();
		if (c == 'q')
			break;
		if (c == 'm') {
			n = server_rate_ok(s->client, 'm', 2);
			if (write(s->fd, n ? "y" : "n", 1) == -1)
				break;
		}
		if (c == 'l')
			lie(s->worker->plan->control);
		if (c == 'e')
			(void)!send(s->worker->plan->control, "nonsense", 8,
			    MSG_NOSIGNAL);
		if ((c == 'k' || c == 'g') && keep(s, c == 'g'))
			return;
		if (c == 'k' && write(s->fd, "n", 1) == -1)
			break;
	}
	close(s->fd);
}

static int
worker_init(void *arg)
{
	(void)arg;
	return 0;
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	(void)arg;
	ck_assert_str_eq(service, "tester");
	return total ? "busy total\n" : "busy client\n";
}

static const char *
first_words(void *arg, const char *service)
{
	(void)arg;
	ck_assert_str_eq(service, "tester");
	return early ? "early\n" : "";
}

static int
reload(void *arg, struct link_event *ev, struct server_limits *l)
{
	(void)arg;
	(void)l;
	return ev->conf == -1 ? -1 : 0;
}

static const struct server_ops	ops = { worker_init, session, refusal, first_words,
				    reload };

static inline void
start(struct server_limits l)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	struct addr		a;
	struct buf		rec;
	struct child_fd		in = { "tester", -1 };
	int			fd;

	ck_assert_int_eq(addr_parse_listen("127.0.0.1:1", &a), 0);
	a.port = 0;	/* any that is free */
	ck_assert_int_ne(fd = addr_listen(&a, 64), -1);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
	ck_assert_int_eq(msg_pair(link_fd), 0);
	fflush(NULL);
	in.fd = fd;
	if ((pool = fork()) == 0) {
		close(link_fd[0]);
		log_set_level(LOG_LEVEL_ERROR);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(9);
		_exit(server_run("test", link_fd[1], &in, 1, &l, &ops, NULL));
	}
	listening = fd;
	close(link_fd[1]);
	buf_init(&rec, MSG_MAX);
	ck_assert_int_eq(msg_recv(link_fd[0], &rec, NULL), 1);
	buf_free(&rec);
}

static inline int
end(void)
{
	int	status;

	ck_assert_int_eq(waitpid(pool, &status, 0), pool);
	close(link_fd[0]);
	close(listening);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void
say(const char *verb)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, verb);
	ck_assert_int_eq(msg_send(link_fd[0], &rec, NULL), 0);
	buf_free(&rec);
}

static inline int
dial_only(void)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static inline void
greeting(int fd, char *line, size_t size)
{
	size_t	n = 0;

	while (n < size - 1 && read(fd, line + n, 1) == 1 && line[n++] != '\n')
		continue;
	line[n] = '\0';
}

static inline int
dial(char *line, size_t size)
{
	int	fd = dial_only();

	greeting(fd, line, size);
	return fd;
}

#endif

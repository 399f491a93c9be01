/*
 * tests/tools/hostile_front.c - pop3d after somebody has taken it over: it
 * came to life as pop3d does, with the same user, root directory and sandbox,
 * and then does what its client says, line by line. See hostile_front.py.
 */
#include <sys/ptrace.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/net/listener.h"
#include "common/proc/msg.h"

#define WORDS	4
#define PATIENCE 600000

struct hostile {
	struct conn	 c;
	int		 auth;		/* whom it talks to */
	int		 end;		/* of the pair whose other end it gave away */
	struct buf	 bytes;
};

static void
say(struct hostile *h, const char *text)
{
	if (conn_putf(&h->c, "%s\r\n", text) == -1)
		h->c.eof = true;
}

/* "ok", or the error's name. */
static void
say_result(struct hostile *h, long r)
{
	say(h, r != -1 ? "ok" : strerrorname_np(errno));
}

static void
say_bytes(struct hostile *h, const char *p, size_t n)
{
	size_t	i;

	(void)conn_putf(&h->c, "got ");
	for (i = 0; i < n; i++)
		(void)conn_putf(&h->c, "%02x", (unsigned char)p[i]);
	say(h, "");
}

static void
unhex(struct hostile *h, const char *s)
{
	unsigned	byte;

	buf_reset(&h->bytes);
	for (; sscanf(s, "%2x", &byte) == 1; s += 2)
		buf_addc(&h->bytes, (char)byte);
}

static int
dial(int type, const char *path)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fdio_close(&fd);
	return fd;
}

static int
find_listening(void)
{
	socklen_t	n = sizeof(int);
	int		fd, yes;

	for (fd = 3; fd < 64; fd++)
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 &&
		    yes)
			return fd;
	return -1;
}

/* Descriptors to send along. */
static void
choose(struct hostile *h, const char *kind, struct msg_fds *fds)
{
	int	pair[2];

	fds->n = 0;
	if (strcmp(kind, "none") == 0)
		return;
	if (strcmp(kind, "memfd") == 0)
		fds->fd[fds->n++] = memfd_create("x", MFD_CLOEXEC);
	else if (strcmp(kind, "listen") == 0)
		fds->fd[fds->n++] = dup(find_listening());
	else if (strcmp(kind, "client") == 0)
		fds->fd[fds->n++] = dup(h->c.fd);
	else if (strcmp(kind, "auth") == 0)
		fds->fd[fds->n++] = dup(h->auth);
	else {
		fdio_close(&h->end);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
		    pair) == -1)
			return;
		h->end = pair[0];
		fds->fd[fds->n++] = pair[1];
		if (strcmp(kind, "two") == 0)
			fds->fd[fds->n++] = dup(pair[1]);
	}
	while (fds->n > 0 && fds->fd[fds->n - 1] == -1)
		fds->n--;
}

/* A packet to whoever it is, and what he says to it. */
static void
packet(struct hostile *h, int fd, const char *hex, const char *kind,
    int64_t patience)
{
	struct msg_fds	fds;
	struct buf	got;
	int		r;

	unhex(h, hex);
	choose(h, kind, &fds);
	r = msg_send(fd, &h->bytes, &fds);
	msg_close_fds(&fds);
	if (r == -1) {
		say_result(h, -1);
		return;
	}
	buf_init(&got, MSG_MAX);
	if (fdio_wait(fd, POLLIN, now_ms() + patience) == -1)
		say_result(h, -1);
	else if ((r = msg_recv(fd, &got, NULL)) == 1)
		say_bytes(h, got.p, got.n);
	else
		say(h, r == 0 ? "end" : strerrorname_np(errno));
	buf_free(&got);
}

static void
read_end(struct hostile *h, int64_t patience)
{
	char	text[4096];
	ssize_t	n;

	if (h->end == -1 || fdio_wait(h->end, POLLIN, now_ms() + patience) ==
	    -1 || (n = recv(h->end, text, sizeof(text), 0)) == -1)
		say_result(h, -1);
	else if (n == 0)
		say(h, "end");
	else
		say_bytes(h, text, (size_t)n);
}

static void
list_fds(struct hostile *h)
{
	struct stat	st;
	int		fd;

	for (fd = 0; fd < 256; fd++)
		if (fstat(fd, &st) == 0 && fd != h->c.fd)
			(void)conn_putf(&h->c, "%d:%o ", fd,
			    (unsigned)st.st_mode & S_IFMT);
	say(h, "");
}

static long
by_number(const char *what, long n)
{
	char		byte;
	struct iovec	here = { &byte, 1 }, there = { (void *)0x400000, 1 };

	if (strcmp(what, "ptrace") == 0)
		return ptrace(PTRACE_ATTACH, (pid_t)n, NULL, NULL);
	if (strcmp(what, "memory") == 0)
		return process_vm_readv((pid_t)n, &here, 1, &there, 1, 0);
	if (strcmp(what, "kill") == 0)
		return kill((pid_t)n, SIGKILL);
	if (strcmp(what, "inet") == 0)
		return socket((int)n, SOCK_STREAM, 0);
	errno = ENOSYS;
	return -1;
}

static long
by_path(const char *what, const char *path)
{
	char	*argv[] = { NULL };

	if (strcmp(what, "open") == 0)
		return open(path, O_RDONLY);
	if (strcmp(what, "write") == 0)
		return open(path, O_WRONLY | O_CREAT, 0600);
	if (strcmp(what, "stream") == 0)
		return dial(SOCK_STREAM, path);
	if (strcmp(what, "datagram") == 0)
		return dial(SOCK_DGRAM, path);
	if (strcmp(what, "exec") == 0)
		return execve(path, argv, argv);
	if (strcmp(what, "chroot") == 0)
		return chroot(path);
	errno = ENOSYS;
	return -1;
}

static void
obey(struct hostile *h, char *const w[WORDS])
{
	if (strcmp(w[0], "dial") == 0) {
		fdio_close(&h->auth);
		h->auth = dial(SOCK_SEQPACKET, w[1]);
		say_result(h, h->auth);
	} else if (strcmp(w[0], "ask") == 0)
		packet(h, h->auth, w[2], w[1], atoll(w[3]));
	else if (strcmp(w[0], "raw") == 0)
		packet(h, (int)atoll(w[1]), w[2], "pair", atoll(w[3]));
	else if (strcmp(w[0], "read") == 0)
		read_end(h, atoll(w[1]));
	else if (strcmp(w[0], "say") == 0) {
		unhex(h, w[1]);
		say_result(h, send(h->end, h->bytes.p, h->bytes.n,
		    MSG_NOSIGNAL));
	} else if (strcmp(w[0], "fds") == 0)
		list_fds(h);
	else if (strcmp(w[0], "number") == 0)
		say_result(h, by_number(w[1], atol(w[2])));
	else if (strcmp(w[0], "path") == 0)
		say_result(h, by_path(w[1], w[2]));
	else
		say(h, "what?");
}

static void
session(void *arg, const struct server_session *s)
{
	struct hostile	 h = { .auth = -1, .end = -1 };
	char		 line[CONN_IN], *w[WORDS], *at;
	struct str	 in;
	size_t		 i;

	(void)arg;
	conn_init(&h.c, s->fd);
	buf_init(&h.bytes, 1u << 20);
	say(&h, "hostile");
	while (conn_line(&h.c, sizeof(line) - 1, PATIENCE, &in) == LINE_OK &&
	    str_copy(line, sizeof(line), in) == 0) {
		at = line;
		for (i = 0; i < WORDS; i++) {
			w[i] = strsep(&at, " ");
			if (w[i] == NULL)
				w[i] = line + in.n;	/* "" */
		}
		obey(&h, w);
	}
	if (conn_flush(&h.c, 1000) == -1)
		h.c.eof = true;
	conn_close(&h.c);
	fdio_close(&h.auth);
	fdio_close(&h.end);
	buf_free(&h.bytes);
}

/* ---- as pop3d/main.c has it */

static const char *
log_name(const struct listener *l)
{
	(void)l;
	return "pop3d";
}

static const struct listen_settings *
limits(const struct listener *l)
{
	return &l->settings->pop3;
}

static int
directory(const struct listener *l, char *out, size_t size, struct diag *why)
{
	return (size_t)snprintf(out, size, "%s/login", l->settings->run) <
	    size ? 0 : diag_set(why, "run: name is too long");
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	(void)arg;
	(void)service;
	(void)total;
	return "";
}

int
main(int argc, char *argv[])
{
	static const struct sandbox_path	places[] = {
		{ ".", SANDBOX_READ }
	};
	static const struct listener_plan	plan = {
		.program = "pop3d", .user = "ph-login",
		.worker = SANDBOX_FRONT, .places = places,
		.nplaces = nitems(places), .keys = "keys", .alpn = "pop3",
		.log_name = log_name, .limits = limits,
		.directory = directory, .refusal = refusal, .session = session
	};
	struct listener	l;

	(void)argv;
	return listener_main(&l, &plan, &l, argc);
}

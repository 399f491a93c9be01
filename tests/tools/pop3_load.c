/*
 * tests/tools/pop3_load.c - a POP3 client for measurements, cheap enough not
 * to be what is measured. 127.0.0.1; password "secret"; tls: 0 or 1, and with
 * 1 every handshake is a full one and no certificate is proven.
 *
 *	pop3_load retr PORT TLS USER AHEAD	log in, STAT, UIDL, RETR all with
 *		so many commands at a time, QUIT: messages, octets, seconds
 *		until the answer to PASS, to UIDL, in all, own CPU seconds
 *	pop3_load delete PORT TLS USER N	the same, but DELE of the first N
 *		in place of RETR; the seconds in all end with QUIT's answer
 *	pop3_load login PORT TLS SECONDS CLIENTS USERS	user1 ... log in and
 *		quit, CLIENTS (1 or more) at once: log-ins, seconds, own CPU
 *		seconds
 *	pop3_load idle PORT TLS N USERS		so many log in; says "ready" and
 *		stays until its standard input ends
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/str.h"

#define IN_SIZE		65536
#define TIMEOUT		120	/* seconds */

struct session {
	int		 fd;
	SSL		*tls;		/* NULL: in the clear */
	char		 in[IN_SIZE];
	size_t		 from, to;
	const char	*doing;		/* for complaints */
};

static SSL_CTX	*context;		/* NULL: in the clear */
static unsigned	 port;

static unsigned
number(const char *s, unsigned most)
{
	unsigned long long	v;

	if (str_number(str_from(s), most, &v) == -1)
		errx(EX_USAGE, "%s: a number up to %u was expected", s, most);
	return (unsigned)v;
}

static double
seconds(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_seconds(int whose)
{
	struct rusage	u;

	if (getrusage(whose, &u) == -1)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
fill(struct session *s)
{
	ssize_t	n;

	if (s->from > 0) {
		memmove(s->in, s->in + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	if (s->to == IN_SIZE)
		errx(EX_PROTOCOL, "%s: a line has no end", s->doing);
	if (s->tls != NULL)
		n = SSL_read(s->tls, s->in + s->to, (int)(IN_SIZE - s->to));
	else
		n = recv(s->fd, s->in + s->to, IN_SIZE - s->to, 0);
	if (n <= 0)
		errx(EX_PROTOCOL, "%s: the connection was closed", s->doing);
	s->to += (size_t)n;
}

/* With its CRLF; valid until the next call. */
static struct str
get_line(struct session *s)
{
	struct str	line;
	const char	*lf;
	size_t		seen = 0;

	while ((lf = memchr(s->in + s->from + seen, '\n',
	    s->to - s->from - seen)) == NULL) {
		seen = s->to - s->from;
		fill(s);
	}
	line.p = s->in + s->from;
	line.n = (size_t)(lf + 1 - line.p);
	s->from += line.n;
	return line;
}

static struct str
get_ok(struct session *s)
{
	struct str	line = get_line(s);

	if (line.n < 3 || memcmp(line.p, "+OK", 3) != 0)
		errx(EX_PROTOCOL, "%s: %.*s", s->doing, (int)line.n, line.p);
	return line;
}

/* Octets of it, as they came. */
static unsigned long long
get_multi(struct session *s)
{
	unsigned long long	sum = 0;
	struct str		line;

	get_ok(s);
	for (;;) {
		line = get_line(s);
		if (line.n == 3 && memcmp(line.p, ".\r\n", 3) == 0)
			return sum;
		sum += line.n;
	}
}

static void
put(struct session *s, const char *p, size_t n)
{
	ssize_t	done;

	while (n > 0) {
		done = s->tls != NULL ? SSL_write(s->tls, p, (int)n) :
		    send(s->fd, p, n, MSG_NOSIGNAL);
		if (done <= 0)
			errx(EX_PROTOCOL, "%s: cannot send", s->doing);
		p += done;
		n -= (size_t)done;
	}
}

static struct str
ask(struct session *s, const char *verb, const char *arg)
{
	char	line[200];
	int	n;

	s->doing = verb;
	n = snprintf(line, sizeof(line), "%s%s%s\r\n", verb,
	    arg == NULL ? "" : " ", arg == NULL ? "" : arg);
	put(s, line, (size_t)n);
	return get_ok(s);
}

static void
session_open(struct session *s)
{
	struct sockaddr_in	to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct timeval		limit = { TIMEOUT, 0 };
	int			on = 1;

	s->tls = NULL;
	s->from = s->to = 0;
	s->doing = "the greeting";
	if ((s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    connect(s->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		err(EX_UNAVAILABLE, "port %u", port);
	if (context != NULL && ((s->tls = SSL_new(context)) == NULL ||
	    SSL_set_fd(s->tls, s->fd) != 1 || SSL_connect(s->tls) != 1))
		errx(EX_PROTOCOL, "no TLS on port %u", port);
	get_ok(s);
}

static void
session_login(struct session *s, const char *user)
{
	session_open(s);
	ask(s, "USER", user);
	ask(s, "PASS", "secret");
}

static void
session_close(struct session *s)
{
	SSL_free(s->tls);
	close(s->fd);
}

/* RETR of all, so many at a time. */
static unsigned long long
retrieve(struct session *s, unsigned n, unsigned ahead)
{
	char			 lines[65536];
	unsigned long long	 sum = 0;
	unsigned		 i, sent = 0;
	size_t			 len;

	s->doing = "RETR";
	for (i = 1; i <= n; i++) {
		if (sent < i) {
			for (len = 0; sent < n && sent < i - 1 + ahead; )
				len += (size_t)snprintf(lines + len,
				    sizeof(lines) - len, "RETR %u\r\n",
				    ++sent);
			put(s, lines, len);
		}
		sum += get_multi(s);
	}
	return sum;
}

static void
delete(struct session *s, unsigned n)
{
	char		text[20];
	unsigned	i;

	for (i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "%u", i);
		ask(s, "DELE", text);
	}
}

static int
one_session(char *argv[], bool deleting)
{
	static struct session	s;
	unsigned		n, many = number(argv[1], 3000);
	unsigned long long	sum = 0;
	double			begin = seconds(), in, listed;

	session_login(&s, argv[0]);
	in = seconds() - begin;
	if (sscanf(ask(&s, "STAT", NULL).p, "+OK %u", &n) != 1)
		errx(EX_PROTOCOL, "no number of messages");
	s.doing = "UIDL";
	put(&s, "UIDL\r\n", 6);
	get_multi(&s);
	listed = seconds() - begin;
	if (deleting)
		delete(&s, many);
	else
		sum = retrieve(&s, n, many == 0 ? 1 : many);
	ask(&s, "QUIT", NULL);
	session_close(&s);
	printf("%u %llu %.6f %.6f %.6f %.6f\n", n, sum, in, listed,
	    seconds() - begin, cpu_seconds(RUSAGE_SELF));
	return EX_OK;
}

static void
user_name(char *dst, size_t size, unsigned n)
{
	snprintf(dst, size, "user%u", n + 1);
}

/* With users of its own: a server may allow one session of each at a time. */
static _Noreturn void
login_client(unsigned first, double until, unsigned users, int out)
{
	static struct session	s;
	char			user[20];
	unsigned		n = 0;

	while (seconds() < until) {
		user_name(user, sizeof(user), first + n++ % users);
		session_login(&s, user);
		ask(&s, "QUIT", NULL);
		session_close(&s);
	}
	if (write(out, &n, sizeof(n)) != sizeof(n))
		_exit(EX_OSERR);
	_exit(EX_OK);
}

static int
logins(char *argv[])
{
	double		until, begin = seconds();
	unsigned	clients = number(argv[1], 1000), i, n, sum = 0;
	unsigned	users = number(argv[2], 100000) / clients;
	int		pair[2];

	if (users == 0 || pipe(pair) == -1)
		err(EX_OSERR, "users or a pipe");
	until = begin + number(argv[0], 600);
	for (i = 0; i < clients; i++)
		if (fork() == 0)
			login_client(i * users, until, users, pair[1]);
	close(pair[1]);
	for (i = 0; read(pair[0], &n, sizeof(n)) == sizeof(n); i++)
		sum += n;
	if (i < clients)
		errx(EX_PROTOCOL, "%u clients failed", clients - i);
	begin = seconds() - begin;
	while (wait(NULL) != -1)
		continue;
	printf("%u %.6f %.6f\n", sum, begin, cpu_seconds(RUSAGE_CHILDREN));
	return EX_OK;
}

static int
idle(char *argv[])
{
	static struct session	s;
	char			user[20], c;
	unsigned		i, n = number(argv[0], 10000);
	unsigned		users = number(argv[1], 100000);

	for (i = 0; i < n && users > 0; i++) {
		user_name(user, sizeof(user), i % users);
		session_login(&s, user);	/* descriptors stay until the end */
		ask(&s, "STAT", NULL);
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
	return EX_OK;
}

int
main(int argc, char *argv[])
{
	if (argc < 6 || (strcmp(argv[1], "login") == 0) != (argc == 7))
		errx(EX_USAGE, "usage: pop3_load retr|delete|login|idle PORT "
		    "TLS ...");
	port = number(argv[2], 65535);
	if (strcmp(argv[3], "1") == 0 &&
	    (context = SSL_CTX_new(TLS_client_method())) == NULL)
		errx(EX_SOFTWARE, "no TLS");
	if (strcmp(argv[1], "login") == 0)
		return logins(argv + 4);
	if (strcmp(argv[1], "idle") == 0)
		return idle(argv + 4);
	return one_session(argv + 4, strcmp(argv[1], "delete") == 0);
}

/*
 * tests/tools/tls_front.c - a front for tests and measurements: speaks TLS with
 * the certificates of keys(8) and knows a few words.
 *
 *	tls_front SOCKET PORT WORKERS [CLIENT-CA [MINIMUM]]
 *
 * Listens on 127.0.0.1:PORT (TLS at once) until its standard input ends; each
 * of the processes that it forks serves one connection after the other.
 *	text		what is known: text|name|certificate or -
 *	send N		N bytes of 'x' and a line end
 *	take N		answers when it has read N bytes
 *	memory		bytes of the heap in use
 *	anything else	comes back
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/net/addr.h"
#include "common/net/tls.h"

#define WAIT	600000

static void
give(struct conn *c, unsigned long long n)
{
	static char	block[32768];
	size_t		piece;

	memset(block, 'x', sizeof(block));
	while (n > 0) {
		piece = n < sizeof(block) ? (size_t)n : sizeof(block);
		if (conn_put(c, (struct str){ block, piece }) == -1)
			return;
		n -= piece;
	}
	conn_put(c, STR("\r\n"));
}

static void
take(struct conn *c, unsigned long long n)
{
	struct str	s;

	while (n > 0) {
		if (conn_pending(c).n == 0 && conn_fill(c, WAIT) != 1)
			return;
		s = conn_pending(c);
		if (s.n > n)
			s.n = (size_t)n;
		conn_consume(c, s.n);
		n -= s.n;
	}
	conn_put(c, STR("taken\r\n"));
}

static void
tell(struct conn *c)
{
	char		text[TLS_TEXT_MAX];
	struct buf	der;

	buf_init(&der, 1 << 16);
	conn_putf(c, "%s|%s|%s\r\n", tls_text(c, text, sizeof(text)),
	    tls_server_name(c), tls_peer_certificate(c, &der) == 1 ?
	    "certificate" : "-");
	buf_free(&der);
}

static void
obey(struct conn *c, struct str line)
{
	unsigned long long	n = 0;
	struct str		number = { line.p + 5, line.n - 5 };

	if (line.n > 5 && str_number(number, UINT32_MAX, &n) == 0 &&
	    strncmp(line.p, "send ", 5) == 0)
		give(c, n);
	else if (n > 0 && strncmp(line.p, "take ", 5) == 0)
		take(c, n);
	else if (str_eq(line, STR("text")))
		tell(c);
	else if (str_eq(line, STR("memory")))
		conn_putf(c, "%zu\r\n", mallinfo2().uordblks);
	else {
		conn_put(c, line);
		conn_put(c, STR("\r\n"));
	}
}

static void
serve(struct tls_server *t, int fd)
{
	struct conn	c;
	struct diag	why = { "" };
	struct str	line;
	int		on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fdio_nonblock(fd, 1) == -1)
		err(1, "socket");
	conn_init(&c, fd);
	if (tls_server_start(t, &c, WAIT, &why) == -1)
		warnx("%s", why.text);
	else {
		while (conn_line(&c, 1024, WAIT, &line) == LINE_OK) {
			obey(&c, line);
			if (!conn_has_line(&c) && conn_flush(&c, WAIT) == 0)
				conn_idle_trim(&c);
		}
	}
	conn_close(&c);
}

static _Noreturn void
work(struct tls_server *t, int listener)
{
	int	fd;

	for (;;)
		if ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
			serve(t, fd);
}

int
main(int argc, char *argv[])
{
	struct tls_options	 o = { .client_ca = -1 };
	struct tls_server	*t;
	struct addr		 a;
	struct diag		 why = { "" };
	char			 place[32];
	int			 i, n, listener;

	if (argc < 4)
		errx(64, "usage: tls_front socket port workers [ca [minimum]]");
	(void)signal(SIGPIPE, SIG_IGN);
	o.ask_client = argc > 4 && *argv[4] != '\0';
	if (o.ask_client && (o.client_ca = open(argv[4], O_RDONLY |
	    O_CLOEXEC)) == -1)
		err(66, "%s", argv[4]);
	o.minimum = argc > 5 ? argv[5] : NULL;
	snprintf(place, sizeof(place), "127.0.0.1:%s", argv[2]);
	if (addr_parse_listen(place, &a) == -1 ||
	    (listener = addr_listen(&a, 1024)) == -1 ||
	    fdio_nonblock(listener, 0) == -1)
		err(71, "%s", place);
	if (tls_server_new(&t, argv[1], &o, &why) == -1)
		errx(69, "%s", why.text);
	n = (int)strtonum(argv[3], 1, 10000, NULL);
	for (i = 0; i < n; i++)
		if (fork() == 0)
			work(t, listener);
	printf("ready\n");
	fflush(stdout);
	while (read(0, place, sizeof(place)) > 0)
		continue;
	(void)kill(0, SIGTERM);
	return 0;
}

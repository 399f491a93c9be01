/*
 * log/main.c - log(8): takes the lines of all programs and writes them. Run by
 * master as ph-log; distrusts what it reads: a line cannot break out of its
 * line, and the process number in it is the kernel's.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/child.h"
#include "common/proc/link.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"
#include "common/proc/sig.h"
#include "log/sink.h"

#define USER		"ph-log"
#define BATCH		32
#define GATHER_MS	2
#define PACKET_MAX	(LOG_LINE_MAX + 128)
#define PROGRAM_MAX	32
#define ORPHAN_MS	15000	/* for the last words after the master's death */

struct packet {
	struct iovec	iov;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	char		bytes[PACKET_MAX];
};

struct logger {
	struct settings		*settings;
	struct sink		*sink;
	int			 in, sig;
	bool			 link_open, stop;
	int64_t			 stop_due;
	struct buf		 event;
	struct packet		 packets[BATCH];
	struct mmsghdr		 heads[BATCH];
	unsigned long long	 lines, malformed;
};

static pid_t
sender(struct msghdr *mh)
{
	struct cmsghdr	*c;
	struct ucred	 cred;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_CREDENTIALS &&
		    c->cmsg_len == CMSG_LEN(sizeof(cred))) {
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			return cred.pid;
		}
	return 0;
}

static bool
name_ok(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '-' ||
		    (s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n > 0;
}

/* "<level digit><program>\0<line>" */
static bool
take(struct logger *l, struct str packet, pid_t pid)
{
	const char	*nul = memchr(packet.p, '\0', packet.n);
	char		 program[PROGRAM_MAX];
	struct str	 name;

	if (nul == NULL || nul == packet.p || packet.p[0] < '0' ||
	    packet.p[0] > '0' + (int)LOG_LEVEL_DEBUG)
		return false;
	name = (struct str){ packet.p + 1, (size_t)(nul - packet.p) - 1 };
	if (!name_ok(name) || str_copy(program, sizeof(program), name) == -1)
		return false;
	sink_put(l->sink, program, pid,
	    (enum log_level)(packet.p[0] - '0'), (struct str){ nul + 1,
	    (size_t)(packet.p + packet.n - nul) - 1 });
	return true;
}

static void
prepare(struct logger *l)
{
	size_t	i;

	for (i = 0; i < BATCH; i++) {
		struct packet	*p = &l->packets[i];

		p->iov = (struct iovec){ p->bytes, sizeof(p->bytes) };
		l->heads[i].msg_hdr = (struct msghdr){
			.msg_iov = &p->iov, .msg_iovlen = 1,
			.msg_control = p->control,
			.msg_controllen = sizeof(p->control)
		};
	}
}

/* False: all who could write have gone. */
static bool
read_some(struct logger *l)
{
	int	i, n;

	prepare(l);
	n = recvmmsg(l->in, l->heads, BATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
	    NULL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	for (i = 0; i < n; i++) {
		struct str	s = { l->packets[i].bytes, l->heads[i].msg_len };

		if (s.n == 0)
			return false;
		if (take(l, s, sender(&l->heads[i].msg_hdr)))
			l->lines++;
		else
			l->malformed++;
	}
	return n > 0;
}

static void
reload(void *arg, struct link_event *ev)
{
	struct logger	*l = arg;
	struct settings	*fresh;
	struct diag	 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1) {
		sink_put(l->sink, "log", getpid(), LOG_LEVEL_ERROR,
		    str_from(why.text));
		return;
	}
	/* Another place may need rights that this process gave away. */
	if (strcmp(fresh->log, l->settings->log) != 0) {
		sink_put(l->sink, "log", getpid(), LOG_LEVEL_INFO,
		    STR("reload why=\"the log is elsewhere now, starting anew\""));
		l->stop = true;
	} else
		sink_reopen(l->sink);
	settings_free(&l->settings);
	l->settings = fresh;
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct logger	*l = arg;

	snprintf(dst, size, "lines=%llu malformed=%llu", l->lines,
	    l->malformed);
}

static void
stop(void *arg, bool orphan)
{
	struct logger	*l = arg;

	if (!orphan) {
		l->stop = true;
		return;
	}
	l->link_open = false;
	l->stop_due = now_ms() + ORPHAN_MS;
}

static void
link_readable(struct logger *l)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };

	link_serve(FD_LINK, &l->event, &ops, l);
}

/* What was sent before the end is written before the end. */
static void
drain(struct logger *l)
{
	unsigned long long	before;

	do
		before = l->lines + l->malformed;
	while (read_some(l) && l->lines + l->malformed != before);
}

static void
run(struct logger *l)
{
	struct pollfd		p[3];
	int64_t			left = -1;
	unsigned long long	before;

	while (!l->stop) {
		before = l->lines + l->malformed;
		p[0] = (struct pollfd){ l->in, POLLIN, 0 };
		p[1] = (struct pollfd){ l->sig, POLLIN, 0 };
		p[2] = (struct pollfd){ l->link_open ? FD_LINK : -1, POLLIN, 0 };
		if (l->stop_due != 0 && (left = l->stop_due - now_ms()) <= 0)
			break;
		if (poll(p, 3, (int)left) == -1)
			continue;
		sink_check(l->sink);
		if (p[0].revents != 0 && !read_some(l))
			break;
		sink_flush(l->sink);
		/* To be woken for each line would take the processor from those who write them. */
		if (p[0].revents != 0 && l->lines + l->malformed < before + BATCH)
			poll(NULL, 0, GATHER_MS);
		if (p[2].revents != 0)
			link_readable(l);
		/* TERM is for the others; the log goes when the master says so. */
		if (p[1].revents != 0 && sig_take() & SIG_EV_HUP)
			sink_reopen(l->sink);
	}
	drain(l);
	sink_flush(l->sink);
}

static int
setup(struct logger *l, struct diag *why)
{
	const struct sandbox_path paths[] = {
		{ ".", SANDBOX_READ | SANDBOX_WRITE }
	};
	struct child_fd		fds[CHILD_FDS];
	int			n, on = 1;

	if ((n = child_fds(fds)) == -1 ||
	    (l->in = child_fd_find(fds, (size_t)n, "log", 0)) == -1)
		return diag_set(why, "no descriptor log from the master");
	/* Who holds a writing end keeps us waiting for the last of them. */
	if (close(FD_LOG) == -1 || fdio_nonblock(FD_LINK, 1) == -1 ||
	    setsockopt(l->in, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1 ||
	    (l->sig = sig_init(SIG_EV_TERM | SIG_EV_HUP)) == -1)
		return diag_errno(why, "descriptors");
	if (sink_new(&l->sink, l->settings->log, USER, why) == -1 ||
	    priv_enter(USER, sink_dir(l->sink), why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	umask(027);
	if (sandbox_enter(SANDBOX_LOG, paths, sink_dir(l->sink) != NULL,
	    why) == -1)
		return -1;
	return sink_start(l->sink, why);
}

int
main(int argc, char *argv[])
{
	struct logger	*l;
	struct diag	 why;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "log is started by posthouse(8)\n");
		return EX_USAGE;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL)
		err(EX_OSERR, "log");
	l->link_open = true;
	buf_init(&l->event, MSG_MAX);
	if (settings_load_fd(FD_CONF, &l->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	if (setup(l, &why) == -1)
		errx(EX_OSERR, "log: %s", why.text);
	if (link_ready(FD_LINK) == -1)
		err(EX_TEMPFAIL, "log: link");
	run(l);
	sink_free(&l->sink);
	settings_free(&l->settings);
	buf_free(&l->event);
	free(l);
	return EX_OK;
}

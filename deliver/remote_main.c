/*
 * deliver/remote_main.c - remote(8): the parent, as ph-remote with an empty
 * root directory. It takes connections from queue, forks a worker for each,
 * and reads nothing from any of them.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/net/server.h"
#include "common/proc/child.h"
#include "common/proc/link.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/sig.h"
#include "deliver/remote_unix.h"
#include "deliver/remote_worker.h"
#include "deliver/remote_workers.h"

#define USER		"ph-remote"
#define STOP_MS		8000
#define DRAIN_MS	30000	/* after a fault */
#define LATE_MS		5000	/* after remote.end-timeout, without queue */

enum { AT_LINK, AT_SIGNALS, AT_LISTEN, AT_WORKERS };

struct parent {
	struct settings	*settings;
	struct remote	 r;
	struct sandbox_filter *sandbox;
	int		 listen, sig, link;
	pid_t		 helper;
	struct workers	 workers;
	struct pollfd	 fds[AT_WORKERS + WORKERS_MAX];
	bool		 stopping;
	int64_t		 stop_due, accept_due;
	int		 status;
	struct buf	 rec;
	unsigned long long sessions, faults;
};

static _Noreturn void
worker(struct parent *p, int queue)
{
	struct diag	why = { "" };
	int		status = EX_OSERR;

	fdio_close(&p->listen);
	fdio_close(&p->link);
	workers_leave(&p->workers);
	p->r.queue = queue;
	p->r.set = p->settings;
	if (sig_after_fork(SIG_EV_TERM) == -1 ||
	    sandbox_enter_with(p->sandbox, NULL, 0, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		status = remote_serve(&p->r);
	_exit(status);
}

static void
accept_one(struct parent *p)
{
	int	fd = msg_accept(p->listen, 0, &p->accept_due);
	pid_t	pid;

	if (fd == -1)
		return;
	if ((pid = fork()) == 0)
		worker(p, fd);
	if (pid == -1) {
		log_error("fork why=\"%s\"", strerror(errno));
		fdio_close(&fd);
		return;
	}
	workers_add(&p->workers, pid, fd);
	p->sessions++;
}

/* Its workers end when queue has closed its side, or when it is due. */
static void
begin_stop(struct parent *p, int64_t patience, int status)
{
	int64_t	due = now_ms() + patience;

	/* told to stop while it drains: sooner */
	if (!p->stopping || due < p->stop_due)
		p->stop_due = due;
	if (p->stopping)
		return;
	p->stopping = true;
	p->status = status;
	fdio_close(&p->listen);
}

/* Forks of one image are no oracle for guessing its addresses: a fault ends them all. */
static void
died(struct parent *p, pid_t pid, int status)
{
	if (pid != p->helper && !WIFSIGNALED(status))
		return;
	log_error("worker-died pid=%d %s=%d", (int)pid,
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (pid != p->helper && !sig_is_fault(WTERMSIG(status)))
		return;
	p->faults++;
	begin_stop(p, DRAIN_MS, EX_SOFTWARE);
}

static void
reap(struct parent *p)
{
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		workers_forget(&p->workers, pid);
		if (!p->stopping)
			died(p, pid, status);
	}
}

/* The passwords and certificates of the settings, from the descriptors that the master gave; all of it or nothing. */
static int
take_files(struct remote *r, const struct settings *s,
    const struct child_fd *fds, size_t n, struct diag *why)
{
	struct passwords	*passwords;
	struct tls_client	*tls;

	if (passwords_load(&passwords,
	    child_fd_find(fds, n, "remote.passwords", 0), s->remote.passwords,
	    why) == -1)
		return -1;
	if (tls_client_new(&tls, child_fd_find(fds, n, "remote.tls-ca", 0),
	    s->remote.tls_ca, why) == -1) {
		passwords_free(&passwords);
		return -1;
	}
	passwords_free(&r->passwords);
	tls_client_free(&r->tls);
	r->passwords = passwords;
	r->tls = tls;
	return 0;
}

/* Workers that are there keep what they were started with. */
static void
reload(void *arg, struct link_event *ev)
{
	struct parent	*p = arg;
	struct settings	*fresh = NULL;
	struct diag	 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1 ||
	    take_files(&p->r, fresh, ev->fds, ev->nfds, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return;
	}
	settings_free(&p->settings);
	p->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct parent	*p = arg;

	snprintf(dst, size, "workers=%zu sessions=%llu faults=%llu",
	    p->workers.n, p->sessions, p->faults);
}

static void
stop(void *arg, bool orphan)
{
	struct parent	*p = arg;

	if (orphan)
		fdio_close(&p->link);
	begin_stop(p, STOP_MS, orphan ? EX_TEMPFAIL : EX_OK);
}

/* What to wait for. The number of descriptors. */
static nfds_t
gather(struct parent *p, int64_t now)
{
	const struct workers	*ws = &p->workers;
	bool			 full;

	/* What is not accepted now waits in the queue of the socket. */
	full = ws->n >= ws->room || now < p->accept_due ||
	    ws->n >= (size_t)p->settings->remote.workers;
	p->fds[AT_LINK] = (struct pollfd){ p->link, POLLIN, 0 };
	p->fds[AT_SIGNALS] = (struct pollfd){ p->sig, POLLIN, 0 };
	p->fds[AT_LISTEN] = (struct pollfd){ full ? -1 : p->listen, POLLIN, 0 };
	workers_gather(ws, p->fds + AT_WORKERS);
	return AT_WORKERS + ws->n;
}

/* Milliseconds until something is due; -1: nothing is. */
static int
patience(const struct parent *p, int64_t now)
{
	int64_t	due = workers_due(&p->workers);

	if (p->stopping && (due == -1 || p->stop_due < due))
		due = p->stop_due;
	if (p->accept_due > now && (due == -1 || p->accept_due < due))
		due = p->accept_due;
	if (due == -1)
		return -1;
	return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

static void
dispatch(struct parent *p)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };

	/* first: what follows changes their order */
	workers_look(&p->workers, p->fds + AT_WORKERS, now_ms(),
	    p->settings->remote.end_timeout + LATE_MS);
	if (p->fds[AT_LISTEN].revents != 0)
		accept_one(p);
	if (p->fds[AT_SIGNALS].revents != 0) {
		if (sig_take() & SIG_EV_TERM)
			begin_stop(p, STOP_MS, EX_OK);
		reap(p);
	}
	if (p->fds[AT_LINK].revents != 0)
		link_serve(p->link, &p->rec, &ops, p);
}

static void
loop(struct parent *p)
{
	int64_t	now;

	for (;;) {
		now = now_ms();
		if (p->stopping && (p->workers.n == 0 || now >= p->stop_due))
			break;
		if (poll(p->fds, gather(p, now), patience(p, now)) != -1)
			dispatch(p);
		else if (errno != EINTR && errno != EAGAIN) {
			log_error("poll why=\"%s\"", strerror(errno));
			p->status = EX_OSERR;
			break;
		}
	}
	workers_signal(&p->workers, SIGTERM);
}

/* From here on there are no files. */
static int
enter(struct parent *p, struct diag *why)
{
	char	dir[4096];	/* made by the master, and kept empty */

	if ((size_t)snprintf(dir, sizeof(dir), "%s/empty",
	    p->settings->run) >= sizeof(dir))
		return diag_set(why, "run: name is too long");
	tzset();
	server_raise_limits();
	workers_init(&p->workers);
	if (unix_helper(p->settings, USER, &p->r.dialer, &p->helper,
	    why) == -1 ||
	    sandbox_compile(SANDBOX_REMOTE, &p->sandbox, why) == -1 ||
	    priv_enter(USER, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if ((p->sig = sig_init(SIG_EV_TERM | SIG_EV_CHLD)) == -1 ||
	    fdio_nonblock(p->link, 1) == -1)
		return diag_errno(why, "setup");
	return sandbox_enter(SANDBOX_SENDER, NULL, 0, why);
}

/* What the master gave. */
static int
take_plan(struct parent *p, struct diag *why)
{
	struct child_fd	fds[CHILD_FDS];
	size_t		i;
	int		n, r;

	if ((n = child_fds(fds)) == -1 || (p->listen = child_fd_find(fds,
	    (size_t)n, "remote@queue", 0)) == -1)
		return diag_set(why, "no socket remote@queue from the master");
	r = take_files(&p->r, p->settings, fds, (size_t)n, why);
	for (i = 0; i < (size_t)n; i++)
		if (fds[i].fd != p->listen)
			fdio_close(&fds[i].fd);
	return r;
}

int
main(int argc, char *argv[])
{
	static struct parent	p = { .link = FD_LINK, .helper = -1 };
	struct diag		why = { "" };

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "remote is started by posthouse(8)\n");
		return EX_USAGE;
	}
	if (settings_load_fd(FD_CONF, &p.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_open(FD_LOG, "remote");
	log_set_level(settings_log_level(p.settings));
	buf_init(&p.rec, MSG_MAX);
	if (take_plan(&p, &why) == -1 || enter(&p, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		return EX_OSERR;
	}
	if (link_ready(p.link) == -1)
		return EX_TEMPFAIL;
	loop(&p);
	passwords_free(&p.r.passwords);
	tls_client_free(&p.r.tls);
	settings_free(&p.settings);
	return p.status;
}

/*
 * master/loop.c - wait for something to happen and hand it to whom it
 * concerns. poll(2) over two dozen descriptors; nothing here blocks.
 */
#include "master/master.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/proc/ready.h"
#include "common/proc/sig.h"

#define BLIND_MS	100

enum { AT_SIGNALS, AT_CONTROL, AT_RELOAD, AT_CLIENTS,
    AT_LINKS = AT_CLIENTS + MASTER_CLIENTS, AT_COUNT = AT_LINKS + ID_COUNT };

static void
reap(struct master *m, int64_t now)
{
	pid_t	pid;
	int	status;
	size_t	i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < ID_COUNT; i++)
			if (m->programs[i].pid == pid)
				break;
		if (i < ID_COUNT) {
			/* Its last words first: auth may have asked for a session. */
			program_readable(m, &m->programs[i], now);
			program_died(m, &m->programs[i], status, now);
		} else if (!reload_reap(m, pid, status, now) &&
		    !tables_reap(m, pid, status))
			(void)session_reap(m, pid, status);
	}
	stop_check_groups(m);
}

static void
signals(struct master *m, int64_t now)
{
	unsigned	came = sig_take();

	if (came & SIG_EV_CHLD)
		reap(m, now);
	if (came & SIG_EV_TERM)
		stop_begin(m, 0, now);
	if (came & SIG_EV_HUP)
		reload_begin(m, -1, now);
}

/* poll passes over descriptors that are -1. */
static void
gather(const struct master *m, struct pollfd *fds, int64_t now)
{
	size_t	i;

	fds[AT_SIGNALS].fd = m->signals;
	fds[AT_CONTROL].fd = now < m->accept_due ? -1 : m->control;
	fds[AT_RELOAD].fd = m->reload.said;
	for (i = 0; i < MASTER_CLIENTS; i++)
		fds[AT_CLIENTS + i].fd = m->clients[i].fd;
	for (i = 0; i < ID_COUNT; i++)
		fds[AT_LINKS + i].fd = m->programs[i].link;
	for (i = 0; i < AT_COUNT; i++) {
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
}

static void
dispatch(struct master *m, const struct pollfd *fds, int64_t now)
{
	size_t	i;

	for (i = 0; i < ID_COUNT; i++)
		if (fds[AT_LINKS + i].revents != 0)
			program_readable(m, &m->programs[i], now);
	if (fds[AT_SIGNALS].revents != 0)
		signals(m, now);
	if (fds[AT_RELOAD].revents != 0 && m->reload.said == fds[AT_RELOAD].fd)
		reload_said(m);
	for (i = 0; i < MASTER_CLIENTS; i++)
		if (fds[AT_CLIENTS + i].revents != 0 &&
		    m->clients[i].fd == fds[AT_CLIENTS + i].fd)
			control_readable(m, &m->clients[i], now);
	if (fds[AT_CONTROL].revents != 0)
		control_accept(m);
}

/* Once, when the last of them has become ready. */
static void
check_ready(struct master *m)
{
	char	text[64];
	size_t	i, n = 0;

	for (i = 0; i < ID_COUNT; i++) {
		if (!program_wanted(m, &m->programs[i]))
			continue;
		if (m->programs[i].state != STATE_RUNNING)
			return;
		n++;
	}
	m->ready = true;
	log_info("ready version=%s programs=%zu pid=%d", PH_VERSION, n,
	    (int)getpid());
	snprintf(text, sizeof(text), "READY=1\nSTATUS=running %zu programs", n);
	if (ready_notify(text) == -1)
		log_warn("notify why=\"%s\"", strerror(errno));
	daemon_tell(m, 0, "");
}

/*
 * systemd's watchdog is fed as long as every program that should serve gave
 * an answer lately; one in back-off counts as alive, for we care for it.
 */
static void
watchdog(struct master *m, int64_t now)
{
	int64_t	every = ready_watchdog_ms();
	size_t	i;

	if (every == 0 || now - m->pinged < every / 2)
		return;
	m->pinged = now;
	for (i = 0; i < ID_COUNT; i++) {
		struct program	*p = &m->programs[i];

		if (p->state == STATE_RUNNING && p->asked > p->answered &&
		    now - p->asked > every) {
			log_error("silent program=%s pid=%d", p->plan->name,
			    (int)p->pid);
			return;
		}
		program_ask(p, now);
	}
	if (ready_notify("WATCHDOG=1") == -1)
		log_warn("notify why=\"%s\"", strerror(errno));
}

static void
sooner(int64_t *at, int64_t t)
{
	if (*at == -1 || t < *at)
		*at = t;
}

/* Milliseconds until something is due; -1: nothing is. */
static int
next_due(const struct master *m, int64_t now)
{
	int64_t	at = -1, every = ready_watchdog_ms();
	size_t	i;

	for (i = 0; i < ID_COUNT; i++) {
		const struct program *p = &m->programs[i];

		if (p->state == STATE_BACKOFF || p->state == STATE_STOPPING)
			sooner(&at, p->due);
		else if (p->state == STATE_STARTING && !m->ready)
			sooner(&at, p->started + MASTER_READY_MS);
	}
	for (i = 0; i < MASTER_CLIENTS; i++)
		if (m->clients[i].fd != -1 && m->clients[i].wants_status)
			sooner(&at, m->clients[i].since + MASTER_ASK_MS);
	if (m->stopping)
		sooner(&at, m->stop_due);
	else
		sooner(&at, m->watch.due);
	if (m->reload.step == RELOAD_KEYS || m->reload.step == RELOAD_TOLD)
		sooner(&at, m->reload.due);
	if (m->accept_due > now)
		sooner(&at, m->accept_due);
	for (i = 0; i < m->nheld; i++)
		sooner(&at, m->held[i].due);
	if (every != 0)
		sooner(&at, m->pinged + every / 2);
	if (at == -1)
		return -1;
	return at <= now ? 0 : at - now > 60000 ? 60000 : (int)(at - now);
}

static void
start_all(struct master *m, int64_t now)
{
	size_t	i;

	for (i = 0; i < ID_COUNT; i++)
		if (program_wanted(m, &m->programs[i]))
			program_start(m, &m->programs[i], now);
}

/* Without poll(2) we end: whose end it may be is looked at ten times a second. */
static void
blind(struct master *m, struct pollfd *fds, int64_t now)
{
	size_t	i;

	if (!m->stopping)
		log_error("poll why=\"%s\"", strerror(errno));
	stop_begin(m, EX_OSERR, now);
	for (i = 0; i < AT_COUNT; i++)
		fds[i].revents = 0;
	fds[AT_SIGNALS].revents = POLLIN;
	for (i = 0; i < ID_COUNT; i++)
		if (fds[AT_LINKS + i].fd != -1)
			fds[AT_LINKS + i].revents = POLLIN;
	(void)poll(NULL, 0, BLIND_MS);
}

int
loop_run(struct master *m)
{
	struct pollfd	fds[AT_COUNT];
	int64_t		now = now_ms();
	size_t		i;

	/* Workers whose parent died are ours to reap; see stop.c. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) == -1)
		log_warn("subreaper why=\"%s\"", strerror(errno));
	m->started = m->pinged = now;
	watch_begin(&m->watch, m->settings, now);
	start_all(m, now);
	while (!stop_advance(m, now)) {
		gather(m, fds, now);
		if (poll(fds, AT_COUNT, next_due(m, now)) == -1 &&
		    errno != EINTR && errno != EAGAIN)
			blind(m, fds, now);
		now = now_ms();
		dispatch(m, fds, now);
		for (i = 0; i < ID_COUNT; i++)
			program_time(m, &m->programs[i], now);
		session_time(m, now);
		control_time(m, now);
		reload_time(m, now);
		watch_time(m, now);
		watchdog(m, now);
		if (!m->ready && !m->stopping)
			check_ready(m);
	}
	return m->status;
}

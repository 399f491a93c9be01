/*
 * master/program.c - one program's life: start, readiness, death, restart
 * with back-off, stop. What comes over its link is a handful of words; a
 * malformed packet costs the program its life, not ours.
 */
#include "master/master.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"

#define BACKOFF_MAX	60	/* seconds */

const char *
program_state_name(enum program_state s)
{
	static const char *const names[] = {
		[STATE_OFF] = "off",
		[STATE_STARTING] = "starting",
		[STATE_RUNNING] = "running",
		[STATE_BACKOFF] = "backoff",
		[STATE_STOPPING] = "stopping"
	};

	return names[s];
}

const char *
exit_text(int status, char *dst, size_t n)
{
	const char	*what = "";

	if (WIFSIGNALED(status)) {
		snprintf(dst, n, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
		return dst;
	}
	switch (WEXITSTATUS(status)) {
	case 0:
		what = " (without being asked)";
		break;
	case EX_USAGE:
		what = " (wrong call)";
		break;
	case EX_UNAVAILABLE:
		what = " (a part is unavailable)";
		break;
	case EX_SOFTWARE:
		what = " (a fault in it or in one of its workers)";
		break;
	case EX_OSERR:
		what = " (system error)";
		break;
	case EX_NOPERM:
		what = " (no permission)";
		break;
	case EX_TEMPFAIL:
		what = " (temporary failure)";
		break;
	case EX_CONFIG:
		what = " (configuration error)";
		break;
	}
	snprintf(dst, n, "exit status %d%s", WEXITSTATUS(status), what);
	return dst;
}

bool
program_wanted(const struct master *m, const struct program *p)
{
	return plan_wanted(m->settings, (enum program_id)(p - m->programs));
}

static size_t
plan_fds(const struct master *m, const struct program *p, struct child_fd *fds)
{
	size_t	i, n = 0;

	for (i = 0; i < p->nlisteners; i++) {
		strlcpy(fds[n].name, p->listeners[i].name, sizeof(fds[n].name));
		fds[n++].fd = p->listeners[i].fd;
	}
	if (p == &m->programs[ID_LOG]) {
		strlcpy(fds[n].name, "log", sizeof(fds[n].name));
		fds[n++].fd = m->log[0];
	}
	return n;
}

static pid_t
spawn(const struct master *m, const struct program *p, int conf, int link)
{
	char		 path[1024], name[32];
	char		*argv[] = { name, NULL };
	struct child_fd	 fds[CHILD_FDS], files[MASTER_FILES];
	struct child_plan plan = {
		.path = path, .argv = argv, .conf = conf, .log = m->log[1],
		.link = link, .err = m->foreground ? STDERR_FILENO : -1,
		.fds = fds
	};
	size_t		 i, nfiles;
	pid_t		 pid;

	plan.nfds = plan_fds(m, p, fds);
	strlcpy(name, p->plan->name, sizeof(name));
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", m->settings->libexec,
	    p->plan->binary) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	nfiles = files_open(m->settings, (enum program_id)(p - m->programs),
	    files);
	for (i = 0; i < nfiles; i++)
		fds[plan.nfds++] = files[i];
	pid = child_spawn(&plan);
	files_close(files, nfiles);
	return pid;
}

/* It will be tried again; `why` has been logged. */
static void
back_off(struct master *m, struct program *p, int64_t now)
{
	p->deaths++;
	p->restarts++;
	if (!m->ready && p->deaths >= MASTER_TRIES) {
		log_error("start-failed program=%s tries=%u", p->plan->name,
		    p->deaths);
		daemon_tell(m, EX_UNAVAILABLE, p->plan->name);
		stop_begin(m, EX_UNAVAILABLE, now);
		return;
	}
	if (p->deaths == 1)
		p->delay = 0;
	else if (p->delay == 0)
		p->delay = 1;
	else if (p->delay < BACKOFF_MAX)
		p->delay = p->delay * 2 < BACKOFF_MAX ? p->delay * 2 :
		    BACKOFF_MAX;
	p->state = STATE_BACKOFF;
	p->due = now + (int64_t)p->delay * 1000;
	log_info("restart program=%s in=%us deaths=%u", p->plan->name, p->delay,
	    p->deaths);
}

/* Nothing useful can come from it any more; its death is handled like any other. */
static void
give_up(struct program *p, const char *why)
{
	log_error("link program=%s pid=%d why=\"%s\"", p->plan->name,
	    (int)p->pid, why);
	fdio_close(&p->link);
	if (p->pid > 0)
		kill(-p->pid, SIGKILL);
}

void
program_start(struct master *m, struct program *p, int64_t now)
{
	int	conf, pair[2] = { -1, -1 };

	p->counters[0] = '\0';
	p->asked = p->answered = 0;
	p->owed = 0;
	conf = settings_export(m->settings, p->plan->part);
	if (conf == -1 || msg_pair(pair) == -1 ||
	    fdio_nonblock(pair[0], 1) == -1 ||
	    (p->pid = spawn(m, p, conf, pair[1])) == -1) {
		log_error("start program=%s why=\"%s\"", p->plan->name,
		    strerror(errno));
		fdio_close(&pair[0]);
		p->pid = 0;
		back_off(m, p, now);
	} else {
		p->state = STATE_STARTING;
		p->started = now;
		log_debug("start program=%s pid=%d", p->plan->name,
		    (int)p->pid);
	}
	p->link = pair[0];
	fdio_close(&pair[1]);
	fdio_close(&conf);
	/* its files are too many for a start */
	if (p == &m->programs[ID_KEYS] && p->state == STATE_STARTING &&
	    tell_settings(m, p) == -1)
		give_up(p, strerror(errno));
}

/* Could it be said? If not it is logged. */
static bool
send_verb(struct program *p, const char *verb)
{
	struct buf	rec;
	bool		sent;

	if (p->link == -1)
		return false;
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, verb);
	sent = buf_ok(&rec) && msg_send(p->link, &rec, NULL) == 0;
	if (!sent)
		log_warn("link program=%s verb=%s why=\"%s\"", p->plan->name,
		    verb, strerror(errno));
	buf_free(&rec);
	return sent;
}

void
program_ask_last(struct program *p)
{
	p->owed += send_verb(p, "status");
}

void
program_ask(struct program *p, int64_t now)
{
	if (p->state != STATE_RUNNING || p->asked > p->answered)
		return;
	p->asked = now;
	program_ask_last(p);
}

void
program_stop(struct master *m, struct program *p, int64_t now)
{
	if (p->pid == 0) {
		p->state = STATE_OFF;
		return;
	}
	if (p->state == STATE_STOPPING)
		return;
	log_debug("stop program=%s pid=%d", p->plan->name, (int)p->pid);
	p->state = STATE_STOPPING;
	p->due = now + m->settings->stop_timeout + MASTER_GRACE_MS;
	(void)send_verb(p, "stop");
}

/* They are shown on a terminal: nothing but printable ASCII. */
static void
keep_counters(struct program *p, struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	size_t		i, n = 0;

	while (record_next(&c, &f)) {
		if (f.tag != LINK_COUNTER)
			continue;
		if (n > 0 && n < sizeof(p->counters) - 1)
			p->counters[n++] = ' ';
		for (i = 0; i < f.value.n && n < sizeof(p->counters) - 1; i++)
			p->counters[n++] = f.value.p[i] > ' ' &&
			    f.value.p[i] <= '~' ? f.value.p[i] : '?';
	}
	p->counters[n] = '\0';
}

static void
handle(struct master *m, struct program *p, struct buf *rec,
    struct msg_fds *fds, int64_t now)
{
	struct str	verb;

	if (!record_ok(buf_view(rec)) ||
	    !record_get(buf_view(rec), LINK_VERB, &verb)) {
		give_up(p, "malformed packet");
		return;
	}
	if (str_eq(verb, STR("ready"))) {
		if (p->state == STATE_STARTING) {
			p->state = STATE_RUNNING;
			log_debug("ready program=%s pid=%d", p->plan->name,
			    (int)p->pid);
			/* what the last one knew besides its files is lost */
			if (p == &m->programs[ID_KEYS] && p->restarts > 0)
				reload_keys_loaded(m, now);
		}
	} else if (str_eq(verb, STR("status"))) {
		keep_counters(p, buf_view(rec));
		p->owed -= p->owed > 0;
		p->answered = now;
		if (p->answered <= p->asked)
			p->answered = p->asked;
	} else if (str_eq(verb, STR("session")) && p->plan->part == PROGRAM_AUTH)
		session_request(m, p, buf_view(rec),
		    fds->n == 1 ? fds->fd[0] : -1);
	else if (str_eq(verb, STR("loaded")) && p == &m->programs[ID_KEYS])
		reload_keys_loaded(m, now);
	/* "watch" says no more than that it came. */
}

void
program_readable(struct master *m, struct program *p, int64_t now)
{
	struct buf	rec;
	struct msg_fds	fds;
	int		r;

	buf_init(&rec, MSG_MAX);
	while (p->link != -1 && (r = msg_recv(p->link, &rec, &fds)) != 0) {
		if (r == -1) {
			if (errno == EAGAIN)
				break;
			give_up(p, strerror(errno));
			break;
		}
		handle(m, p, &rec, &fds, now);
		msg_close_fds(&fds);
	}
	if (p->link != -1 && r == 0) {
		fdio_close(&p->link);
		/* It is about to end; if it does not, it is helped to. */
		if (p->state != STATE_STOPPING) {
			p->state = STATE_STOPPING;
			p->due = now + m->settings->stop_timeout +
			    MASTER_GRACE_MS;
		}
	}
	buf_free(&rec);
}

void
program_died(struct master *m, struct program *p, int status, int64_t now)
{
	char	text[80];
	pid_t	pid = p->pid;

	fdio_close(&p->link);
	stop_keep_group(m, pid);
	p->pid = 0;
	if (m->stopping || !program_wanted(m, p)) {
		p->state = STATE_OFF;
		if (status != 0)
			log_warn("ended program=%s pid=%d why=\"%s\"",
			    p->plan->name, (int)pid,
			    exit_text(status, text, sizeof(text)));
		return;
	}
	log_error("died program=%s pid=%d why=\"%s\"", p->plan->name, (int)pid,
	    exit_text(status, text, sizeof(text)));
	if (now - p->started >= MASTER_STEADY_MS)
		p->deaths = p->delay = 0;
	back_off(m, p, now);
}

void
program_time(struct master *m, struct program *p, int64_t now)
{
	switch (p->state) {
	case STATE_BACKOFF:
		if (now >= p->due && !m->stopping)
			program_start(m, p, now);
		break;
	case STATE_STOPPING:
		if (now < p->due || p->pid == 0)
			break;
		log_warn("kill program=%s pid=%d why=\"did not stop in time\"",
		    p->plan->name, (int)p->pid);
		kill(-p->pid, SIGKILL);
		p->due = now + MASTER_GRACE_MS;
		break;
	case STATE_STARTING:
		if (m->ready || now - p->started < MASTER_READY_MS)
			break;
		log_error("start-failed program=%s why=\"not ready in time\"",
		    p->plan->name);
		daemon_tell(m, EX_UNAVAILABLE, p->plan->name);
		stop_begin(m, EX_UNAVAILABLE, now);
		break;
	case STATE_OFF:
	case STATE_RUNNING:
		break;
	}
}

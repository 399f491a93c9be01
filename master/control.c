/*
 * master/control.c - the master's end of run/control: status, reload, stop.
 * Only root (or whoever started us) can connect; a slow or silent client
 * costs a place among eight and nothing else.
 */
#include "master/master.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "master/control.h"

static void
client_close(struct master *m, struct client *c)
{
	if (m->reload.client == (int)(c - m->clients))
		m->reload.client = -1;
	fdio_close(&c->fd);
	c->wants_status = false;
}

void
control_accept(struct master *m)
{
	uid_t	uid;
	pid_t	pid;
	size_t	i;
	int	fd;

	fd = msg_accept(m->control, SOCK_NONBLOCK, &m->accept_due);
	if (fd == -1)
		return;
	if (msg_peer(fd, &uid, &pid) == -1 || (uid != 0 && uid != geteuid())) {
		close(fd);
		return;
	}
	for (i = 0; i < MASTER_CLIENTS; i++)
		if (m->clients[i].fd == -1) {
			m->clients[i].fd = fd;
			m->clients[i].wants_status = false;
			return;
		}
	close(fd);
}

void
control_answer(struct master *m, int client, bool ok, struct str text)
{
	struct client	*c;
	struct buf	 rec;

	if (client == -1 || m->clients[client].fd == -1)
		return;
	c = &m->clients[client];
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, CONTROL_VERB, ok ? "ok" : "bad");
	record_put(&rec, CONTROL_TEXT, text);
	if (!buf_ok(&rec) || msg_send(c->fd, &rec, NULL) == -1)
		client_close(m, c);
	buf_free(&rec);
}

static void
begin_status(struct master *m, struct client *c, int64_t now)
{
	size_t	i;

	c->wants_status = true;
	c->since = now;
	for (i = 0; i < ID_COUNT; i++)
		program_ask(&m->programs[i], now);
}

void
control_readable(struct master *m, struct client *c, int64_t now)
{
	struct buf	rec;
	struct str	verb;
	int		r, index = (int)(c - m->clients);

	buf_init(&rec, MSG_MAX);
	r = msg_recv(c->fd, &rec, NULL);
	if (r == -1 && errno == EAGAIN)
		;
	else if (r != 1 || !record_get(buf_view(&rec), CONTROL_VERB, &verb))
		client_close(m, c);
	else if (str_eq(verb, STR("status")))
		begin_status(m, c, now);
	else if (str_eq(verb, STR("reload")))
		reload_begin(m, index, now);
	else if (str_eq(verb, STR("stop"))) {
		control_answer(m, index, true, STR(""));
		stop_begin(m, 0, now);
	} else
		control_answer(m, index, false, STR("unknown request"));
	buf_free(&rec);
}

static const char *
age_text(int64_t ms, char *dst, size_t n)
{
	long long	s = ms / 1000;

	if (s < 60)
		snprintf(dst, n, "%llds", s);
	else if (s < 3600)
		snprintf(dst, n, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(dst, n, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(dst, n, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return dst;
}

static void
status_row(struct buf *out, const struct program *p, int64_t now)
{
	char	age[32] = "-", pid[16] = "-";

	if (p->pid != 0) {
		age_text(now - p->started, age, sizeof(age));
		snprintf(pid, sizeof(pid), "%d", (int)p->pid);
	} else if (p->state == STATE_BACKOFF)
		age_text(p->due - now, age, sizeof(age));
	buf_addf(out, "%-10s %8s  %-9s %8u  %7s  %s\n", p->plan->name, pid,
	    program_state_name(p->state), p->restarts, age, p->counters);
}

static void
answer_status(struct master *m, struct client *c, int64_t now)
{
	struct buf	out;
	char		age[32];
	size_t		i, running = 0, wanted = 0;

	for (i = 0; i < ID_COUNT; i++) {
		wanted += program_wanted(m, &m->programs[i]);
		running += m->programs[i].state == STATE_RUNNING;
	}
	buf_init(&out, MSG_MAX / 2);
	buf_addf(&out, "posthouse %s pid %d up %s, %zu of %zu programs "
	    "running, %zu mailbox sessions\n", PH_VERSION, (int)getpid(),
	    age_text(now - m->started, age, sizeof(age)), running, wanted,
	    m->nsessions);
	buf_addf(&out, "%-10s %8s  %-9s %8s  %7s  %s\n", "PROGRAM", "PID",
	    "STATE", "RESTARTS", "UPTIME", "COUNTERS");
	for (i = 0; i < ID_COUNT; i++)
		if (program_wanted(m, &m->programs[i]) ||
		    m->programs[i].pid != 0)
			status_row(&out, &m->programs[i], now);
	control_answer(m, (int)(c - m->clients), running == wanted,
	    buf_view(&out));
	buf_free(&out);
	c->wants_status = false;
}

void
control_time(struct master *m, int64_t now)
{
	bool	all = true;
	size_t	i;

	for (i = 0; i < ID_COUNT; i++) {
		const struct program *p = &m->programs[i];

		if (p->state == STATE_RUNNING && p->asked > p->answered)
			all = false;
	}
	for (i = 0; i < MASTER_CLIENTS; i++) {
		struct client *c = &m->clients[i];

		if (c->fd != -1 && c->wants_status &&
		    (all || now - c->since >= MASTER_ASK_MS))
			answer_status(m, c, now);
	}
}

/*
 * master/reload.c - a new configuration: read, proved, bound, compiled, and
 * only then taken over; until the last step the old one serves untouched.
 * The proving and compiling is done by route in a process of its own, while
 * the loop goes on.
 */
#include "master/master.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/ready.h"

#define TEXT_MAX	32768	/* of route's and keys' explanations */
#define KEYS_MS		10000	/* for keys to read what it was given */
#define TOLD_MS		10000	/* for the others to say that they have */

pid_t
reload_spawn_route(const struct settings *s, const char *flag, int log, int err)
{
	char		 path[1024], name[] = "route", option[8];
	char		*argv[] = { name, option, NULL };
	struct child_plan plan = {
		.path = path, .argv = argv, .log = log, .link = -1, .err = err
	};
	pid_t		 pid = -1;

	strlcpy(option, flag, sizeof(option));
	if ((size_t)snprintf(path, sizeof(path), "%s/route", s->libexec) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	plan.conf = settings_export(s, PROGRAM_ROUTE);
	if (plan.conf != -1)
		pid = child_spawn(&plan);
	fdio_close(&plan.conf);
	return pid;
}

int
reload_route(const struct settings *s, const char *flag, struct diag *why)
{
	int	status;
	pid_t	pid;

	if ((pid = reload_spawn_route(s, flag, -1, STDERR_FILENO)) == -1)
		return diag_errno(why, "%s/route", s->libexec);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return diag_errno(why, "wait for route");
	return status;
}

static void
drop_listeners(struct master *m)
{
	size_t	i;

	for (i = 0; i < ID_COUNT; i++) {
		struct program *p = &m->programs[i];

		if (p->plan->service != NULL)
			sockets_drop(m->reload.listeners[i],
			    m->reload.nlisteners[i], p->listeners,
			    p->nlisteners);
		m->reload.nlisteners[i] = 0;
	}
}

void
reload_log_reasons(const char *event, struct str text)
{
	char		 line[LOG_SAFE_MAX];
	const char	*end;
	size_t		 n;

	while (text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		n = end == NULL ? text.n : (size_t)(end - text.p);
		if (n > 0)
			log_error("%s why=%s", event, log_safe(line,
			    sizeof(line), (struct str){ text.p, n }));
		n += end != NULL;
		text.p += n;
		text.n -= n;
	}
}

static void
finish(struct master *m, bool ok)
{
	struct reload	*r = &m->reload;
	int		 client = r->client;
	bool		 again = r->again;

	if (!ok) {
		reload_log_reasons("reload-refused", buf_view(&r->text));
		drop_listeners(m);
	}
	control_answer(m, client, ok, buf_view(&r->text));
	if (ready_notify(ok ? "READY=1\nSTATUS=running" : "READY=1\n"
	    "STATUS=running with the old configuration; the new one has "
	    "mistakes") == -1)
		log_debug("notify failed");
	fdio_close(&r->said);
	buf_free(&r->text);
	settings_free(&r->settings);
	r->step = RELOAD_NONE;
	r->pid = 0;
	r->client = -1;
	r->again = false;
	if (again)
		reload_begin(m, -1, now_ms());
}

/* What programs hold open for life, or the tools would look elsewhere for. */
static int
same_places(const struct settings *a, const struct settings *b, struct buf *text)
{
	const char	*what = NULL;

	if (strcmp(a->spool, b->spool) != 0)
		what = "spool";
	else if (strcmp(a->run, b->run) != 0)
		what = "run";
	else if (strcmp(a->tables, b->tables) != 0)
		what = "tables";
	if (what == NULL)
		return 0;
	buf_addf(text, "%s cannot change while posthouse runs, expected the "
	    "old value or a restart\n", what);
	return -1;
}

/* The next question to route; its stderr comes through a pipe. */
static int
ask_route(struct master *m, enum reload_step step, const char *flag)
{
	struct reload	*r = &m->reload;
	int		 pair[2];

	fdio_close(&r->said);
	if (pipe2(pair, O_CLOEXEC) == -1)
		return -1;
	r->pid = reload_spawn_route(r->settings, flag, m->log[1], pair[1]);
	close(pair[1]);
	r->said = pair[0];
	r->step = step;
	if (r->pid == -1 || fdio_nonblock(r->said, 1) == -1) {
		buf_addf(&r->text, "%s/route: %s\n", r->settings->libexec,
		    strerror(errno));
		return -1;
	}
	return 0;
}

static int
read_new(struct master *m)
{
	struct reload	*r = &m->reload;
	struct diag	 why;
	bool		 made;

	if (setup_check_conf(m->conf, &why) == -1) {
		buf_addf(&r->text, "%s\n", why.text);
		return -1;
	}
	if (settings_check(m->conf, &r->text) > 0)
		return -1;
	if (settings_load(m->conf, &r->settings, &why) == -1) {
		buf_addf(&r->text, "%s\n", why.text);
		return -1;
	}
	if (files_check(r->settings, &why) == -1 ||
	    certificates_make(r->settings, &made, &why) == -1) {
		buf_addf(&r->text, "%s\n", why.text);
		return -1;
	}
	if (made)
		certificates_say_made(r->settings);
	return same_places(m->settings, r->settings, &r->text);
}

void
reload_begin(struct master *m, int client, int64_t now)
{
	struct reload	*r = &m->reload;
	char		 text[80];

	if (m->stopping || !m->ready || r->step != RELOAD_NONE) {
		r->again = r->again || (client == -1 && r->step != RELOAD_NONE);
		control_answer(m, client, false, m->stopping ?
		    STR("stopping\n") : STR("busy starting or reloading; "
		    "try again\n"));
		return;
	}
	log_info("reload file=%s", m->conf);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now * 1000);
	if (ready_notify(text) == -1)
		log_debug("notify failed");
	buf_init(&r->text, TEXT_MAX);
	r->client = client;
	if (read_new(m) == -1 || ask_route(m, RELOAD_PROVE, "-t") == -1)
		finish(m, false);
}

void
reload_said(struct master *m)
{
	struct reload	*r = &m->reload;
	char		 piece[1024];
	ssize_t		 n;

	while ((n = read(r->said, piece, sizeof(piece))) > 0)
		buf_add(&r->text, piece, (size_t)n);
	if (n == 0)
		fdio_close(&r->said);
}

static int
bind_new(struct master *m)
{
	struct reload	*r = &m->reload;
	struct diag	 why;
	size_t		 i;

	for (i = 0; i < ID_COUNT; i++) {
		const struct program *p = &m->programs[i];

		if (p->plan->service == NULL)
			continue;
		if (sockets_listen(r->settings, (enum program_id)i,
		    p->listeners, p->nlisteners, r->listeners[i],
		    &r->nlisteners[i], &why) == -1) {
			buf_addf(&r->text, "%s\n", why.text);
			return -1;
		}
	}
	return 0;
}

/* Everybody but keys, which has what it was given or does not answer. */
static void
switch_others(struct master *m, int64_t now)
{
	struct program	*p;

	for (p = m->programs; p < m->programs + ID_COUNT; p++) {
		if (p == &m->programs[ID_KEYS])
			continue;
		tell_switch(m, p, now);
		if (p->state == STATE_RUNNING)
			program_ask_last(p);
	}
	log_info("reloaded file=%s", m->conf);
	m->reload.step = RELOAD_TOLD;
	m->reload.due = now + TOLD_MS;
}

/* Whoever asked for it is answered when nobody serves by the old one any more. */
static void
await_told(struct master *m, int64_t now)
{
	struct program	*p;
	bool		 late = now >= m->reload.due;

	for (p = m->programs; p < m->programs + ID_COUNT; p++) {
		if (p->state != STATE_RUNNING || p->link == -1 || p->owed == 0)
			continue;
		if (!late)
			return;
		log_error("reload program=%s pid=%d why=\"it has been told, "
		    "but does not answer\"", p->plan->name, (int)p->pid);
		buf_addf(&m->reload.text, "%s has been told, but does not "
		    "answer yet\n", p->plan->name);
	}
	finish(m, true);
}

void
reload_keys_loaded(struct master *m, int64_t now)
{
	if (m->reload.step == RELOAD_KEYS)
		switch_others(m, now);
	else
		(void)tell_listeners(m);
}

void
reload_time(struct master *m, int64_t now)
{
	if (m->reload.step == RELOAD_TOLD)
		await_told(m, now);
	if (m->reload.step != RELOAD_KEYS || now < m->reload.due)
		return;
	log_error("reload why=\"keys does not answer\"");
	switch_others(m, now);
}

static void
take_over(struct master *m, int64_t now)
{
	struct reload	*r = &m->reload;
	struct settings	*old = m->settings;
	struct program	*keys = &m->programs[ID_KEYS];
	size_t		 i;

	m->settings = r->settings;
	r->settings = NULL;
	settings_free(&old);
	log_set_level(settings_log_level(m->settings));
	for (i = 0; i < ID_COUNT; i++) {
		struct program *p = &m->programs[i];

		if (p->plan->service == NULL)
			continue;
		sockets_drop(p->listeners, p->nlisteners, r->listeners[i],
		    r->nlisteners[i]);
		memcpy(p->listeners, r->listeners[i], sizeof(p->listeners));
		p->nlisteners = r->nlisteners[i];
		r->nlisteners[i] = 0;
	}
	watch_begin(&m->watch, m->settings, now);
	/* It comes first: the listeners ask it for its certificates. */
	tell_switch(m, keys, now);
	r->step = RELOAD_KEYS;
	r->pid = 0;
	r->due = now + KEYS_MS;
	if (keys->state != STATE_RUNNING)
		switch_others(m, now);
}

/* keys check, if there is something to check. 1: it runs, 0: there is nothing. */
static int
ask_keys(struct master *m)
{
	struct reload	*r = &m->reload;
	struct diag	 why;
	int		 pair[2];

	if (r->settings->tls.certificates.n == 0)
		return 0;
	fdio_close(&r->said);
	if (pipe2(pair, O_CLOEXEC) == -1)
		return -1;
	r->pid = certificates_check(r->settings, m->log[1], pair[1], &why);
	close(pair[1]);
	r->said = pair[0];
	r->step = RELOAD_CHECK;
	if (r->pid == -1)
		buf_addf(&r->text, "%s\n", why.text);
	return r->pid == -1 || fdio_nonblock(r->said, 1) == -1 ? -1 : 1;
}

/* The new configuration is right. */
static void
compile(struct master *m)
{
	if (bind_new(m) == -1 || ask_route(m, RELOAD_COMPILE, "-c") == -1)
		finish(m, false);
}

bool
reload_reap(struct master *m, pid_t pid, int status, int64_t now)
{
	struct reload	*r = &m->reload;
	char		 text[80];
	int		 found;

	if (r->step == RELOAD_NONE || pid != r->pid)
		return false;
	if (r->said != -1)
		reload_said(m);
	if (status != 0) {
		if (r->text.n == 0)
			buf_addf(&r->text, "%s: %s\n", r->step ==
			    RELOAD_CHECK ? "keys" : "route",
			    exit_text(status, text, sizeof(text)));
		finish(m, false);
	} else if (m->stopping) {
		finish(m, false);
	} else if (r->step == RELOAD_PROVE && (found = ask_keys(m)) != 0) {
		if (found == -1)
			finish(m, false);
	} else if (r->step == RELOAD_COMPILE)
		take_over(m, now);
	else
		compile(m);
	return true;
}

/*
 * route/server.c - the daemon: answers smtpd and queue. Runs as ph-route in a
 * sandbox that can read the tables and nothing else. smtpd talked to the
 * network, so its packets are taken for hostile.
 */
#include "route/server.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/peers.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/service.h"
#include "route/answer.h"
#include "route/compile.h"
#include "route/own.h"
#include "route/tables.h"

#define USER		"ph-route"
#define REFRESH_MS	250	/* how soon a new table is noticed */
#define CLIENTS_MAX	16384
#define FDS_RESERVED	32

struct server {
	struct settings		*settings;
	struct site		 site;
	struct tables		*tables;
	struct engine		 engine;
	struct decision		 decision;
	struct service		*service;
	struct peers		*peers;
	struct buf		 answer;
	struct own		 own;
	int			 dir;		/* of the tables */
	int64_t			 refreshed;
	char			 complaint[DIAG_MAX];	/* said once */
	unsigned long long	 questions, accepted, refused, failed;
};

static void
refresh(struct server *s)
{
	struct diag	why = { "" };
	int64_t		now = now_ms();
	bool		changed;

	if (now - s->refreshed < REFRESH_MS)
		return;
	s->refreshed = now;
	if (own_refresh(&s->own, now))
		site_set_own(&s->site, s->own.addrs, s->own.n);
	changed = tables_refresh(s->tables, &why);
	if (changed)
		log_info("tables-changed");
	/* The old tables go on; said once, not four times a second. */
	if (why.text[0] != '\0' && strcmp(why.text, s->complaint) != 0)
		log_error("tables why=\"%s\"", why.text);
	memcpy(s->complaint, why.text, sizeof(s->complaint));
}

static void
log_decision(const struct server *s, const struct question *q)
{
	const struct decision	*d = &s->decision;
	struct cur		 c = cur_from(buf_view(&d->why));
	struct field		 f;
	char			 to[LOG_SAFE_MAX], why[LOG_SAFE_MAX];

	log_safe(to, sizeof(to), q->ask.verb == ENGINE_SENDER ?
	    q->ask.sender : q->ask.rcpt);
	log_debug("decision to=%s code=%u status=%s finals=%zu", to, d->code,
	    d->status, d->nfinals);
	while (record_next(&c, &f))
		log_debug("why to=%s why=%s", to, log_safe(why, sizeof(why),
		    f.value));
}

static void
count(struct server *s)
{
	s->questions++;
	if (s->decision.code < 400)
		s->accepted++;
	else if (s->decision.code < 500)
		s->failed++;
	else
		s->refused++;
}

static int
packet(void *arg, struct peer *p, struct buf *rec, struct msg_fds *fds)
{
	struct server		*s = arg;
	struct engine_tables	 tables = tables_engine(s->tables);
	struct question		 q;

	(void)fds;
	if (!question_parse(buf_view(rec), (enum route_role)peer_role(p),
	    &q)) {
		log_warn("peer-dropped role=%u why=\"malformed question\"",
		    peer_role(p));
		return -1;
	}
	refresh(s);
	engine_decide(&s->engine, &s->site, &tables, &q.ask, &s->decision);
	count(s);
	if (s->decision.code == 451)
		log_warn("decision to-size=%zu code=451 why=\"%s\"",
		    q.ask.rcpt.n, s->decision.text);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_decision(s, &q);
	if (!answer_build(&s->answer, &q, &s->decision))
		return -1;
	return peer_send(p, &s->answer);
}

/* All or nothing: what cannot be used leaves the old settings in force. */
static void
reload(void *arg, int conf)
{
	struct server	*s = arg;
	struct settings	*fresh = NULL;
	struct tables	*tables = NULL;
	struct site	 site;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1)
		goto fail;
	if (settings_users_system(fresh) !=
	    settings_users_system(s->settings)) {
		log_info("reload why=\"users are elsewhere now, starting "
		    "anew\"");
		settings_free(&fresh);
		service_stop(s->service, EX_OK);
		return;
	}
	if (tables_open(&tables, fresh, s->dir, &why) == -1)
		goto fail;
	if (site_init(&site, fresh, s->own.addrs, s->own.n) == -1) {
		diag_errno(&why, "settings");
		goto fail;
	}
	site_free(&s->site);
	tables_close(&s->tables);
	settings_free(&s->settings);
	s->site = site;
	s->tables = tables;
	s->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
	return;
fail:
	log_error("reload why=\"%s\"", why.text);
	tables_close(&tables);
	settings_free(&fresh);
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct server	*s = arg;

	snprintf(dst, size, "clients=%zu questions=%llu accepted=%llu "
	    "refused=%llu failed=%llu", peers_count(s->peers), s->questions,
	    s->accepted, s->refused, s->failed);
}

static size_t
most_clients(void)
{
	size_t	files = service_raise_files();

	if (files > CLIENTS_MAX + FDS_RESERVED)
		return CLIENTS_MAX;
	return files > 2 * FDS_RESERVED ? files - FDS_RESERVED : FDS_RESERVED;
}

/* Users of files: nothing outside of the tables is needed, so nothing else is left. */
static int
confine(struct server *s, struct diag *why)
{
	const struct sandbox_path inside[] = { { ".", SANDBOX_READ } };
	const struct sandbox_path outside[] = {
		{ s->settings->tables, SANDBOX_READ },
		/* the directory: /etc/passwd is replaced by each new user */
		{ "/etc", SANDBOX_READ },
		{ "/run/nscd", SANDBOX_READ },
		{ "/run/systemd/userdb", SANDBOX_READ },
		{ "/var/lib/sss", SANDBOX_READ }
	};
	bool	system = settings_users_system(s->settings);

	if (priv_enter(USER, system ? NULL : s->settings->tables, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	return sandbox_enter(SANDBOX_ROUTE, system ? outside : inside,
	    system ? nitems(outside) : nitems(inside), why);
}

static int
events(struct server *s, struct diag *why)
{
	static const struct service_ops	service = { status, reload, NULL };
	static const struct peers_ops	peers = { packet, NULL };

	if (service_new(&s->service, &service, s, why) == -1)
		return -1;
	if (peers_new(&s->peers, service_base(s->service), most_clients(),
	    &peers, s) == -1)
		return diag_set(why, "event loop");
	if (service_listen(s->peers, "route@smtp", ROLE_SMTP, why) == -1)
		return -1;
	return service_listen(s->peers, "route@queue", ROLE_QUEUE, why);
}

static int
setup(struct server *s, struct diag *why)
{
	own_open(&s->own, now_ms());
	engine_init(&s->engine);
	decision_init(&s->decision);
	buf_init(&s->answer, MSG_MAX);
	s->dir = fdio_opendir(AT_FDCWD, s->settings->tables);
	if (s->dir == -1)
		return diag_errno(why, "%s", s->settings->tables);
	if (site_init(&s->site, s->settings, s->own.addrs, s->own.n) == -1)
		return diag_errno(why, "settings");
	if (tables_open(&s->tables, s->settings, s->dir, why) == -1 ||
	    events(s, why) == -1)
		return -1;
	return confine(s, why);
}

static void
cleanup(struct server *s)
{
	peers_free(&s->peers);
	service_free(&s->service);
	tables_close(&s->tables);
	site_free(&s->site);
	own_close(&s->own);
	engine_free(&s->engine);
	decision_free(&s->decision);
	buf_free(&s->answer);
	settings_free(&s->settings);
	fdio_close(&s->dir);
}

int
server_serve(struct settings *settings)
{
	struct server	s = { .settings = settings, .dir = -1 };
	struct diag	why;
	int		r = EX_OSERR;

	log_open(FD_LOG, "route");
	log_set_level(settings_log_level(settings));
	if (setup(&s, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		r = service_run(s.service);
	cleanup(&s);
	return r;
}

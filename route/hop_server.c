/*
 * route/hop_server.c - the daemon: answers queue. Runs as ph-hop in an empty
 * chroot and a sandbox that has the network and nothing else, because
 * libunbound parses what strangers' servers say.
 */
#include "route/hop_server.h"

#include <sys/queue.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/peers.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/service.h"
#include "route/hop_answer.h"
#include "route/hop_engine.h"
#include "route/hop_system.h"
#include "route/hop_watch.h"

#define USER		"ph-hop"
#define CLIENTS_MAX	16
#define SETTLE_SECONDS	1	/* whoever writes a file may write it in several steps */

struct hop_server;

struct pending {
	TAILQ_ENTRY(pending)	 link;
	struct hop_server	*server;
	struct peer		*peer;		/* NULL: has gone */
	struct hop_ask		 ask;		/* its domain is text */
	char			 text[HOP_ASK_MAX];
};
TAILQ_HEAD(pending_list, pending);

struct hop_server {
	struct settings		*settings;
	struct service		*service;
	struct event		*change, *settled;
	struct hop_watch	*watch;		/* NULL: not to be had */
	struct peers		*peers;
	struct hop_engine	*engine;
	struct pending_list	 pending;
	struct buf		 answer;
};

static void
log_choice(const struct pending *p, const struct hop_choice *c)
{
	struct cur	cur = cur_from(buf_view(&c->why));
	struct field	f;
	char		domain[LOG_SAFE_MAX], text[LOG_SAFE_MAX];

	log_safe(domain, sizeof(domain), p->ask.domain);
	log_debug("hop domain=%s code=%u status=%s targets=%zu text=%s", domain,
	    c->code, c->status, c->ntargets, log_safe(text, sizeof(text),
	    str_from(c->text)));
	while (record_next(&cur, &f))
		log_debug("why domain=%s why=%s", domain, log_safe(text,
		    sizeof(text), f.value));
}

static void
answered(void *arg, const struct hop_choice *c)
{
	struct pending		*p = arg;
	struct hop_server	*s = p->server;
	struct peer		*peer = p->peer;
	bool			 sent;

	TAILQ_REMOVE(&s->pending, p, link);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_choice(p, c);
	sent = peer == NULL || (hop_answer_build(&s->answer, &p->ask, c) &&
	    peer_send(peer, &s->answer) == 0);
	free(p);
	if (!sent)
		peer_drop(peer);
}

static int
packet(void *arg, struct peer *peer, struct buf *rec, struct msg_fds *fds)
{
	struct hop_server	*s = arg;
	struct pending		*p;

	(void)fds;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return -1;
	p->server = s;
	p->peer = peer;
	if (!hop_ask_parse(buf_view(rec), &p->ask)) {
		log_warn("peer-dropped why=\"malformed question\"");
		free(p);
		return -1;
	}
	memcpy(p->text, p->ask.domain.p, p->ask.domain.n);
	p->ask.domain.p = p->text;
	TAILQ_INSERT_TAIL(&s->pending, p, link);
	if (hop_engine_ask(s->engine, p->ask.domain, answered, p) == -1) {
		TAILQ_REMOVE(&s->pending, p, link);
		free(p);
		return -1;
	}
	return 0;
}

/* The answers are still found, for whoever asks next. */
static void
gone(void *arg, struct peer *peer)
{
	struct hop_server	*s = arg;
	struct pending		*p;

	TAILQ_FOREACH(p, &s->pending, link)
		if (p->peer == peer)
			p->peer = NULL;
}

/* All or nothing: what cannot be used leaves the old settings in force. */
static void
reload(void *arg, int conf)
{
	struct hop_server	*s = arg;
	struct settings		*fresh = NULL;
	struct diag		 why;

	if (settings_load_fd(conf, &fresh, &why) == -1)
		goto fail;
	if (!hop_engine_same_dns(fresh, s->settings)) {
		log_info("reload why=\"other name servers, starting anew\"");
		settings_free(&fresh);
		service_stop(s->service, EX_OK);
		return;
	}
	if (hop_engine_reload(s->engine, fresh, &why) == -1)
		goto fail;
	settings_free(&s->settings);
	s->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
	return;
fail:
	log_error("reload why=\"%s\"", why.text);
	settings_free(&fresh);
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct hop_server	*s = arg;
	struct hop_counters	 c;

	hop_engine_count(s->engine, &c);
	snprintf(dst, size, "clients=%zu questions=%llu "
	    "looked-up=%llu cached=%llu joined=%llu failed=%llu refused=%llu "
	    "under-way=%zu known=%zu", peers_count(s->peers), c.questions,
	    c.looked_up, c.cached, c.joined, c.failed, c.refused, c.under_way,
	    c.entries);
}

/* They are out of reach now. */
static void
settled(evutil_socket_t fd, short what, void *arg)
{
	const struct hop_server	*s = arg;

	(void)fd;
	(void)what;
	service_stop(s->service, EX_OK);
}

static void
changed(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	pause = { SETTLE_SECONDS, 0 };
	struct hop_server		*s = arg;
	const char			*file = hop_watch_changed(s->watch);

	(void)fd;
	(void)what;
	if (file == NULL || evtimer_pending(s->settled, NULL))
		return;
	log_info("changed file=%s", file);
	if (evtimer_add(s->settled, &pause) == -1)
		service_stop(s->service, EX_OK);
}

/* Before the files are read, so that nothing is missed. */
static int
watch(struct hop_server *s)
{
	static const char *const	files[] = {
		HOP_HOSTS_FILE, HOP_RESOLV_FILE
	};

	if (hop_watch_new(&s->watch, files,
	    s->settings->dns.servers.n > 0 ? 1 : 2) == -1) {
		log_warn("watch why=\"%s\"", strerror(errno));
		return 0;
	}
	if ((s->settled = evtimer_new(service_base(s->service),
	    settled, s)) == NULL ||
	    service_watch(s->service, hop_watch_fd(s->watch), changed, s,
	    &s->change) == -1)
		return -1;
	return 0;
}

static int
events(struct hop_server *s, struct diag *why)
{
	static const struct service_ops	service = { status, reload, NULL };
	static const struct peers_ops	peers = { packet, gone };

	if (service_new(&s->service, &service, s, why) == -1)
		return -1;
	if (peers_new(&s->peers, service_base(s->service), CLIENTS_MAX, &peers,
	    s) == -1 || watch(s) == -1)
		return diag_set(why, "event loop");
	return service_listen(s->peers, "hop@queue", 0, why);
}

static int
confine(const struct hop_server *s, struct diag *why)
{
	char	dir[1100];

	snprintf(dir, sizeof(dir), "%s/empty", s->settings->run);
	if (priv_enter(USER, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	return sandbox_enter(SANDBOX_HOP, NULL, 0, why);
}

static int
setup(struct hop_server *s, struct diag *why)
{
	TAILQ_INIT(&s->pending);
	buf_init(&s->answer, MSG_MAX);
	/* a socket for each question to a server that is under way */
	(void)service_raise_files();
	if (events(s, why) == -1 || hop_engine_new(&s->engine,
	    service_base(s->service), s->settings, why) == -1 || confine(s, why) == -1)
		return -1;
	if (hop_engine_start(s->engine) == -1)
		return diag_set(why, "event loop");
	return 0;
}

static void
cleanup(struct hop_server *s)
{
	struct event	*list[] = { s->change, s->settled };
	struct pending	*p;
	size_t		 i;

	peers_free(&s->peers);
	hop_engine_free(&s->engine);
	while ((p = TAILQ_FIRST(&s->pending)) != NULL) {
		TAILQ_REMOVE(&s->pending, p, link);
		free(p);
	}
	for (i = 0; i < nitems(list); i++)
		if (list[i] != NULL)
			event_free(list[i]);
	hop_watch_free(&s->watch);
	service_free(&s->service);
	buf_free(&s->answer);
	settings_free(&s->settings);
}

int
hop_serve(struct settings *settings)
{
	struct hop_server	s = { .settings = settings };
	struct diag		why = { "" };
	int			r = EX_OSERR;

	log_open(FD_LOG, "hop");
	log_set_level(settings_log_level(settings));
	if (setup(&s, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		r = service_run(s.service);
	cleanup(&s);
	return r;
}

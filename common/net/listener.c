/*
 * common/net/listener.c - how the listener of a pool comes to life. Run by
 * master as root; becomes the plan's user in the plan's chroot before the
 * first connection is accepted, and parses nothing from outside.
 */
#include "common/net/listener.h"

#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/base/log.h"
#include "common/proc/priv.h"

static int
worker_init(void *arg)
{
	const struct listener	*l = arg;
	struct diag		 why;

	if (sandbox_enter_with(l->filter, l->plan->worker_places,
	    l->plan->nworker_places, &why) == 0)
		return 0;
	log_error("worker why=\"%s\"", why.text);
	return -1;
}

static const char *
refusal(void *arg, const char *service, bool total)
{
	const struct listener	*l = arg;

	return l->plan->refusal(l->arg, service, total);
}

static const char *
greeting(void *arg, const char *service)
{
	const struct listener	*l = arg;

	return l->plan->greeting == NULL ? NULL :
	    l->plan->greeting(l->arg, service);
}

static void
session(void *arg, const struct server_session *s)
{
	const struct listener	*l = arg;

	l->plan->session(l->arg, s);
}

static void
set_limits(const struct listener *l, struct server_limits *out)
{
	const struct listen_settings	*in = l->plan->limits(l);

	out->min_spare = (unsigned)in->min_spare;
	out->max_workers = (unsigned)in->max_connections;
	out->sessions_per_worker = (unsigned)in->sessions_per_worker;
	out->client_connections = (unsigned)in->client_connections;
	out->client_connection_rate = (unsigned)in->client_connection_rate;
}

static void
settled(struct listener *l)
{
	log_set_level(settings_log_level(l->settings));
	if (l->plan->settled != NULL)
		l->plan->settled(l->arg);
}

static int
reload(void *arg, struct link_event *ev, struct server_limits *limits)
{
	struct listener		*l = arg;
	struct settings		*fresh;
	struct diag		 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return -1;
	}
	settings_free(&l->settings);
	l->settings = fresh;
	settled(l);
	set_limits(l, limits);
	return 0;
}

static int
enter(struct listener *l, struct diag *why)
{
	const struct listener_plan	*plan = l->plan;
	char				 dir[PATH_MAX];

	if (plan->directory(l, dir, sizeof(dir), why) == -1 ||
	    (plan->prepare != NULL && plan->prepare(l->arg, why) == -1))
		return -1;
	tzset();	/* its files are out of reach afterwards */
	server_raise_limits();
	if (sandbox_compile(plan->worker, &l->filter, why) == -1 ||
	    priv_enter(plan->user, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (plan->inside != NULL && plan->inside(l->arg, why) == -1)
		return -1;
	return sandbox_enter(SANDBOX_LISTENER, plan->places, plan->nplaces,
	    why);
}

int
listener_main(struct listener *l, const struct listener_plan *plan, void *arg,
    int argc)
{
	static const struct server_ops	ops = { worker_init, session, refusal,
					    greeting, reload };
	struct child_fd		fds[CHILD_FDS];
	struct server_limits	limits;
	struct diag		why = { "no socket from the master" };
	int			n;

	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "%s is started by posthouse(8)\n",
		    plan->program);
		return EX_USAGE;
	}
	*l = (struct listener){ .plan = plan, .arg = arg };
	if ((n = child_fds(fds)) > 0)
		strlcpy(l->name, fds[0].name, sizeof(l->name));
	log_open(FD_LOG, plan->log_name(l));
	if (settings_load_fd(FD_CONF, &l->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	if (n <= 0 || n > SERVER_LISTEN_MAX || enter(l, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		return EX_OSERR;
	}
	settled(l);
	set_limits(l, &limits);
	return server_run(l->name, FD_LINK, fds, (unsigned)n, &limits,
	    &ops, l);
}

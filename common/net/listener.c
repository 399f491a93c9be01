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

#include "common/base/fdio.h"
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
	out->relays_per_worker = (unsigned)in->relays_per_worker;
	out->client_connections = (unsigned)in->client_connections;
	out->client_connection_rate = (unsigned)in->client_connection_rate;
}

/* The file that the master opened for us, out of the list. */
static int
take_file(struct child_fd *fds, size_t n, const char *name)
{
	size_t	i;
	int	fd;

	for (i = 0; i < n; i++)
		if (fds[i].fd != -1 && strcmp(fds[i].name, name) == 0) {
			fd = fds[i].fd;
			fds[i].fd = -1;
			return fd;
		}
	return -1;
}

static int
make_tls(const struct listener *l, const struct settings *set, int client_ca,
    struct tls_server **out, struct diag *why)
{
	const struct tls_options	o = {
		.minimum = set->tls.minimum, .ciphers = set->tls.ciphers,
		.client_ca = client_ca, .ask_client = client_ca != -1,
		.alpn = l->plan->alpn
	};

	*out = NULL;
	return l->plan->keys == NULL ? 0 :
	    tls_server_new(out, l->plan->keys, &o, why);
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
	struct tls_server	*tls;
	struct diag		 why;
	int			 ca, r;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return -1;
	}
	ca = take_file(ev->fds, ev->nfds, "tls.client-ca");
	r = make_tls(l, fresh, ca, &tls, &why);
	fdio_close(&ca);
	if (r == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return -1;
	}
	tls_server_free(&l->tls);
	settings_free(&l->settings);
	l->settings = fresh;
	if ((l->tls = tls) != NULL)
		tls_server_settle(tls);
	settled(l);
	set_limits(l, limits);
	return 0;
}

static int
enter(struct listener *l, int client_ca, struct diag *why)
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
	if (make_tls(l, l->settings, client_ca, &l->tls, why) == -1 ||
	    (plan->inside != NULL && plan->inside(l->arg, why) == -1))
		return -1;
	return sandbox_enter(SANDBOX_LISTENER, plan->places, plan->nplaces,
	    why);
}

/* Files out, sockets left: their number. The first one's name is ours. */
static unsigned
take_sockets(struct listener *l, struct child_fd *fds, int n, int *client_ca)
{
	unsigned	sockets = 0;
	int		i;

	*client_ca = n < 1 ? -1 : take_file(fds, (size_t)n, "tls.client-ca");
	for (i = 0; i < n && sockets < SERVER_LISTEN_MAX; i++)
		if (fds[i].fd != -1)
			fds[sockets++] = fds[i];
	if (sockets > 0)
		strlcpy(l->name, fds[0].name, sizeof(l->name));
	return sockets;
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
	unsigned		n;
	int			client_ca, status = EX_OSERR;

	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "%s is started by posthouse(8)\n",
		    plan->program);
		return EX_USAGE;
	}
	*l = (struct listener){ .plan = plan, .arg = arg };
	n = take_sockets(l, fds, child_fds(fds), &client_ca);
	log_open(FD_LOG, plan->log_name(l));
	if (settings_load_fd(FD_CONF, &l->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	if (n == 0 || enter(l, client_ca, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		status = EX_OK;
	fdio_close(&client_ca);
	if (status != EX_OK)
		return status;
	settled(l);
	set_limits(l, &limits);
	return server_run(l->name, FD_LINK, fds, n, &limits, &ops, l);
}

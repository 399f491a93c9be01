/*
 * pop3d/main.c - pop3d(8): the listener of POP3. Run by master; becomes
 * ph-login in an otherwise empty chroot where nothing but auth's socket is,
 * and parses nothing.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "pop3d/front.h"

#define USER	"ph-login"

static int
worker_init(void *arg)
{
	struct pop3d	*d = arg;
	struct diag	 why;

	if (sandbox_enter_with(d->sandbox, NULL, 0, &why) == 0)
		return 0;
	log_error("worker why=\"%s\"", why.text);
	return -1;
}

static const char *
refusal(void *arg, bool total)
{
	(void)arg;
	return total ? "-ERR [SYS/TEMP] too many connections\r\n" :
	    "-ERR [SYS/TEMP] too many connections of yours\r\n";
}

static void
set_limits(const struct pop3d *d, struct server_limits *l)
{
	const struct listen_settings	*in = &d->settings->pop3;

	l->min_spare = (unsigned)in->min_spare;
	l->max_workers = (unsigned)in->max_connections;
	l->sessions_per_worker = (unsigned)in->sessions_per_worker;
	l->client_connections = (unsigned)in->client_connections;
	l->client_connection_rate = (unsigned)in->client_connection_rate;
}

static int
reload(void *arg, int conf, struct server_limits *l)
{
	struct pop3d	*d = arg;
	struct settings	*fresh;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return -1;
	}
	settings_free(&d->settings);
	d->settings = fresh;
	log_set_level(settings_log_level(fresh));
	set_limits(d, l);
	return 0;
}

static int
enter(struct pop3d *d, struct diag *why)
{
	static const struct sandbox_path	places[] = {
		{ ".", SANDBOX_READ }
	};
	char					dir[4096];

	if ((size_t)snprintf(dir, sizeof(dir), "%s/login",
	    d->settings->run) >= sizeof(dir))
		return diag_set(why, "run: name is too long");
	tzset();	/* its files are out of reach afterwards */
	server_raise_limits();
	if (sandbox_compile(SANDBOX_LOGIN, &d->sandbox, why) == -1)
		return -1;
	if (priv_enter(USER, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	return sandbox_enter(SANDBOX_LISTENER, places, nitems(places), why);
}

static unsigned
take_sockets(int *out)
{
	struct child_fd	fds[CHILD_FDS];
	int		i, all = child_fds(fds);
	unsigned	n = 0;

	for (i = 0; i < all && n < SERVER_LISTEN_MAX; i++)
		if (strcmp(fds[i].name, "pop3") == 0)
			out[n++] = fds[i].fd;
	return n;
}

int
main(int argc, char *argv[])
{
	static const struct server_ops	ops = { worker_init, front_session,
					    refusal, NULL, reload };
	struct pop3d		d;
	struct server_limits	limits;
	struct diag		why = { "" };
	int			fds[SERVER_LISTEN_MAX];
	unsigned		n;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "pop3d is started by posthouse(8)\n");
		return EX_USAGE;
	}
	log_open(FD_LOG, "pop3d");
	n = take_sockets(fds);
	if (settings_load_fd(FD_CONF, &d.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(d.settings));
	if (n == 0 || enter(&d, &why) == -1) {
		log_error("start why=\"%s\"",
		    n == 0 ? "no socket from the master" : why.text);
		return EX_OSERR;
	}
	set_limits(&d, &limits);
	return server_run("pop3", FD_LINK, fds, n, &limits, &ops, &d);
}

/*
 * smtpd/main.c - smtpd(8): the listener of the service smtp or lmtp. Run by
 * master; becomes ph-smtp in the chroot spool/incoming and parses nothing.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/store/digest.h"
#include "common/store/sums.h"
#include "smtpd/smtpd.h"

#define USER	"ph-smtp"

static const struct sandbox_path	places[] = {
	{ ".", SANDBOX_WRITE }	/* not even what it wrote before can be read */
};

static int
worker_init(void *arg)
{
	struct smtpd	*d = arg;
	struct diag	why;

	if (sandbox_enter_with(d->sandbox, places, nitems(places), &why) == 0)
		return 0;
	log_error("worker why=\"%s\"", why.text);
	return -1;
}

static const char *
refusal(void *arg, bool total)
{
	(void)arg;
	return total ? "421 4.3.2 too many connections, try again later\r\n" :
	    "421 4.7.0 too many connections of yours, try again later\r\n";
}

static const char *
greeting(void *arg)
{
	const struct smtpd	*d = arg;

	return d->greeting;
}

static void
set_limits(const struct smtpd *d, struct server_limits *l)
{
	const struct listen_settings *in = d->lmtp ? &d->settings->lmtp :
	    &d->settings->smtp.in;

	l->min_spare = (unsigned)in->min_spare;
	l->max_workers = (unsigned)in->max_connections;
	l->sessions_per_worker = (unsigned)in->sessions_per_worker;
	l->client_connections = (unsigned)in->client_connections;
	l->client_connection_rate = (unsigned)in->client_connection_rate;
}

static int
reload(void *arg, int conf, struct server_limits *l)
{
	struct smtpd	*d = arg;
	struct settings	*fresh;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return -1;
	}
	settings_free(&d->settings);
	d->settings = fresh;
	greeting_make(d);
	log_set_level(settings_log_level(fresh));
	set_limits(d, l);
	return 0;
}

/* What a library makes at its first use is made before the fork, and shared by all workers. */
static void
warm_up(void)
{
	struct sums	*s = sums_new();
	char		 simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];

	if (s == NULL)
		return;		/* it will be tried again where it counts */
	sums_add(s, "x\r\n", 3);
	if (sums_end(s, simple, relaxed) == -1)
		log_warn("digests why=\"no SHA-256\"");
	sums_free(&s);
}

static int
enter(struct smtpd *d, struct diag *why)
{
	char	dir[4096];
	bool	strict = strcmp(d->settings->durability, "strict") == 0;
	enum durable_how how;

	if ((size_t)snprintf(dir, sizeof(dir), "%s/incoming",
	    d->settings->spool) >= sizeof(dir))
		return diag_set(why, "spool: name is too long");
	warm_up();
	tzset();	/* its files are out of reach afterwards */
	server_raise_limits();
	how = durable_for_path(dir, strict);	/* /sys, too, is out of reach */
	if (sandbox_compile(SANDBOX_SMTPD, &d->sandbox, why) == -1)
		return -1;
	if (priv_enter(USER, dir, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (spool_in_open(&d->spool, AT_FDCWD, how) == -1)
		return diag_errno(why, "%s", dir);
	return sandbox_enter(SANDBOX_LISTENER, places, nitems(places), why);
}

/* The sockets of the one service that this listener has, which their name tells. */
static unsigned
take_sockets(struct smtpd *d, int *out)
{
	struct child_fd	fds[CHILD_FDS];
	unsigned	i, n = 0;
	int		all = child_fds(fds);

	for (i = 0; (int)i < all && n < SERVER_LISTEN_MAX; i++) {
		d->lmtp = strcmp(fds[i].name, "lmtp") == 0;
		if (d->lmtp || strcmp(fds[i].name, "smtp") == 0)
			out[n++] = fds[i].fd;
	}
	return n;
}

int
main(int argc, char *argv[])
{
	static const struct server_ops	ops = { worker_init, session_run,
					    refusal, greeting, reload };
	struct smtpd		d = { .route = { "sock/route", -1 },
				    .queue = { "sock/queue", -1 } };
	struct server_limits	limits;
	struct diag		why = { "" };
	int			fds[SERVER_LISTEN_MAX];
	unsigned		n;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "smtpd is started by posthouse(8)\n");
		return EX_USAGE;
	}
	n = take_sockets(&d, fds);
	log_open(FD_LOG, d.lmtp ? "lmtpd" : "smtpd");
	if (settings_load_fd(FD_CONF, &d.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(d.settings));
	buf_init(&d.question, MSG_MAX);
	buf_init(&d.answer, MSG_MAX);
	if (n == 0 || enter(&d, &why) == -1) {
		log_error("start why=\"%s\"",
		    n == 0 ? "no socket from the master" : why.text);
		return EX_OSERR;
	}
	greeting_make(&d);
	set_limits(&d, &limits);
	return server_run(d.lmtp ? "lmtp" : "smtp", FD_LINK, fds, n, &limits,
	    &ops, &d);
}

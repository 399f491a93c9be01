/*
 * auth/main.c - auth(8): proves passwords and tells the master whose session
 * to start. Run by master as ph-auth; can read the tables of users and
 * nothing else. Distrusts the fronts, which talk to the network.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/worker.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"

#define USER		"ph-auth"
#define CLIENTS_MAX	4000
#define FDS_RESERVED	200

void
auth_stop(struct auth *a, int status)
{
	service_stop(a->service, status);
}

static void
adopt(struct auth *a, struct settings *fresh, struct sources *sources)
{
	sources_close(&a->sources);
	settings_free(&a->settings);
	a->sources = sources;
	a->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
}

static void
reload(void *arg, int conf)
{
	struct auth	*a = arg;
	struct settings	*fresh = NULL;
	struct sources	*sources;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1 ||
	    sources_open(&sources, fresh, a->dir, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return;
	}
	if (token_reload(a->tokens, fresh) == -1) {
		/* what it needs is out of reach of this sandbox: started anew */
		sources_close(&sources);
		settings_free(&fresh);
		auth_stop(a, EX_OK);
		return;
	}
	adopt(a, fresh, sources);
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct auth	*a = arg;

	snprintf(dst, size, "fronts=%zu waiting=%zu logins=%llu "
	    "failures=%llu blocked=%llu refused=%llu temporary=%llu",
	    peers_count(a->peers), a->njobs, a->logins, a->failures,
	    a->blocked, a->denied, a->temporary);
	token_status(a->tokens, dst, size);
}

static void
master_said(void *arg, struct str rec)
{
	job_master_said(arg, rec);
}

/* Before anything is open that they should not have. */
static int
start_workers(struct auth *a, struct diag *why)
{
	size_t	i;

	a->nworkers = worker_count(a->settings);
	for (i = 0; i < a->nworkers; i++) {
		a->workers[i].auth = a;
		a->workers[i].fd = worker_start(USER, a->settings->tables);
		if (a->workers[i].fd == -1)
			return diag_errno(why, "start a worker");
	}
	return 0;
}

/* Each has one descriptor, and one more while PAM or the master is asked. Those whose answer is held back stay. */
static size_t
most_clients(void)
{
	size_t	files = service_raise_files();

	if (files <= 2 * FDS_RESERVED)
		return FDS_RESERVED / 2;
	files = (files - FDS_RESERVED) / 2;
	return files < CLIENTS_MAX ? files : CLIENTS_MAX;
}

static int
events(struct auth *a, struct diag *why)
{
	static const struct service_ops	service = { status, reload,
					    master_said };
	static const struct peers_ops	peers = { job_packet, job_peer_gone };
	size_t				i;

	if (service_new(&a->service, &service, a, why) == -1)
		return -1;
	a->base = service_base(a->service);
	if (peers_new(&a->peers, a->base, most_clients(), &peers, a) == -1)
		return diag_set(why, "event loop");
	for (i = 0; i < a->nworkers; i++)
		if (service_watch(a->service, a->workers[i].fd,
		    job_worker_readable, &a->workers[i],
		    &a->workers[i].event) == -1)
			return diag_set(why, "event loop");
	if (service_listen(a->peers, "auth@login", ROLE_LOGIN, why) == -1)
		return -1;
	return service_listen(a->peers, "auth@smtp", ROLE_SMTP, why);
}

/* From here on nothing but the tables, and the keys of tokens. */
static int
enter(struct auth *a, struct diag *why)
{
	struct sandbox_path	paths[2] = { { ".", SANDBOX_READ } };
	size_t			n = 1;

	if (priv_enter(USER, a->settings->tables, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	n += token_path(a->tokens, &paths[n]);
	return sandbox_enter(SANDBOX_AUTH, paths, n, why);
}

static int
setup(struct auth *a, struct diag *why)
{
	uint64_t	secret;

	TAILQ_INIT(&a->jobs);
	buf_init(&a->rec, MSG_MAX);
	arc4random_buf(&secret, sizeof(secret));
	backoff_init(&a->backoff, secret);
	arc4random_buf(a->secret, sizeof(a->secret));
	if (start_workers(a, why) == -1)
		return -1;
	if ((a->dir = fdio_opendir(AT_FDCWD, a->settings->tables)) == -1)
		return diag_errno(why, "%s", a->settings->tables);
	if (token_open(&a->tokens, a->settings, why) == -1 ||
	    events(a, why) == -1 || enter(a, why) == -1 ||
	    token_start(a->tokens, a->base, why) == -1)
		return -1;
	/* as ph-auth, which its group lets read the passwords */
	return sources_open(&a->sources, a->settings, a->dir, why);
}

static void
cleanup(struct auth *a)
{
	size_t	i;

	job_free_all(a);
	peers_free(&a->peers);
	token_free(&a->tokens);
	for (i = 0; i < a->nworkers; i++) {
		if (a->workers[i].event != NULL)
			event_free(a->workers[i].event);
		fdio_close(&a->workers[i].fd);
	}
	service_free(&a->service);
	sources_close(&a->sources);
	buf_wipe(&a->rec);
	explicit_bzero(a->secret, sizeof(a->secret));
	settings_free(&a->settings);
	fdio_close(&a->dir);
	free(a);
}

static int
serve(struct auth *a)
{
	struct diag	why = { "" };
	int		r = EX_OSERR;

	if (setup(a, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else
		r = service_run(a->service);
	cleanup(a);
	return r;
}

int
main(int argc, char *argv[])
{
	struct auth	*a;
	struct diag	 why;
	size_t		 i;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "auth is started by posthouse(8)\n");
		return EX_USAGE;
	}
	log_open(FD_LOG, "auth");
	if ((a = calloc(1, sizeof(*a))) == NULL)
		err(EX_OSERR, "auth");
	a->dir = -1;
	for (i = 0; i < WORKERS_MAX; i++)
		a->workers[i].fd = -1;
	if (settings_load_fd(FD_CONF, &a->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(a->settings));
	return serve(a);
}

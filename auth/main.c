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
#include "common/proc/link.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/proc/sig.h"

#define USER		"ph-auth"
#define CLIENTS_MAX	900	/* each has one descriptor, and one more while it logs in */

void
auth_stop(struct auth *a, int status)
{
	a->status = status;
	event_base_loopbreak(a->base);
}

static bool
is_system(const struct settings *st)
{
	return strcmp(st->users.items[0].text, "system") == 0;
}

static int
open_users(struct auth *a, const struct settings *st, struct users **out,
    struct diag *why)
{
	*out = NULL;
	if (is_system(st))
		return 0;
	if (users_open(out, false, a->dir, why) == -1)
		return -1;
	if (users_open_passwords(*out, why) == -1) {
		users_close(out);
		return -1;
	}
	return 0;
}

static void
reload(struct auth *a, int conf)
{
	struct settings	*fresh = NULL;
	struct users	*users;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1 ||
	    open_users(a, fresh, &users, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return;
	}
	users_close(&a->users);
	settings_free(&a->settings);
	a->users = users;
	a->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
}

static void
send_status(struct auth *a)
{
	char	text[160];

	snprintf(text, sizeof(text), "fronts=%zu waiting=%zu logins=%llu "
	    "failures=%llu temporary=%llu", peers_count(a->peers), a->njobs,
	    a->logins, a->failures, a->temporary);
	if (link_status(FD_LINK, text) == -1)
		log_debug("status not sent");
}

static void
link_readable(evutil_socket_t fd, short what, void *arg)
{
	struct auth		*a = arg;
	struct link_event	 ev;
	size_t			 i;

	(void)what;
	if (link_read(fd, &a->event, &ev) == -1)
		return;
	switch (ev.verb) {
	case LINK_STATUS:
		send_status(a);
		break;
	case LINK_RELOAD:
		reload(a, ev.conf);
		break;
	case LINK_STOP:
	case LINK_GONE:
		auth_stop(a, EX_OK);
		break;
	case LINK_ANSWER:
		job_master_said(a, buf_view(&a->event));
		break;
	case LINK_NONE:
		break;
	}
	fdio_close(&ev.conf);
	for (i = 0; i < ev.nfds; i++)
		fdio_close(&ev.fds[i].fd);
}

static void
signalled(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (sig_take() & SIG_EV_TERM)
		auth_stop(arg, EX_OK);
}

/* Before anything is open that they should not have. */
static int
start_workers(struct auth *a, struct diag *why)
{
	size_t	i;

	for (i = 0; i < AUTH_WORKERS; i++) {
		a->workers[i].auth = a;
		a->workers[i].fd = worker_start(USER, a->settings->tables);
		if (a->workers[i].fd == -1)
			return diag_errno(why, "start a worker");
	}
	return 0;
}

static int
watch(struct event_base *base, int fd, event_callback_fn fn, void *arg,
    struct event **out)
{
	*out = event_new(base, fd, EV_READ | EV_PERSIST, fn, arg);
	return *out == NULL ? -1 : event_add(*out, NULL);
}

static int
events(struct auth *a, struct diag *why)
{
	static const struct peers_ops	ops = { job_packet, job_peer_gone };
	struct child_fd			fds[CHILD_FDS];
	size_t				i;
	int				sig, fd, n;

	if ((sig = sig_init(SIG_EV_TERM)) == -1 ||
	    fdio_nonblock(FD_LINK, 1) == -1)
		return diag_errno(why, "signals and link");
	if ((n = child_fds(fds)) == -1 ||
	    (fd = child_fd_find(fds, (size_t)n, "auth@login", 0)) == -1)
		return diag_set(why, "no socket auth@login from the master");
	if ((a->base = event_base_new()) == NULL ||
	    watch(a->base, FD_LINK, link_readable, a, &a->link) == -1 ||
	    watch(a->base, sig, signalled, a, &a->term) == -1 ||
	    peers_new(&a->peers, a->base, CLIENTS_MAX, &ops, a) == -1 ||
	    peers_listen(a->peers, fd, 0) == -1)
		return diag_set(why, "event loop");
	for (i = 0; i < AUTH_WORKERS; i++)
		if (watch(a->base, a->workers[i].fd, job_worker_readable,
		    &a->workers[i], &a->workers[i].event) == -1)
			return diag_set(why, "event loop");
	return 0;
}

static int
setup(struct auth *a, struct diag *why)
{
	const struct sandbox_path	paths[] = { { ".", SANDBOX_READ } };
	uint64_t			secret;

	TAILQ_INIT(&a->jobs);
	buf_init(&a->rec, MSG_MAX);
	buf_init(&a->event, MSG_MAX);
	arc4random_buf(&secret, sizeof(secret));
	backoff_init(&a->backoff, secret);
	if (start_workers(a, why) == -1)
		return -1;
	if ((a->dir = fdio_opendir(AT_FDCWD, a->settings->tables)) == -1)
		return diag_errno(why, "%s", a->settings->tables);
	if (events(a, why) == -1 ||
	    priv_enter(USER, a->settings->tables, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (sandbox_enter(SANDBOX_AUTH, paths, nitems(paths), why) == -1)
		return -1;
	/* as ph-auth, which its group lets read the passwords */
	return open_users(a, a->settings, &a->users, why);
}

static void
cleanup(struct auth *a)
{
	size_t	i;

	job_free_all(a);
	peers_free(&a->peers);
	for (i = 0; i < AUTH_WORKERS; i++) {
		if (a->workers[i].event != NULL)
			event_free(a->workers[i].event);
		fdio_close(&a->workers[i].fd);
	}
	if (a->link != NULL)
		event_free(a->link);
	if (a->term != NULL)
		event_free(a->term);
	if (a->base != NULL)
		event_base_free(a->base);
	users_close(&a->users);
	buf_wipe(&a->rec);
	buf_wipe(&a->event);
	settings_free(&a->settings);
	fdio_close(&a->dir);
	free(a);
}

static int
serve(struct auth *a)
{
	struct diag	why = { "" };
	int		status;

	if (setup(a, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		a->status = EX_OSERR;
	} else if (link_ready(FD_LINK) == -1)
		a->status = EX_TEMPFAIL;
	else if (event_base_dispatch(a->base) == -1)
		a->status = EX_SOFTWARE;
	status = a->status;
	cleanup(a);
	return status;
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
	for (i = 0; i < AUTH_WORKERS; i++)
		a->workers[i].fd = -1;
	if (settings_load_fd(FD_CONF, &a->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(a->settings));
	return serve(a);
}

/*
 * deliver/local_main.c - local(8): the parent, which stays root, so that each
 * delivery can be made by a process that is the recipient. It parses short
 * records from queue, looks users up, forks, and reads nothing of a message.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_local.h"
#include "common/proc/sig.h"
#include "deliver/spawn.h"

#define CLIENTS_MAX	4	/* queue, and the one before it that is ending */
#define WORKERS_MAX	1100	/* queue.local-workers goes to 1000 */

struct local {
	struct settings	*settings;
	struct users	*users;
	struct users	*system;	/* where local.alias-user may be instead */
	int		 dir;		/* of the tables */
	int		 listen, sig, link;
	int		 clients[CLIENTS_MAX];
	size_t		 nclients;
	pid_t		 workers[WORKERS_MAX];
	size_t		 nworkers;
	struct buf	 rec;
	bool		 stopping;
	int64_t		 stop_due, accept_due;
	unsigned long long opened, refused;
};

static int
open_users(const struct settings *s, int dir, struct users **out,
    struct diag *why)
{
	return users_open(out, settings_users_tables(s),
	    settings_users_system(s), dir, why);
}

/* Whoever runs the commands of alias tables needs no mailbox here. */
static int
find_alias_user(struct local *l, struct str name, struct user *u)
{
	int	r;

	if (!str_eq(name, str_from(l->settings->local.alias_user)))
		return 0;
	r = users_find(l->system, name, u, NULL);
	u->system = settings_users_system(l->settings);
	if (r == 1 && !priv_is_root()) {
		u->uid = geteuid();	/* everybody is ourselves */
		u->gid = getegid();
	}
	return r;
}

static int
find_user(struct local *l, struct str name, bool command, struct user *u)
{
	struct diag	why = { "" };
	int		r;

	if (users_refresh(l->users, &why))
		log_info("tables-changed");
	if (why.text[0] != '\0')
		log_error("tables why=\"%s\"", why.text);
	r = users_find(l->users, name, u, NULL);
	return r == 0 && command ? find_alias_user(l, name, u) : r;
}

/* The descriptor for queue, or -1 with what to say. */
static int
open_worker(struct local *l, struct str rec, pid_t *pid, const char **status,
    char *text, size_t size)
{
	struct user	u;
	struct str	name, kind;
	int		fd;
	bool		command;

	*status = "4.3.0";
	if (!record_get(rec, LOCAL_USER, &name) ||
	    !record_get(rec, LOCAL_KIND, &kind)) {
		snprintf(text, size, "malformed question");
		return -1;
	}
	if (l->nworkers == WORKERS_MAX) {
		snprintf(text, size, "too many workers");
		return -1;
	}
	command = str_eq(kind, STR("command"));
	switch (find_user(l, name, command, &u)) {
	case 0:
		*status = "5.1.1";
		snprintf(text, size, "no such user here");
		return -1;
	case -1:
		snprintf(text, size, "look up the user: %s", strerror(errno));
		return -1;
	}
	*pid = spawn_worker(l->settings, &u, command ? "command" : "mailbox",
	    &fd, status, text, size);
	if (*pid == -1)
		return -1;
	l->workers[l->nworkers++] = *pid;
	return fd;
}

/* With the children that it has for its commands; one that is stopped ends, too. */
static void
end_worker(pid_t pid)
{
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
}

/* queue gave it up. It may kill workers of ours, and nothing else. */
static void
kill_worker(struct local *l, struct str rec)
{
	uint64_t	pid;
	size_t		i;

	if (!record_getu(rec, LOCAL_WORKER, INT32_MAX, &pid))
		return;
	for (i = 0; i < l->nworkers; i++)
		if ((uint64_t)l->workers[i] == pid) {
			log_warn("worker-killed pid=%d why=\"it hangs\"",
			    (int)pid);
			end_worker(l->workers[i]);
			return;
		}
}

static bool
answer(struct local *l, int client)
{
	struct msg_fds	 fds = { .n = 0 };
	struct str	 verb;
	const char	*status;
	char		 text[256] = "";
	pid_t		 pid = -1;
	int		 fd, r;

	if ((r = msg_recv(client, &l->rec, NULL)) != 1)
		return r == -1 && errno == EAGAIN;
	if (record_get(buf_view(&l->rec), LOCAL_VERB, &verb) &&
	    str_eq(verb, STR("kill"))) {
		kill_worker(l, buf_view(&l->rec));
		return true;
	}
	fd = open_worker(l, buf_view(&l->rec), &pid, &status, text,
	    sizeof(text));
	buf_reset(&l->rec);
	if (fd != -1) {
		l->opened++;
		fds.fd[fds.n++] = fd;
		record_puts(&l->rec, LOCAL_VERB, "ok");
		record_putu(&l->rec, LOCAL_WORKER, (uint64_t)pid);
	} else {
		l->refused++;
		record_puts(&l->rec, LOCAL_VERB,
		    status[0] == '5' ? "perm" : "temp");
		record_puts(&l->rec, LOCAL_STATUS, status);
		record_puts(&l->rec, LOCAL_TEXT, text);
	}
	r = buf_ok(&l->rec) ? msg_send(client, &l->rec, &fds) : -1;
	fdio_close(&fd);
	return r == 0;
}

static void
accept_client(struct local *l)
{
	int	fd = msg_accept(l->listen, SOCK_NONBLOCK, &l->accept_due);

	if (fd == -1)
		return;
	if (l->nclients == CLIENTS_MAX) {
		log_warn("peer-dropped why=\"too many clients\"");
		fdio_close(&fd);
	} else
		l->clients[l->nclients++] = fd;
}

static void
reap(struct local *l)
{
	size_t	i;
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < l->nworkers; i++)
			if (l->workers[i] == pid) {
				l->workers[i] = l->workers[--l->nworkers];
				break;
			}
		if (WIFSIGNALED(status))
			log_error("worker-died pid=%d signal=%d", (int)pid,
			    WTERMSIG(status));
	}
}

static void
begin_stop(struct local *l)
{
	l->stopping = true;
	/* the master gives us a moment more, for what comes after it */
	l->stop_due = now_ms() + l->settings->stop_timeout;
	fdio_close(&l->listen);
	/* Their workers end when queue has closed its side. */
	while (l->nclients > 0)
		fdio_close(&l->clients[--l->nclients]);
}

static void
reload(void *arg, struct link_event *ev)
{
	struct local	*l = arg;
	struct settings	*fresh = NULL;
	struct users	*users = NULL;
	struct diag	 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1 ||
	    open_users(fresh, l->dir, &users, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		settings_free(&fresh);
		return;
	}
	users_close(&l->users);
	settings_free(&l->settings);
	l->users = users;
	l->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct local	*l = arg;

	snprintf(dst, size, "workers=%zu opened=%llu refused=%llu",
	    l->nworkers, l->opened, l->refused);
}

static void
stop(void *arg, bool orphan)
{
	struct local	*l = arg;

	if (orphan)
		fdio_close(&l->link);
	begin_stop(l);
}

static void
clients_readable(struct local *l, const struct pollfd *p, size_t n)
{
	size_t	i;

	for (i = n; i > 0; i--)
		if (p[i - 1].revents != 0 && !answer(l, l->clients[i - 1])) {
			fdio_close(&l->clients[i - 1]);
			l->clients[i - 1] = l->clients[--l->nclients];
		}
}

/* *left: for how long at most it is not to be accepted from. */
static int
listener(const struct local *l, int64_t now, int64_t *left)
{
	if (now >= l->accept_due)
		return l->listen;
	if (*left == -1 || *left > l->accept_due - now)
		*left = l->accept_due - now;
	return -1;
}

static void
loop(struct local *l)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };
	struct pollfd	p[3 + CLIENTS_MAX];
	size_t		i, n;
	int64_t		now, left;

	while (!(l->stopping && l->nworkers == 0)) {
		now = now_ms();
		left = l->stopping ? l->stop_due - now : -1;
		if (l->stopping && left <= 0)
			break;
		p[0] = (struct pollfd){ l->link, POLLIN, 0 };
		p[1] = (struct pollfd){ l->sig, POLLIN, 0 };
		p[2] = (struct pollfd){ listener(l, now, &left), POLLIN, 0 };
		for (i = 0; i < l->nclients; i++)
			p[3 + i] = (struct pollfd){ l->clients[i], POLLIN, 0 };
		n = l->nclients;
		if (poll(p, (nfds_t)(3 + n), (int)left) <= 0)
			continue;
		clients_readable(l, p + 3, n);
		if (p[2].revents != 0)
			accept_client(l);
		if (p[1].revents != 0) {
			if (sig_take() & SIG_EV_TERM && !l->stopping)
				begin_stop(l);
			reap(l);
		}
		if (p[0].revents != 0)
			link_serve(l->link, &l->rec, &ops, l);
	}
	for (i = 0; i < l->nworkers; i++)
		end_worker(l->workers[i]);
}

static int
setup(struct local *l, struct diag *why)
{
	struct child_fd	fds[CHILD_FDS];
	int		n;

	if ((n = child_fds(fds)) == -1 ||
	    (l->listen = child_fd_find(fds, (size_t)n, "local@queue", 0)) == -1)
		return diag_set(why, "no socket local@queue from the master");
	if ((l->sig = sig_init(SIG_EV_TERM | SIG_EV_CHLD)) == -1 ||
	    fdio_nonblock(l->link, 1) == -1 || priv_harden(false) == -1)
		return diag_errno(why, "setup");
	if ((l->dir = fdio_opendir(AT_FDCWD, l->settings->tables)) == -1)
		return diag_errno(why, "%s", l->settings->tables);
	if (chdir("/") == -1)
		return diag_errno(why, "/");
	if (open_users(l->settings, l->dir, &l->users, why) == -1)
		return -1;
	return users_open(&l->system, false, true, -1, why);
}

int
main(int argc, char *argv[])
{
	struct local		l = { .dir = -1, .listen = -1, .link = FD_LINK };
	struct diag		why = { "" };

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "local is started by posthouse(8); "
		    "see deliver(1)\n");
		return EX_USAGE;
	}
	if (settings_load_fd(FD_CONF, &l.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_open(FD_LOG, "local");
	log_set_level(settings_log_level(l.settings));
	buf_init(&l.rec, MSG_MAX);
	if (setup(&l, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		return EX_OSERR;
	}
	if (link_ready(l.link) == -1)
		return EX_TEMPFAIL;
	loop(&l);
	users_close(&l.users);
	users_close(&l.system);
	settings_free(&l.settings);
	buf_free(&l.rec);
	return EX_OK;
}

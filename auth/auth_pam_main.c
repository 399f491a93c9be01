/*
 * auth/auth_pam_main.c - auth-pam(8): the passwords of the system's users, for
 * auth alone. Runs as root, started by master if `users system` is among the
 * sources. The parent only accepts and forks; a child serves one login and
 * ends. What comes is a name and a password, bounded; PAM's modules may do
 * anything, so there is no sandbox but a time-out.
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

#include "auth/pam.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/sig.h"

#define CHILDREN_MAX	32	/* further logins wait in the socket's queue */

struct state {
	struct settings		*settings;
	int			 listen, sig, link;
	pid_t			 children[CHILDREN_MAX];
	size_t			 nchildren;
	struct buf		 rec;
	bool			 stopping;
	int64_t			 accept_due;
	unsigned long long	 asked, hung;
};

static bool
question_parse(struct str rec, struct pam_question *q)
{
	return record_ok(rec) &&
	    record_gets(rec, PAM_USER_TAG, q->user, sizeof(q->user)) &&
	    record_gets(rec, PAM_PASS_TAG, q->pass, sizeof(q->pass)) &&
	    record_gets(rec, PAM_SERVICE_TAG, q->service,
	    sizeof(q->service)) &&
	    record_gets(rec, PAM_CLIENT_TAG, q->client, sizeof(q->client)) &&
	    q->pass[0] != '\0' && users_name_ok(str_from(q->user));
}

static int
answer(int fd, enum pam_verdict v, const struct user *u, const char *why)
{
	static const char *const words[] = {
		"ok", "unknown", "wrong", "denied", "temp"
	};
	struct buf	rec;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, PAM_VERDICT_TAG, words[v]);
	record_puts(&rec, PAM_WHY_TAG, why);
	if (v == VERDICT_OK) {
		record_puts(&rec, PAM_USER_TAG, u->name);
		record_putu(&rec, AUTH_UID, u->uid);
		record_putu(&rec, AUTH_GID, u->gid);
		record_puts(&rec, AUTH_HOME, u->home);
	}
	if (buf_ok(&rec))
		r = msg_send(fd, &rec, NULL);
	buf_free(&rec);
	return r;
}

/* The child: one question, one answer. A module that hangs dies of SIGALRM. */
static _Noreturn void
serve(const struct settings *st, int fd)
{
	struct pam_question	 q;
	struct user		 u;
	struct buf		 rec;
	enum pam_verdict	 v;
	const char		*why;
	int			 r = -1;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	(void)setpgid(0, 0);
	alarm((PAM_MS + PAM_REQUEST_MS) / 1000);
	buf_init(&rec, MSG_MAX);
	if (fdio_wait(fd, POLLIN, now_ms() + PAM_REQUEST_MS) == 0 &&
	    msg_recv(fd, &rec, NULL) == 1 &&
	    question_parse(buf_view(&rec), &q)) {
		buf_wipe(&rec);
		alarm(PAM_MS / 1000);
		v = pam_check(st, &q, &u, &why);
		explicit_bzero(&q, sizeof(q));
		r = answer(fd, v, &u, why);
		if (v == VERDICT_TEMP)
			log_error("system-login why=\"%s\"", why);
	}
	buf_wipe(&rec);
	_exit(r == 0 ? EX_OK : EX_PROTOCOL);
}

static void
accept_one(struct state *s)
{
	int	fd = msg_accept(s->listen, 0, &s->accept_due);
	pid_t	pid;

	if (fd == -1)
		return;
	if ((pid = fork()) == 0) {
		fdio_close(&s->listen);
		fdio_close(&s->link);
		serve(s->settings, fd);
	}
	fdio_close(&fd);
	if (pid == -1) {
		log_error("fork why=\"%s\"", strerror(errno));
		return;
	}
	s->asked++;
	s->children[s->nchildren++] = pid;
}

static void
reap(struct state *s)
{
	size_t	i;
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		/* with what its modules have started */
		(void)kill(-pid, SIGKILL);
		for (i = 0; i < s->nchildren; i++)
			if (s->children[i] == pid) {
				s->children[i] = s->children[--s->nchildren];
				break;
			}
		if (!WIFSIGNALED(status))
			continue;
		s->hung += WTERMSIG(status) == SIGALRM;
		log_error("system-login why=\"%s\" signal=%d",
		    WTERMSIG(status) == SIGALRM ? "no answer in time" :
		    "a fault in PAM or in one of its modules",
		    WTERMSIG(status));
	}
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct state	*s = arg;

	snprintf(dst, size, "children=%zu asked=%llu hung=%llu", s->nchildren,
	    s->asked, s->hung);
}

static void
reload(void *arg, struct link_event *ev)
{
	struct state	*s = arg;
	struct settings	*fresh = NULL;
	struct diag	 why;

	if (settings_load_fd(ev->conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return;
	}
	settings_free(&s->settings);
	s->settings = fresh;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
}

static void
stop(void *arg, bool orphan)
{
	struct state	*s = arg;

	(void)orphan;
	s->stopping = true;
}

static void
loop(struct state *s)
{
	static const struct link_ops	ops = { status, reload, stop, NULL };
	struct pollfd			p[3];
	int64_t				left;
	size_t				i;

	while (!s->stopping) {
		left = s->accept_due - now_ms();
		p[0] = (struct pollfd){ s->link, POLLIN, 0 };
		p[1] = (struct pollfd){ s->sig, POLLIN, 0 };
		p[2] = (struct pollfd){ left > 0 ||
		    s->nchildren == CHILDREN_MAX ? -1 : s->listen, POLLIN, 0 };
		if (poll(p, nitems(p), left > 0 ? (int)left : -1) <= 0)
			continue;
		if (p[2].revents != 0)
			accept_one(s);
		if (p[1].revents != 0) {
			s->stopping = (sig_take() & SIG_EV_TERM) != 0;
			reap(s);
		}
		if (p[0].revents != 0)
			link_serve(s->link, &s->rec, &ops, s);
	}
	for (i = 0; i < s->nchildren; i++) {
		(void)kill(-s->children[i], SIGKILL);
		(void)kill(s->children[i], SIGKILL);
	}
}

static int
setup(struct state *s, struct diag *why)
{
	struct child_fd	fds[CHILD_FDS];
	int		n;

	if ((n = child_fds(fds)) == -1 ||
	    (s->listen = child_fd_find(fds, (size_t)n, "pam@auth", 0)) == -1)
		return diag_set(why, "no socket pam@auth from the master");
	if ((s->sig = sig_init(SIG_EV_TERM | SIG_EV_CHLD)) == -1 ||
	    fdio_nonblock(s->link, 1) == -1 || priv_harden(false) == -1 ||
	    chdir("/") == -1)
		return diag_errno(why, "setup");
	return 0;
}

int
main(int argc, char *argv[])
{
	struct state	s = { .listen = -1, .sig = -1, .link = FD_LINK };
	struct diag	why = { "" };

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "auth-pam is started by posthouse(8)\n");
		return EX_USAGE;
	}
	if (settings_load_fd(FD_CONF, &s.settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_open(FD_LOG, "auth-pam");
	log_set_level(settings_log_level(s.settings));
	buf_init(&s.rec, MSG_MAX);
	if (setup(&s, &why) == -1) {
		log_error("start why=\"%s\"", why.text);
		return EX_OSERR;
	}
	if (link_ready(s.link) == -1)
		return EX_TEMPFAIL;
	loop(&s);
	settings_free(&s.settings);
	buf_free(&s.rec);
	return EX_OK;
}

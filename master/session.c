/*
 * master/session.c - a mailbox session on auth's word: the one place where
 * the master looks at fields whose content came from afar. auth may have been
 * taken over: it can log somebody in wrongly, but it cannot become root, run
 * another program or reach below min-uid.
 */
#include "master/master.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_auth.h"
#include "common/proc/sandbox.h"

#define PATH_LIMIT	1024
#define PENDING_MAX	16384

/* Whom auth may ask for. */
static const struct service {
	const char	*name, *binary;
} services[] = {
	{ "pop3", "pop3d-session" },
	{ "imap", "imapd-session" }
};

struct login {
	const struct service *service;
	char		 user[AUTH_USER_MAX + 1];
	bool		 system;	/* it may be a user of the system, with groups */
	char		 home[PATH_LIMIT], mailbox[PATH_LIMIT + 8];
	char		 client[80], local[80], tls[80], tag[32];
	char		 note[AUTH_NOTE_MAX + 1];
	struct str	 pending;
	char		 by[AUTH_USER_MAX + 1];	/* the master user in his place, or "" */
	uint64_t	 uid, gid, quota;
};

static bool
user_ok(const char *s)
{
	return *s != '\0' && *s != '-' && *s != '.' && !str_has_control(str_from(s)) &&
	    strpbrk(s, "/: ") == NULL;
}

static bool
mailbox_ok(const char *s)
{
	return (strncmp(s, "maildir:/", 9) == 0 ||
	    strncmp(s, "mbox:/", 6) == 0) && !str_has_control(str_from(s));
}

static const struct service *
find_service(struct str rec)
{
	char	name[16];
	size_t	i;

	if (record_gets(rec, AUTH_SERVICE, name, sizeof(name)))
		for (i = 0; i < nitems(services); i++)
			if (strcmp(services[i].name, name) == 0)
				return &services[i];
	return NULL;
}

/* Missing: the user has none of his own. */
static bool
quota_take(struct str rec, uint64_t *quota)
{
	struct str	text;

	*quota = 0;
	return !record_get(rec, AUTH_QUOTA, &text) ||
	    record_getu(rec, AUTH_QUOTA, UINT64_MAX, quota);
}

/* Missing: nobody is in his place. */
static bool
by_take(struct str rec, char *by, size_t size)
{
	struct str	text;

	by[0] = '\0';
	return !record_get(rec, AUTH_BY, &text) ||
	    (record_gets(rec, AUTH_BY, by, size) && user_ok(by));
}

/* NULL, or what is wrong with it. */
static const char *
login_parse(const struct settings *s, struct str rec, struct login *l)
{
	const uint64_t	top = UINT32_MAX - 1;

	if ((l->service = find_service(rec)) == NULL)
		return "service";
	if (!record_gets(rec, AUTH_USER, l->user, sizeof(l->user)) ||
	    !user_ok(l->user))
		return "user";
	if (!record_getu(rec, AUTH_UID, top, &l->uid) ||
	    !record_getu(rec, AUTH_GID, top, &l->gid))
		return "uid or gid";
	if (priv_is_root() ? l->uid == 0 || l->gid == 0 ||
	    l->uid < (uint64_t)s->local.min_uid : l->uid != geteuid())
		return "uid or gid out of bounds";
	if (!record_gets(rec, AUTH_HOME, l->home, sizeof(l->home)) ||
	    l->home[0] != '/' || str_has_control(str_from(l->home)))
		return "home";
	if (!record_gets(rec, AUTH_MAILBOX, l->mailbox, sizeof(l->mailbox)) ||
	    !mailbox_ok(l->mailbox))
		return "mailbox";
	if (!record_gets(rec, AUTH_CLIENT, l->client, sizeof(l->client)) ||
	    str_has_control(str_from(l->client)))
		return "client";
	if (!record_get_text(rec, AUTH_LOCAL, l->local, sizeof(l->local)))
		return "own address";
	if (!record_get_text(rec, AUTH_TLS, l->tls, sizeof(l->tls)))
		return "cipher";
	if (!record_get_text(rec, AUTH_NOTE, l->note, sizeof(l->note)))
		return "note";
	if (!quota_take(rec, &l->quota))
		return "quota";
	if (!by_take(rec, l->by, sizeof(l->by)))
		return "master user";
	if (!record_get(rec, AUTH_PENDING, &l->pending))
		l->pending = STR("");
	if (l->pending.n > PENDING_MAX)
		return "pending bytes";
	l->system = settings_users_system(s);
	return NULL;
}

/* What the session reads: written anew, so that it holds what was checked and nothing else. */
static int
login_memfd(const struct login *l)
{
	struct buf	rec;
	int		fd;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_SERVICE, l->service->name);
	record_puts(&rec, AUTH_USER, l->user);
	record_putu(&rec, AUTH_UID, l->uid);
	record_putu(&rec, AUTH_GID, l->gid);
	record_puts(&rec, AUTH_HOME, l->home);
	record_puts(&rec, AUTH_MAILBOX, l->mailbox);
	record_putu(&rec, AUTH_QUOTA, l->quota);
	if (l->by[0] != '\0')
		record_puts(&rec, AUTH_BY, l->by);
	record_puts(&rec, AUTH_CLIENT, l->client);
	record_puts(&rec, AUTH_LOCAL, l->local);
	record_puts(&rec, AUTH_TLS, l->tls);
	record_puts(&rec, AUTH_NOTE, l->note);
	record_put(&rec, AUTH_PENDING, l->pending);
	fd = memfd_create("login", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || !buf_ok(&rec) || fdio_write(fd, rec.p, rec.n) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1)
		fdio_close(&fd);
	buf_wipe(&rec);
	return fd;
}

/* In the child, between fork and exec. Groups are for whom the system has by this name and number. */
static int
become(void *arg)
{
	const struct login	*l = arg;
	const struct passwd	*pw = NULL;
	struct diag		 why;

	if (l->system)
		pw = getpwnam(l->user);
	return priv_become(pw != NULL && pw->pw_uid == l->uid ? l->user : NULL,
	    (uid_t)l->uid, (gid_t)l->gid, &why);
}

static bool
is_imap(const struct login *l)
{
	return strcmp(l->service->name, "imap") == 0;
}

/* Compiled at the first login of its kind: to do so takes longer than all else of a session's start. */
static int
filter(struct master *m, const struct login *l)
{
	bool		 back = is_imap(l) && auth_note_is_back(l->note);
	int		*fd = &m->session_filter[back ? 1 : 0];
	struct diag	 why;

	if (*fd <= 0 && (*fd = sandbox_export(back ? SANDBOX_SESSION_BACK :
	    SANDBOX_SESSION, &why)) == -1)
		log_error("session user=%s why=\"%s\"", l->user, why.text);
	return *fd;
}

static pid_t
spawn(struct master *m, struct login *l, int client)
{
	char		 path[PATH_LIMIT], name[32];
	char		*argv[] = { name, NULL };
	struct child_fd	 fds[] = { { "client", client }, { "login", -1 },
			    { "filter", filter(m, l) } };
	struct child_plan plan = {
		.path = path, .argv = argv, .log = m->log[1], .link = -1,
		.err = m->foreground ? STDERR_FILENO : -1, .fds = fds,
		.nfds = nitems(fds), .before_exec = become, .arg = l
	};
	pid_t		 pid = -1;

	strlcpy(name, l->service->binary, sizeof(name));
	plan.conf = settings_export(m->settings, PROGRAM_SESSION);
	fds[1].fd = login_memfd(l);
	if (plan.conf != -1 && fds[1].fd != -1 && fds[2].fd != -1 &&
	    (size_t)snprintf(path, sizeof(path), "%s/%s", m->settings->libexec,
	    l->service->binary) < sizeof(path))
		pid = child_spawn(&plan);
	fdio_close(&plan.conf);
	fdio_close(&fds[1].fd);
	return pid;
}

/* Sessions of the service; user NULL: of all. */
static long long
count(const struct master *m, const struct login *l, const char *user)
{
	long long	n = 0;
	size_t		i;

	for (i = 0; i < m->nsessions; i++)
		n += strcmp(m->sessions[i].service, l->service->name) == 0 &&
		    (user == NULL || strcmp(m->sessions[i].user, user) == 0);
	return n;
}

static bool
has_all(const struct master *m, const struct login *l)
{
	long long	most = is_imap(l) ? m->settings->imap.user_connections :
			    m->settings->pop3_user_connections;

	return most > 0 && count(m, l, l->user) >= most;
}

/* NULL, or why there is no room. */
static const char *
no_room(const struct master *m, const struct login *l)
{
	const struct settings	*s = m->settings;

	if (m->stopping)
		return "shutting down";
	if (count(m, l, NULL) >=
	    (is_imap(l) ? s->imap.in : s->pop3).max_connections)
		return "too many sessions";
	return has_all(m, l) ? "too many sessions of this user" : NULL;
}

/* Room first: once there is a process it is in the list. */
static const char *
begin(struct master *m, struct login *l, int fd)
{
	struct session	*more;
	const char	*why;
	char		*user;
	pid_t		 pid;

	if ((why = no_room(m, l)) != NULL)
		return why;
	more = reallocarray(m->sessions, m->nsessions + 1, sizeof(*more));
	if (more == NULL)
		return "out of memory";
	m->sessions = more;
	if ((user = strdup(l->user)) == NULL)
		return "out of memory";
	if ((pid = spawn(m, l, fd)) == -1) {
		log_error("session user=%s why=\"%s\"", l->user,
		    strerror(errno));
		free(user);
		return "the session could not be started";
	}
	m->sessions[m->nsessions++] = (struct session){ pid,
	    l->service->name, user };
	return NULL;
}

static void
answer(struct program *auth, const char *tag, const char *why)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, why == NULL ? "ok" : "temp");
	record_puts(&rec, AUTH_TAG, tag);
	if (why != NULL)
		record_puts(&rec, AUTH_TEXT, why);
	if (auth->link != -1 && (!buf_ok(&rec) ||
	    msg_send(auth->link, &rec, NULL) == -1))
		log_warn("link program=auth verb=session why=\"%s\"",
		    strerror(errno));
	buf_free(&rec);
}

void
session_request(struct master *m, struct program *auth, struct str rec, int fd)
{
	session_try(m, auth, rec, fd, now_ms() + MASTER_HELD_MS);
}

void
session_try(struct master *m, struct program *auth, struct str rec, int fd,
    int64_t due)
{
	struct login	 l;
	const char	*why;

	memset(&l, 0, sizeof(l));
	if (!record_gets(rec, AUTH_TAG, l.tag, sizeof(l.tag)) ||
	    str_has_control(str_from(l.tag)))
		l.tag[0] = '\0';
	if (fd == -1)
		why = "connection";
	else
		why = login_parse(m->settings, rec, &l);
	if (why != NULL) {
		log_error("session-refused program=auth why=\"bad %s\"", why);
		why = "bad request";
	} else if (has_all(m, &l) && session_hold(m, auth, rec, fd, due))
		return;
	else if ((why = begin(m, &l, fd)) != NULL)
		log_warn("session-refused user=%s why=\"%s\"", l.user, why);
	answer(auth, l.tag, why);
}

bool
session_reap(struct master *m, pid_t pid, int status)
{
	char	text[80];
	size_t	i;

	for (i = 0; i < m->nsessions; i++)
		if (m->sessions[i].pid == pid)
			break;
	if (i == m->nsessions)
		return false;
	if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
		log_warn("session-died user=%s pid=%d why=\"%s\"",
		    m->sessions[i].user, (int)pid,
		    exit_text(status, text, sizeof(text)));
	free(m->sessions[i].user);
	m->sessions[i] = m->sessions[--m->nsessions];
	m->reaped++;
	return true;
}

void
session_signal(const struct master *m, int sig)
{
	size_t	i;

	for (i = 0; i < m->nsessions; i++)
		kill(m->sessions[i].pid, sig);
}

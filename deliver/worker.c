/*
 * deliver/worker.c - delivers for one user, as that user. Started by local,
 * talks to queue. What comes at once is stored with one flush. For
 * mailboxes it is in a sandbox that has this mailbox and nothing else; commands
 * cannot be, so they have a worker of their own.
 */
#include "deliver/worker.h"

#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_local.h"
#include "common/proc/sandbox.h"
#include "deliver/command.h"
#include "deliver/place.h"
#include "deliver/who.h"

#define ID_MAX		64
#define COMMANDS_MAX	8	/* at a time */
#define NAP_MS		20
#define AGE_MS		60000	/* then a successor asks again who the user is, and what he may */
#define REFUSE_MS	2000	/* then a successor asks again where the mailbox is */
#define FLOW_MS		10	/* mail flows if the last was stored so recently */
#define GATHER_MS	4	/* then so long is waited for more, */
#define GATHER_TIMES	3	/* as often as some came, */
#define ENOUGH		12	/* until there are so many */

struct who {
	char		user[129], home[PLACE_PATH_MAX];
	char		mailbox[PLACE_PATH_MAX + 8];
	uint64_t	quota;
	bool		command;
};

/* A delivery, with the packet that its views look into. */
struct job {
	struct buf	rec;
	int		fd;
	char		id[ID_MAX];
	struct final	final;
	struct mail	mail;
};

struct worker {
	const struct settings	*set;
	struct who		 who;
	struct place		 place;
	int			 queue;
	struct job		 jobs[PLACE_BATCH];
	size_t			 ncommands;	/* children */
	int64_t			 stored_at;	/* the last batch; now_ms() */
};

static bool
who_parse(struct str rec, struct who *w)
{
	struct str	kind;

	if (!record_gets(rec, WHO_USER, w->user, sizeof(w->user)) ||
	    !record_gets(rec, WHO_HOME, w->home, sizeof(w->home)) ||
	    !record_gets(rec, WHO_MAILBOX, w->mailbox, sizeof(w->mailbox)) ||
	    !record_getu(rec, WHO_QUOTA, INT64_MAX, &w->quota) ||
	    !record_get(rec, WHO_KIND, &kind))
		return false;
	w->command = str_eq(kind, STR("command"));
	return true;
}

static bool
job_parse(struct job *j)
{
	struct str	rec = buf_view(&j->rec), verb, final;
	struct mail	*m = &j->mail;
	uint64_t	at, len;

	if (!record_get(rec, LOCAL_VERB, &verb) ||
	    !str_eq(verb, STR("deliver")) ||
	    !record_gets(rec, LOCAL_ID, j->id, sizeof(j->id)) ||
	    !record_getu(rec, LOCAL_OFFSET, INT64_MAX, &at) ||
	    !record_getu(rec, LOCAL_LENGTH, INT64_MAX, &len) ||
	    !record_get(rec, LOCAL_SENDER, &m->sender) ||
	    !record_get(rec, LOCAL_RCPT, &m->rcpt) ||
	    !record_get(rec, LOCAL_FINAL, &final) ||
	    !final_decode(final, &j->final))
		return false;
	m->addr = j->final.addr;
	m->content = (struct content){
		.fd = j->fd, .at = (off_t)at, .len = (off_t)len
	};
	return true;
}

/* 1, 0: nothing is there (EAGAIN), -1: the end. */
static int
job_recv(struct worker *w, struct job *j)
{
	struct msg_fds	fds;
	int		r;

	j->fd = -1;
	r = msg_recv(w->queue, &j->rec, &fds);
	if (r == -1 && errno == EAGAIN)
		return 0;
	if (r != 1)
		return -1;
	if (fds.n == 1) {
		j->fd = fds.fd[0];
		if (job_parse(j))
			return 1;
	}
	msg_close_fds(&fds);
	log_error("user=%s why=\"malformed delivery\"", w->who.user);
	return -1;
}

static void
job_answer(struct worker *w, struct job *j)
{
	struct buf	out;
	char		text[LOG_SAFE_MAX], to[LOG_SAFE_MAX];
	const char	*slash = strchr(j->id, '/');

	log_info("%s id=%.*s user=%s to=%s status=%s why=%s",
	    j->mail.status[0] == '2' ? "stored" : "not-stored",
	    slash == NULL ? (int)strlen(j->id) : (int)(slash - j->id), j->id,
	    w->who.user, log_safe(to, sizeof(to), j->mail.addr),
	    j->mail.status,
	    log_safe(text, sizeof(text), str_from(j->mail.text)));
	buf_init(&out, 1024);
	record_puts(&out, LOCAL_ID, j->id);
	record_puts(&out, LOCAL_STATUS, j->mail.status);
	record_puts(&out, LOCAL_TEXT, j->mail.text);
	while (msg_send(w->queue, &out, NULL) == -1)
		if (errno != EAGAIN || fdio_wait(w->queue, POLLOUT, -1) == -1)
			break;	/* queue has gone: it will ask again */
	buf_free(&out);
}

static void
job_free(struct job *j)
{
	fdio_close(&j->fd);
	buf_free(&j->rec);
}

static bool
is_strict(const struct settings *s)
{
	return strcmp(s->durability, "strict") == 0;
}

/* A path of an alias file: a Maildir if it ends with '/', else an mbox file. */
static void
store_in_file(struct worker *w, struct job *j)
{
	struct place	p = { .lock_timeout = w->set->local.lock_timeout };
	struct mail	*m = &j->mail;
	struct diag	why = { "" };
	char		location[PLACE_PATH_MAX + 8];

	strlcpy(p.host, w->set->hostname, sizeof(p.host));
	p.strict = is_strict(w->set);
	if ((size_t)snprintf(location, sizeof(location), "%s:%.*s",
	    j->final.arg.p[j->final.arg.n - 1] == '/' ? "maildir" : "mbox",
	    STR_ARG(j->final.arg)) >= sizeof(location)) {
		mail_result(m, "5.3.5", "name of the file is too long");
		return;
	}
	if (place_open(&p, location, "", &why) == -1) {
		mail_result(m, "4.2.0", "%s", why.text);
		return;
	}
	if (place_begin(&p, m, (size_t)w->set->local.hops))
		place_end(&p, &m, 1);
	place_close(&p);
}

static void
run_command(struct worker *w, struct job *j)
{
	const char	*slash = strchr(j->id, '/');
	struct command	 c = {
		.line = j->final.arg, .ext = j->final.ext,
		.id = { j->id, slash == NULL ? strlen(j->id) :
		    (size_t)(slash - j->id) },
		.user = w->who.user, .home = w->who.home,
		.timeout = w->set->local.pipe_timeout
	};

	if (mail_check(&j->mail, (size_t)w->set->local.hops))
		command_run(&c, &j->mail);
}

/* A slow command holds up no other: each has a child, which answers itself. */
static void
fork_command(struct worker *w, struct job *j)
{
	pid_t	pid = fork();

	if (pid == 0) {
		if (j->final.kind == FINAL_PIPE)
			run_command(w, j);
		else if (j->final.kind == FINAL_FILE)
			store_in_file(w, j);
		else
			mail_result(&j->mail, "4.3.0",
			    "a mailbox came to a worker for commands");
		job_answer(w, j);
		_exit(EX_OK);
	}
	if (pid != -1) {
		w->ncommands++;
		return;
	}
	mail_errno(&j->mail, "fork");
	job_answer(w, j);
}

/* A child that died did not answer: queue finds out when we go, too. */
static bool
reap(struct worker *w, bool wait)
{
	int	status;

	while (w->ncommands > 0 && waitpid(-1, &status, wait ? 0 :
	    WNOHANG) > 0) {
		w->ncommands--;
		wait = false;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK) {
			log_error("user=%s why=\"a delivery died\"",
			    w->who.user);
			return false;
		}
	}
	return true;
}

static bool
serve_commands(struct worker *w)
{
	struct job	*j = &w->jobs[0];
	int		 r;

	while ((r = job_recv(w, j)) == 1) {
		fork_command(w, j);
		fdio_close(&j->fd);
		if (!reap(w, w->ncommands >= COMMANDS_MAX))
			return false;
	}
	buf_free(&j->rec);
	return r == 0 && reap(w, false);
}

static int
open_place(struct worker *w, struct diag *why)
{
	w->place.quota = w->who.quota;
	w->place.strict = is_strict(w->set);
	w->place.lock_timeout = w->set->local.lock_timeout;
	strlcpy(w->place.host, w->set->hostname, sizeof(w->place.host));
	return place_open(&w->place, w->who.mailbox, "", why);
}

/*
 * What is waiting, up to a batch. While mail flows it is worth a moment to wait for more of it: they share a
 * flush, which takes longer than the moment, and leave the disk to those that receive. The first after
 * a pause never waits.
 */
static int
gather(struct worker *w, size_t *n)
{
	bool	flows = now_ms() - w->stored_at < FLOW_MS;
	size_t	had;
	int	r, times = 0;

	*n = 0;
	do {
		had = *n;
		if (had > 0)
			poll(NULL, 0, GATHER_MS);
		r = 0;
		while (*n < PLACE_BATCH &&
		    (r = job_recv(w, &w->jobs[*n])) == 1)
			(*n)++;
	} while (r != -1 && flows && *n > had && *n < ENOUGH &&
	    times++ < GATHER_TIMES);
	return r;
}

/* False: the end. */
static bool
serve_mailbox(struct worker *w)
{
	struct mail	*begun[PLACE_BATCH];
	size_t		 i, n, nbegun = 0;
	int		 r = gather(w, &n);

	/* Unanswered, they go to a successor, which finds what is there now. */
	if (n > 0 && !place_is_there(&w->place)) {
		log_warn("user=%s why=\"the mailbox was replaced\"",
		    w->who.user);
		return false;
	}
	for (i = 0; i < n; i++) {
		if (w->jobs[i].final.kind != FINAL_USER)
			mail_result(&w->jobs[i].mail, "4.3.0",
			    "a command came to a worker for mailboxes");
		else if (place_begin(&w->place, &w->jobs[i].mail,
		    (size_t)w->set->local.hops))
			begun[nbegun++] = &w->jobs[i].mail;
		/* Nobody waits for us; a session waits for its processor. */
		sched_yield();
	}
	/*
	 * They are copied. queue removes a message when it has the answer,
	 * and who closes it last waits for the file system.
	 */
	for (i = 0; i < n; i++)
		fdio_close(&w->jobs[i].fd);
	place_end(&w->place, begun, nbegun);
	w->stored_at = now_ms();
	for (i = 0; i < n; i++)
		job_answer(w, &w->jobs[i]);
	/* the one behind the last was begun, and its memory with it */
	for (i = 0; i <= n && i < PLACE_BATCH; i++)
		job_free(&w->jobs[i]);
	return r != -1;
}

static int
confine(struct worker *w, struct diag *why)
{
	char			dir[PLACE_PATH_MAX];
	struct sandbox_path	paths[1] = { { dir,
				    SANDBOX_READ | SANDBOX_WRITE } };

	place_dir(&w->place, dir, sizeof(dir));
	return sandbox_enter(SANDBOX_MAILDIR, paths, 1, why);
}

/* It can be tried as often as wanted: what a sandbox takes away, it takes away at its end. */
static int
use_mailbox(struct worker *w, struct diag *why)
{
	if (open_place(w, why) == -1)
		return -1;
	if (confine(w, why) == 0)
		return 0;
	place_close(&w->place);
	return -1;
}

static int
setup(struct worker *w, struct diag *why)
{
	struct child_fd	fds[CHILD_FDS];
	struct buf	rec;
	int		n, who;
	bool		ok;

	if ((n = child_fds(fds)) == -1 ||
	    (w->queue = child_fd_find(fds, (size_t)n, "queue", 0)) == -1 ||
	    (who = child_fd_find(fds, (size_t)n, "who", 0)) == -1)
		return diag_set(why, "descriptors are missing");
	buf_init(&rec, WHO_MAX);
	ok = fdio_slurp(who, &rec) == 0 && who_parse(buf_view(&rec), &w->who);
	buf_free(&rec);
	if (!ok)
		return diag_set(why, "malformed record of the user");
	fdio_close(&who);
	if (fdio_nonblock(w->queue, 1) == -1 || priv_harden(true) == -1)
		return diag_errno(why, "setup");
	return 0;
}

static int
loop(struct worker *w)
{
	struct pollfd	p = { .fd = w->queue, .events = POLLIN };
	int		idle = (int)(w->set->local.idle_timeout > 3600000 ?
			    3600000 : w->set->local.idle_timeout);
	int64_t		old = now_ms() + AGE_MS;
	int		r;

	for (;;) {
		/* What is in the socket already is given to the successor. */
		if (w->ncommands == 0 && now_ms() >= old)
			return EX_OK;
		r = poll(&p, 1, w->ncommands > 0 ? NAP_MS : idle);
		if (r == -1 && errno != EINTR)
			return EX_OSERR;
		if (w->ncommands > 0 && !reap(w, false))
			return EX_SOFTWARE;
		if (r == 0 && w->ncommands == 0)
			return EX_OK;
		if (r > 0 && !(w->who.command ? serve_commands(w) :
		    serve_mailbox(w)))
			return EX_OK;
	}
}

/* Until something comes, or as long as one refuses. */
static bool
wait_refusing(const struct worker *w, int64_t old)
{
	int64_t	idle = now_ms() + w->set->local.idle_timeout;

	return now_ms() < old && fdio_wait(w->queue, POLLIN,
	    idle < old ? idle : old) != -1;
}

/*
 * The mailbox cannot be used: it is tried once more for what comes, and if it
 * is still so, every delivery hears why.
 */
static int
refuse(struct worker *w, struct diag *why)
{
	struct job	*j = &w->jobs[0];
	int64_t		 old = now_ms() + REFUSE_MS;
	int		 r;

	while (wait_refusing(w, old)) {
		if (use_mailbox(w, why) == 0)
			return loop(w);
		while ((r = job_recv(w, j)) == 1) {
			mail_result(&j->mail, "4.2.0", "%s", why->text);
			job_answer(w, j);
			fdio_close(&j->fd);
		}
		if (r == -1)
			break;
	}
	return EX_TEMPFAIL;
}

int
worker_serve(const struct settings *set)
{
	struct worker	*w;
	struct diag	 why = { "" };
	size_t		 i;
	int		 status;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return EX_OSERR;
	w->set = set;
	w->queue = -1;
	for (i = 0; i < PLACE_BATCH; i++) {
		buf_init(&w->jobs[i].rec, MSG_MAX);
		w->jobs[i].fd = -1;
	}
	if (setup(w, &why) == -1) {
		log_error("start user=%s why=\"%s\"", w->who.user, why.text);
		status = EX_OSERR;
	} else if (w->who.command || use_mailbox(w, &why) == 0)
		status = loop(w);
	else {
		log_error("start user=%s why=\"%s\"", w->who.user, why.text);
		status = refuse(w, &why);
	}
	if (!w->who.command)
		place_close(&w->place);
	free(w);
	return status;
}

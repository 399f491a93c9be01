/*
 * deliver/worker.c - delivers for one user, as that user. Started by local,
 * talks to queue. What comes at once is stored with one flush. For
 * mailboxes it is in a sandbox that has this mailbox and nothing else; commands
 * cannot be, so they have a worker of their own.
 */
#include "deliver/worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "deliver/who.h"
#include "deliver/worker_impl.h"

#define NAP_MS		20
#define AGE_MS		60000	/* then a successor asks again who the user is, and what he may */
#define REFUSE_MS	2000	/* then a successor asks again where the mailbox is */
#define FLOW_MS		10	/* mail flows if the last was stored so recently */
#define GATHER_MS	4	/* then so long is waited for more, */
#define GATHER_TIMES	3	/* as often as some came, */
#define ENOUGH		12	/* until there are so many */

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

static int
open_place(struct worker *w, struct diag *why)
{
	w->place.limited = true;
	w->place.quota = w->who.quota;
	w->place.strict = w->strict;
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
		    (r = worker_job_recv(w, &w->jobs[*n])) == 1)
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
		worker_job_answer(w, &w->jobs[i]);
	/* the one behind the last was begun, and its memory with it */
	for (i = 0; i <= n && i < PLACE_BATCH; i++)
		worker_job_free(&w->jobs[i]);
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
		if (w->ncommands > 0 && !worker_reap(w, false))
			return EX_SOFTWARE;
		if (r == 0 && w->ncommands == 0)
			return EX_OK;
		if (r > 0 && !(w->who.command ? worker_commands(w) :
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
		while ((r = worker_job_recv(w, j)) == 1) {
			mail_result(&j->mail, "4.2.0", "%s", why->text);
			worker_job_answer(w, j);
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
	w->strict = strcmp(set->durability, "strict") == 0;
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

/* imapd/waiting.c - poll(2) on the client and on what happens to the mailbox. */
#include "imapd/waiting.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>

#include "common/base/attr.h"
#include "common/base/now.h"
#include "common/proc/sig.h"
#include "imapd/commands.h"
#include "imapd/compress.h"
#include "imapd/notify.h"
#include "imapd/reader.h"
#include "imapd/updates.h"

#define LOOK_WITHOUT	900	/* ms: how often, where the kernel tells nothing */
#define LOOK_WITH	30000	/* and where it does: other hosts' changes it does not see */
#define LINE_BEGUN	1024	/* bytes of a line that are waited for in vain */
#define AWAKE		1000	/* ms: so soon another command is likely */
#define GATHER		100	/* ms without a further event of other mailboxes: it may be the first of many, as of a RENAME with children ... */
#define GATHER_MAX	400	/* ... but no longer than this */
#define AGAIN		30	/* ms: until it is looked once more if something may have been missed, then twice as long ... */
#define AGAIN_MAX	20000	/* ... up to this */

struct waiting {
	struct session	*s;
	bool		 idle;
	int64_t		 over;		/* the client was silent for too long */
	int64_t		 notify, look;	/* when to say something, and to look */
	int64_t		 sleep;		/* when memory is given back */
	int64_t		 gather;	/* until when events of others may be gathered; 0: there were none */
	int64_t		 again;		/* ms until it is looked once more */
};

static void
tell(struct waiting *w)
{
	struct session	*s = w->s;

	if (s->state == S_SELECTED)
		notify_selected(s, w->idle);
	if (s->end == NULL)
		notify_send(s);
}

/* ms until it is certain that nothing was missed; 0: it is. */
static int64_t
unsure(const struct session *s)
{
	int64_t	left = s->view != NULL ? view_unsure(s->view) : 0;

	return left == 0 && notify_unsure(s) ? AGAIN_MAX : left;
}

static void
look(struct waiting *w, int64_t now)
{
	int64_t	left;

	w->look = now + LOOK_WITH;
	w->gather = 0;
	tell(w);
	if (w->s->end != NULL || w->again > AGAIN_MAX ||
	    (left = unsure(w->s)) == 0)
		return;
	w->look = now_ms() + (left < w->again ? left : w->again);
	w->again *= 2;
}

/* What is not needed while nothing happens is given back. */
static bool
rest(struct waiting *w)
{
	struct session	*s = w->s;

	if (conn_flush(&s->conn, s->set->imap.in.idle_timeout) == -1) {
		reader_over(s);
		return false;
	}
	conn_idle_trim(&s->conn);
	if (w->idle || now_ms() >= w->sleep) {
		fetch_kept_drop(&s->kept);
		compress_rest(s);
		malloc_trim(0);
		w->sleep = INT64_MAX;
	}
	return true;
}

static int64_t
next_time(const struct waiting *w)
{
	int64_t	at = w->over;

	if (w->notify < at)
		at = w->notify;
	if (w->sleep < at)
		at = w->sleep;
	return w->look < at ? w->look : at;
}

enum { CLIENT, FOLDER, OTHERS, STOP, MASTER, DESCRIPTORS };

static void
gather(struct waiting *w)
{
	int64_t	now = now_ms();

	if (w->gather == 0)
		w->gather = now + GATHER_MAX;
	w->look = now + GATHER < w->gather ? now + GATHER : w->gather;
}

/* Waits. 1: the client, 0: something may have changed, -1: errno. */
static int
wait_once(struct waiting *w)
{
	struct session	*s = w->s;
	struct pollfd	 p[DESCRIPTORS] = {
		[CLIENT] = { s->conn.fd, POLLIN, 0 },
		[FOLDER] = { s->view != NULL ? view_wait_fd(s->view) : -1,
		    POLLIN, 0 },
		[OTHERS] = { notify_wait_fd(s), POLLIN, 0 },
		[STOP] = { sig_wake_fd(), POLLIN, 0 },
		[MASTER] = { s->conn.master, 0, 0 },
	};
	int64_t		 left;
	int		 r;

	if (((s->view != NULL && p[FOLDER].fd == -1) ||
	    p[OTHERS].fd == -1) &&
	    w->look > now_ms() + LOOK_WITHOUT)
		w->look = now_ms() + LOOK_WITHOUT;
	left = next_time(w) - now_ms();
	r = poll(p, nitems(p), left < 0 ? 0 : (int)left);
	if ((s->conn.stop != NULL && *s->conn.stop != 0) ||
	    p[MASTER].revents != 0) {
		errno = ECANCELED;
		return -1;
	}
	if (r == -1)
		return errno == EINTR ? 0 : -1;
	/* cleared before it is looked: what comes then is seen next time */
	if (p[FOLDER].revents != 0)
		view_wait_clear(s->view);
	if (p[OTHERS].revents != 0)
		notify_clear(s);
	if (p[FOLDER].revents != 0 || p[OTHERS].revents != 0)
		w->again = AGAIN;
	if (p[OTHERS].revents != 0)
		gather(w);
	if (p[FOLDER].revents != 0)
		w->look = 0;
	return p[CLIENT].revents != 0;
}

/* Is there a line, or what cannot become one? */
static bool
has_line(const struct session *s)
{
	return conn_has_line(&s->conn) ||
	    conn_pending(&s->conn).n > LINE_BEGUN;
}

/* What the client has sent. False: it is over. */
static bool
take(struct session *s)
{
	errno = 0;
	switch (conn_fill(&s->conn, 0)) {
	case 1:
		return true;
	case -1:
		if (errno == ETIMEDOUT || errno == EAGAIN)
			return true;
		break;
	default:
		errno = 0;
		break;
	}
	reader_over(s);
	return false;
}

static bool
step(struct waiting *w)
{
	struct session	*s = w->s;
	int64_t		 now = now_ms();

	if (now >= w->over) {
		errno = ETIMEDOUT;
		reader_over(s);
		return false;
	}
	if (now >= w->look)
		look(w, now);
	if (now >= w->notify) {
		say(s, "OK Still here");
		w->notify = now + s->set->imap.idle_notify;
	}
	if (s->end != NULL || !rest(w))
		return false;
	switch (wait_once(w)) {
	case -1:
		reader_over(s);
		return false;
	case 1:
		return take(s);
	}
	return true;
}

bool
waiting_for_line(struct session *s, bool idle)
{
	int64_t		now = now_ms();
	struct waiting	w = { .s = s, .idle = idle, .look = now, .again = AGAIN,
			    .over = now + s->set->imap.in.idle_timeout,
			    .notify = INT64_MAX,
			    .sleep = idle ? INT64_MAX : now + AWAKE };

	if (idle && s->set->imap.idle_notify > 0)
		w.notify = now + s->set->imap.idle_notify;
	/* watched before it is looked: nothing comes between */
	if (s->view != NULL)
		(void)view_wait_fd(s->view);
	/* a layer below may have bytes that poll(2) does not see */
	if (!has_line(s) && s->compressed && !take(s))
		return false;
	while (!has_line(s))
		if (!step(&w))
			return false;
	return s->end == NULL;
}

/*
 * deliver/remote_worker.c - takes deliveries from queue, one at a time, and
 * finds a server that takes them. Runs as ph-remote in an empty root
 * directory; distrusts every server, believes queue.
 */
#include "deliver/remote_worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/sig.h"
#include "deliver/remote_dial.h"
#include "deliver/remote_tx.h"

#define CLEAR_MAX	8	/* servers remembered */
#define NAP_MS		500	/* then the stop flag is looked at */
#define LEAVE_MS	60000	/* without a session and without work */

struct worker {
	const struct remote	*r;
	struct session		 s;
	struct job		 job;
	struct buf		 in, out;
	char			 clear[CLEAR_MAX][sizeof(((struct session *)0)->peer)];
	size_t			 nclear;	/* servers whose TLS failed */
	bool			 gone;		/* queue is */
};

/* ---- to queue */

static void
tell(struct worker *w)
{
	if (buf_ok(&w->out) && msg_send(w->r->queue, &w->out, NULL) == 0)
		return;
	w->gone = true;		/* it will ask again */
	if (!buf_ok(&w->out) || (errno != EPIPE && errno != ECONNRESET))
		log_error("not-told id=%s why=\"%s\"", w->job.id,
		    buf_ok(&w->out) ? strerror(errno) : "no memory");
}

static void
log_result(const struct worker *w, const struct job_rcpt *r,
    const struct verdict *v)
{
	char	to[LOG_SAFE_MAX], text[LOG_SAFE_MAX], peer[LOG_SAFE_MAX];
	char	tls[LOG_SAFE_MAX];

	log_info("%s id=%s to=%s status=%s host=%s tls=%s why=%s",
	    v->status[0] == '2' ? "sent" : "not-sent", w->job.id,
	    log_safe(to, sizeof(to), r->addr), v->status,
	    log_safe(peer, sizeof(peer), str_from(w->s.peer)),
	    log_safe(tls, sizeof(tls), str_from(w->s.tls)),
	    log_safe(text, sizeof(text), str_from(v->text)));
}

static void
tell_result(void *arg, struct job_rcpt *r, const struct verdict *v)
{
	struct worker	*w = arg;

	r->settled = true;
	log_result(w, r, v);
	/* queue removes the message when it has the last one, and who closes it last waits for the file system. */
	if (++w->job.nsettled == w->job.nrcpts)
		fdio_close(&w->job.fd);
	buf_reset(&w->out);
	record_puts(&w->out, REMOTE_VERB, "result");
	record_putu(&w->out, REMOTE_NUMBER, r->number);
	record_puts(&w->out, REMOTE_STATUS, v->status);
	record_puts(&w->out, REMOTE_TEXT, v->text);
	if (w->s.peer[0] != '\0')
		record_puts(&w->out, REMOTE_HOST, w->s.peer);
	if (w->s.ehlo.dsn)
		record_puts(&w->out, REMOTE_DSN, "");
	if (w->s.tls[0] != '\0')
		record_puts(&w->out, REMOTE_TLS, w->s.tls);
	if (v->said)
		record_puts(&w->out, REMOTE_SAID, "");
	tell(w);
}

static void
tell_done(struct worker *w, const char *failure, const struct verdict *why)
{
	bool	keep = session_is_open(&w->s) && w->s.messages <
	    (unsigned)w->r->set->remote.session_messages;

	buf_reset(&w->out);
	record_puts(&w->out, REMOTE_VERB, "done");
	record_puts(&w->out, REMOTE_ID, w->job.id);
	if (keep)
		record_puts(&w->out, REMOTE_KEEP, "");
	if (failure != NULL) {
		record_puts(&w->out, REMOTE_FAILURE, failure);
		record_puts(&w->out, REMOTE_TEXT, why->text);
	}
	tell(w);
	if (!keep)
		session_close(&w->s);
}

/* ---- to a server */

static bool
is_clear(const struct worker *w, const char *peer)
{
	size_t	i, n = w->nclear < CLEAR_MAX ? w->nclear : CLEAR_MAX;

	for (i = 0; i < n; i++)
		if (strcmp(w->clear[i], peer) == 0)
			return true;
	return false;
}

static void
remember_clear(struct worker *w, const char *peer, const struct verdict *why)
{
	char	text[LOG_SAFE_MAX], host[LOG_SAFE_MAX];

	log_info("no-tls host=%s why=%s",
	    log_safe(host, sizeof(host), str_from(peer)),
	    log_safe(text, sizeof(text), str_from(why->text)));
	strlcpy(w->clear[w->nclear++ % CLEAR_MAX], peer, sizeof(w->clear[0]));
}

/* How the search for a server goes. */
struct search {
	struct dial	dial;
	bool		connected;	/* some server answered */
	bool		busy;		/* the last one to fail said 421 */
	bool		soft;		/* some server failed for a time: so does the delivery */
	struct verdict	temp, perm;	/* the last ones; text "" if none */
};

static void
search_init(struct search *f, const struct worker *w)
{
	memset(f, 0, sizeof(*f));
	dial_init(&f->dial, &w->job.hop,
	    (unsigned)w->r->set->remote.addresses);
}

/* What is to be said if no server takes it. */
static void
search_verdict(struct search *f, struct verdict *why)
{
	if (f->perm.text[0] != '\0' && f->temp.text[0] == '\0') {
		*why = f->perm;
		if (dial_untried(&f->dial))
			why->status[0] = '4';	/* another may think differently */
	} else
		*why = f->temp;
}

/* The target once more, in the clear. */
static void
again(struct search *f, const struct target *t)
{
	f->dial.tried[t - f->dial.hop->targets] = false;
	f->dial.left++;
}

/* True: there is a session. False: *why; w->gone if queue has gone. */
static bool
open_session(struct worker *w, struct search *f, struct verdict *why)
{
	const struct target	*t;
	char			 peer[sizeof(w->s.peer)];
	struct verdict		 v;
	enum open_result	 result;
	bool			 clear;
	int			 fd, r;

	w->s.peer[0] = w->s.tls[0] = '\0';
	while ((r = dial_next(&f->dial, w->r, &fd, &t, &f->temp)) == 1) {
		f->connected = true;
		clear = is_clear(w, target_text(t, peer, sizeof(peer)));
		result = session_open(&w->s, fd, t, &w->job.hop, clear, &v);
		f->busy = result != OPEN_OK && w->s.closing;
		switch (result) {
		case OPEN_OK:
			return true;
		case OPEN_LOOP:
			/* a better server that is down for now is worth waiting for */
			*why = f->temp.text[0] != '\0' ? f->temp : v;
			return false;
		case OPEN_PERM:
			f->perm = v;
			break;
		case OPEN_CLEAR:
			if (!clear) {
				remember_clear(w, peer, &v);
				again(f, t);
				break;
			}
			/* FALLTHROUGH */
		case OPEN_TEMP:
			f->temp = v;
			break;
		}
	}
	if (r == -1)
		w->gone = true;
	search_verdict(f, why);
	return false;
}

static bool
is_settled(const struct job *j)
{
	size_t	i;

	for (i = 0; i < j->nrcpts; i++)
		if (!j->rcpts[i].settled)
			return false;
	return true;
}

/* Until all are settled or nothing more can be done for them: NULL, or the kind of failure and *why. */
static const char *
deliver(struct worker *w, struct verdict *why)
{
	const struct tx_ops	ops = { tell_result, w };
	struct search		f;
	bool			old = session_fits(&w->s, &w->job.hop);

	search_init(&f, w);
	while (!w->gone) {
		if (!session_is_open(&w->s)) {
			session_close(&w->s);
			if (!open_session(w, &f, why))
				return f.busy ? "busy" :
				    f.connected ? "session" : "connect";
		}
		switch (tx_run(&w->s, &w->job, &ops, why)) {
		case TX_DONE:
			if (is_settled(&w->job))
				return NULL;
			if (w->s.ehlo.mail_max > 0 &&
			    w->s.mails >= w->s.ehlo.mail_max) {
				session_close(&w->s);
				search_init(&f, w);
			}
			break;
		case TX_EARLY:
			/* one that was idle may just have ended; BDAT may have been wrong */
			if (old || (w->job.no_bdat && w->s.ehlo.chunking &&
			    !f.soft))
				search_init(&f, w);
			f.soft = true;
			f.temp = *why;
			f.busy = w->s.closing;
			w->s.broken = true;
			break;
		case TX_BUSY:
			return "busy";
		case TX_BROKEN:
			return w->s.closing ? "busy" : "session";
		}
		old = false;
	}
	verdict_set(why, "4.3.2", "stopped");
	return "session";
}

static void
run(struct worker *w)
{
	struct verdict	why = { .status = "4.3.0" };
	const char	*failure;
	size_t		i;

	failure = deliver(w, &why);
	if (w->gone)
		return;
	if (why.status[0] == '2' || why.text[0] == '\0')
		verdict_set(&why, "4.3.0", "not tried");
	for (i = 0; i < w->job.nrcpts; i++)
		if (!w->job.rcpts[i].settled)
			tell_result(w, &w->job.rcpts[i], &why);
	w->s.messages++;
	tell_done(w, failure, &why);
}

/* ---- the life of a worker */

/* False: the end. */
static bool
take(struct worker *w)
{
	struct msg_fds	fds;
	int		r = msg_recv(w->r->queue, &w->in, &fds);

	if (r == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (r != 1)
		return false;
	if (fds.n != 1 || !job_parse(buf_view(&w->in), &w->job)) {
		msg_close_fds(&fds);
		log_error("peer-dropped why=\"malformed delivery\"");
		return false;
	}
	w->job.fd = fds.fd[0];
	run(w);
	fdio_close(&w->job.fd);
	return !w->gone;
}

static int
slice(int64_t until)
{
	int64_t	left = until - now_ms();

	return left <= 0 ? 0 : left < NAP_MS ? (int)left : NAP_MS;
}

static void
loop(struct worker *w)
{
	struct pollfd	p[2];
	int64_t		idle = now_ms() + LEAVE_MS;

	while (*sig_stop_flag() == 0) {
		p[0] = (struct pollfd){ w->r->queue, POLLIN, 0 };
		p[1] = (struct pollfd){ w->s.conn.fd, POLLIN, 0 };
		if (poll(p, 2, slice(idle)) == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			log_error("poll why=\"%s\"", strerror(errno));
			return;		/* there is nothing under way */
		}
		if (p[0].revents != 0) {
			if (!take(w))
				return;
			idle = now_ms() + w->r->set->remote.idle_timeout;
		} else if (p[1].revents != 0) {
			w->s.broken = true;	/* 421, or the end */
			session_close(&w->s);
		} else if (now_ms() >= idle) {
			if (w->s.conn.fd == -1)
				return;
			session_close(&w->s);
			idle = now_ms() + LEAVE_MS;	/* queue may just have sent something */
		}
	}
}

int
remote_serve(const struct remote *r)
{
	struct worker	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return EX_OSERR;
	w->r = r;
	session_init(&w->s, r);
	buf_init(&w->in, MSG_MAX);
	buf_init(&w->out, MSG_MAX);
	loop(w);
	session_close(&w->s);
	buf_free(&w->in);
	buf_free(&w->out);
	free(w);
	return EX_OK;
}

/*
 * queue/report.c - one report to the sender of a message (RFC 3464). It is a
 * message of its own, safe in the queue before anything else is forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/dsn.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/header.h"
#include "common/fmt/utf8.h"
#include "queue/history.h"
#include "queue/letter.h"
#include "queue/queue.h"

#define ORIGIN_BOUNCE	"bounce"
#define HEADER_MAX	262144u
#define TEXT_MAX	(64u << 20)	/* a hundred thousand recipients fit */
#define STATUS_MAX	((1u << 20) + 4096)
#define SUBJECT_MAX	1000u
#define ATTEMPTS_MAX	50u		/* of one recipient, the last ones: dsn.h shows no more */
#define HISTORY_BYTES	(16u << 20)	/* of all of them */

/* A report in the making. */
struct report {
	struct queue		*q;
	const struct message	*m;
	struct dsn		 dsn;
	struct dsn_rcpt		*rcpts;
	size_t			 nrcpts;
	struct buf		 status;	/* the status file: what was said when */
	struct history		 history;
	struct buf		 returned;	/* header or content */
	struct buf		 to;		/* whom it goes to */
	size_t			 told;		/* bytes of attempts */
	struct arena		 mem;
	char			 id[ID_SIZE];
};

/* An address that stands for several has lines of each: those that say what the report says. */
static bool
tells(enum dsn_kind kind, struct str status)
{
	char	class = status.n > 0 ? *status.p : '\0';

	switch (kind) {
	case DSN_FAILURE:
		return class == '5' || str_eq(status, STR(STATUS_EXPIRED));
	case DSN_DELAY:
		return class == '4';
	case DSN_SUCCESS:
		break;
	}
	return class == '2';
}

/*
 * Of one recipient the lines as a person reads them; the last one of the kind
 * tells the rest. An address that was named a thousand times has the lines of
 * all of them each time: a report must not become too large to be written.
 */
static int
tell(struct report *rep, struct dsn_rcpt *r)
{
	const struct history_line	*l;
	struct buf			 text;
	size_t				 i, n, from;
	int				 ret;

	l = history_of(&rep->history, r->addr, &n);
	from = rep->told > HISTORY_BYTES ? n : n > ATTEMPTS_MAX ?
	    n - ATTEMPTS_MAX : 0;
	buf_init(&text, STATUS_MAX * 2);
	for (i = 0; i < n; i++) {
		if (i >= from) {
			dsn_date(&text, l[i].at_s);
			buf_addf(&text, "  %.*s %.*s\n", STR_ARG(l[i].status),
			    STR_ARG(l[i].text));
		}
		r->last_s = l[i].at_s;
		if (tells(rep->dsn.kind, l[i].status)) {
			r->status = l[i].status;
			r->remote = l[i].host;
			r->diagnostic = l[i].host.n > 0 ? l[i].reply :
			    l[i].text;
		}
	}
	rep->told += text.n;
	ret = buf_ok(&text) ? arena_dup(&rep->mem, buf_view(&text),
	    &r->history) : -1;
	buf_free(&text);
	return ret;
}

/* The name of the report in the log, and what it says of most recipients. */
static const char *
action(enum dsn_kind kind)
{
	switch (kind) {
	case DSN_FAILURE:
		return "failed";
	case DSN_DELAY:
		return "delayed";
	case DSN_SUCCESS:
		break;
	}
	return "delivered";
}

static int
add_rcpt(struct report *rep, const struct envelope_rcpt *r)
{
	struct dsn_rcpt	*to = &rep->rcpts[rep->nrcpts];

	/* The sender wrote to one address; what it stands for is not his affair. */
	if (rep->nrcpts > 0 && str_eq(to[-1].addr, r->addr) &&
	    str_eq(to[-1].orcpt, r->orcpt))
		return 0;
	*to = (struct dsn_rcpt){ .addr = r->addr, .orcpt = r->orcpt,
	    .action = action(rep->dsn.kind) };
	rep->nrcpts++;
	if (r->state == RCPT_EXPANDED) {
		to->action = "expanded";
		to->diagnostic = STR("the address stands for several "
		    "recipients; the message was passed on to them");
		return 0;
	}
	if (rep->dsn.kind == DSN_DELAY)
		to->until_s = rep->m->env.arrival_ms / 1000 +
		    rep->q->settings->queue.lifetime / 1000;
	if (tell(rep, to) == -1)
		return -1;
	/* RFC 3461 5.2.2: what becomes of it there is not known here */
	if (rep->dsn.kind == DSN_SUCCESS && to->remote.n > 0)
		to->action = "relayed";
	return 0;
}

static int
add_rcpts(struct report *rep)
{
	const struct envelope	*env = &rep->m->env;
	size_t			 i;

	rep->rcpts = calloc(bounce_count(rep->m, rep->dsn.kind),
	    sizeof(*rep->rcpts));
	if (rep->rcpts == NULL)
		return -1;
	for (i = 0; i < env->nrcpts; i++)
		if (bounce_wants(&env->rcpts[i], rep->dsn.kind) &&
		    add_rcpt(rep, &env->rcpts[i]) == -1)
			return -1;
	return 0;
}

/* ---- what is returned of the message */

static void
take_subject(struct report *rep)
{
	struct header_field	f;
	struct buf		text;

	buf_init(&text, SUBJECT_MAX);
	if (header_find(buf_view(&rep->returned), "Subject", &f) &&
	    header_unfold(f.body, &text) == 0 && arena_dup(&rep->mem,
	    buf_view(&text), &rep->dsn.subject) == -1)
		rep->dsn.subject = STR("");	/* it helps, no more */
	buf_free(&text);
}

/* RFC 3461 4.3: RET=FULL as far as the limit goes; without RET a short message whole. */
static int
take_content(struct report *rep)
{
	const struct envelope	*env = &rep->m->env;
	long long		 most = rep->q->settings->queue.bounce_size;
	size_t			 n;
	ssize_t			 got;

	rep->dsn.full = rep->dsn.kind == DSN_FAILURE &&
	    !(env->options & ENV_RET_HDRS) && env->content_len <= most;
	n = rep->dsn.full || env->content_len < (off_t)HEADER_MAX ?
	    (size_t)env->content_len : HEADER_MAX;
	buf_init(&rep->returned, n + 4);
	if (buf_reserve(&rep->returned, n == 0 ? 1 : n) == -1 ||
	    (got = fdio_pread(rep->m->fd, rep->returned.p, n,
	    env->content_at)) == -1)
		return -1;
	rep->returned.n = (size_t)got;
	take_subject(rep);
	if (!rep->dsn.full)
		rep->returned.n = header_length(buf_view(&rep->returned));
	n = rep->returned.n;
	if (n > 0 && rep->returned.p[n - 1] != '\n' &&
	    buf_adds(&rep->returned, "\r\n") == -1)
		return -1;
	rep->dsn.eightbit = !utf8_is_ascii(buf_view(&rep->returned));
	return 0;
}

/*
 * What needs no UTF-8 is told in the form that every program knows (RFC 6533
 * 4.4), though the message was sent with SMTPUTF8.
 */
static bool
needs_utf8(const struct report *rep)
{
	struct str	content = buf_view(&rep->returned);
	size_t		i;

	content.n = header_length(content);
	if (!utf8_is_ascii(rep->m->env.sender) || !utf8_is_ascii(content))
		return true;
	for (i = 0; i < rep->nrcpts; i++)
		if (!utf8_is_ascii(rep->rcpts[i].addr) ||
		    !utf8_is_ascii(rep->rcpts[i].orcpt))
			return true;
	return false;
}

/* ---- the report as a message */

static int
write_report(struct report *rep, struct letter *l)
{
	struct buf	text, end;
	struct str	parts[3];
	int		r = -1;

	buf_init(&text, TEXT_MAX);
	buf_init(&end, 256);
	if (dsn_begin(&text, &rep->dsn, rep->rcpts, rep->nrcpts) == 0 &&
	    dsn_end(&end, &rep->dsn) == 0) {
		parts[0] = buf_view(&text);
		parts[1] = buf_view(&rep->returned);
		parts[2] = buf_view(&end);
		r = letter_send(rep->q, l, parts, nitems(parts));
	}
	buf_free(&text);
	buf_free(&end);
	return r;
}

static int
send_report(struct report *rep, bool twice)
{
	struct letter	l = {
		.origin = twice ? ORIGIN_DOUBLE : ORIGIN_BOUNCE,
		.to = buf_view(&rep->to)
	};
	char		to[LOG_SAFE_MAX];

	letter_id(l.id);
	strlcpy(rep->id, l.id, sizeof(rep->id));
	/* What is not ASCII stands in the body, but for the sender's address. */
	if (!utf8_is_ascii(l.to))
		l.options |= ENV_SMTPUTF8;
	if (dsn_is_eightbit(&rep->dsn, rep->rcpts, rep->nrcpts))
		l.options |= ENV_8BITMIME;
	if (write_report(rep, &l) == -1)
		return -1;
	log_info("report id=%s kind=%s of=%s to=%s nrcpts=%zu", l.id,
	    action(rep->dsn.kind), rep->m->env.id,
	    log_safe(to, sizeof(to), l.to),
	    bounce_count(rep->m, rep->dsn.kind));
	return 0;
}

/* The sender; the postmaster for a bounce that cannot be delivered. */
static int
address(struct report *rep, bool twice)
{
	buf_init(&rep->to, 1024);
	if (!twice)
		return buf_addstr(&rep->to, rep->m->env.sender);
	return letter_postmaster(rep->q->settings, &rep->to);
}

int
report_make(struct queue *q, const struct message *m, enum dsn_kind kind)
{
	struct report	rep = {
		.q = q, .m = m, .dsn = {
			.kind = kind, .hostname = q->settings->hostname,
			.about = m->env.id, .envid = m->env.envid,
			.subject = STR(""), .now_s = now_real_ms() / 1000,
			.arrival_s = m->env.arrival_ms / 1000,
			.utf8 = (m->env.options & ENV_SMTPUTF8) != 0,
			.postmaster = m->env.sender.n == 0
		}
	};
	bool		twice = m->env.sender.n == 0;
	int		r = -1, saved;

	arena_init(&rep.mem, TEXT_MAX);
	buf_init(&rep.status, STATUS_MAX);
	rep.dsn.id = rep.id;
	if (address(&rep, twice) == 0 &&
	    spool_status_read(&q->spool, m->id, &rep.status) == 0 &&
	    history_read(&rep.history, buf_view(&rep.status)) == 0 &&
	    add_rcpts(&rep) == 0 && take_content(&rep) == 0) {
		rep.dsn.to = buf_view(&rep.to);
		rep.dsn.utf8 = rep.dsn.utf8 && needs_utf8(&rep);
		r = send_report(&rep, twice);
	}
	saved = errno;
	free(rep.rcpts);
	history_free(&rep.history);
	arena_free(&rep.mem);
	buf_free(&rep.status);
	buf_free(&rep.returned);
	buf_free(&rep.to);
	errno = saved;
	return r;
}

/*
 * queue/router.c - questions to route, some under way at a time; the answers
 * come in the order of the questions. A router that has gone is asked again
 * once; then the mail waits a little.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_route.h"
#include "queue/queue.h"

#define SOCKET		"sock/route"
#define WHY_MAX		1024	/* of the reasons, in the log */
#define UNDER_WAY	64u
#define ANSWER_SECONDS	60

struct router {
	struct queue		*q;
	int			 fd;
	struct event		*event;
	struct task_list	 asked, wanted;
	size_t			 nasked;
	bool			 fresh;		/* nothing was answered on this connection */
	int64_t			 since;		/* the oldest question or the last answer, ms */
	struct buf		 rec;
};

static void	readable(evutil_socket_t, short, void *);

int
router_new(struct queue *q)
{
	struct router	*r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return -1;
	r->q = q;
	r->fd = -1;
	TAILQ_INIT(&r->asked);
	TAILQ_INIT(&r->wanted);
	buf_init(&r->rec, MSG_MAX);
	q->router = r;
	return 0;
}

static void
hang_up(struct router *r)
{
	if (r->event != NULL)
		event_free(r->event);
	r->event = NULL;
	fdio_close(&r->fd);
	/* asked in vain: once more, in the old order */
	TAILQ_CONCAT(&r->asked, &r->wanted, link);
	TAILQ_CONCAT(&r->wanted, &r->asked, link);
	r->nasked = 0;
}

static int
dial(struct router *r)
{
	static const struct timeval	limit = { ANSWER_SECONDS, 0 };

	if (r->fd != -1)
		return 0;
	if ((r->fd = msg_connect(SOCKET)) == -1)
		return -1;
	if (fdio_nonblock(r->fd, 1) == -1 ||
	    (r->event = event_new(r->q->base, r->fd,
	    EV_READ | EV_PERSIST, readable, r)) == NULL ||
	    event_add(r->event, &limit) == -1) {
		hang_up(r);
		errno = ENOMEM;
		return -1;
	}
	r->fresh = true;
	return 0;
}

static int
put_question(struct router *r, const struct task *t)
{
	const struct envelope	*env = &t->m->env;

	buf_reset(&r->rec);
	record_puts(&r->rec, ROUTE_VERB, "final");
	record_put(&r->rec, ROUTE_SENDER, env->sender);
	record_put(&r->rec, ROUTE_RCPT, env->rcpts[t->rcpt].addr);
	record_putu(&r->rec, ROUTE_SKIP, t->nfinals);
	return buf_ok(&r->rec) ? msg_send(r->fd, &r->rec, NULL) : -1;
}

/* With no finals, status and text say why. */
static void
answered(struct queue *q, struct task *t, const char *status, struct str text)
{
	struct message	*m = t->m;

	m->routing--;
	if (t->nfinals == 0) {
		/* The message must not end before all answers are there. */
		m->pending++;
		task_done(q, t, status, text);
		m->pending--;
	}
	if (m->routing == 0)
		message_routed(q, m);
}

/* Route cannot be asked: everybody waits a little. */
static void
give_up(struct router *r, const char *why)
{
	struct task	*t;

	log_warn("route why=\"%s\"", why);
	hang_up(r);
	while ((t = TAILQ_FIRST(&r->wanted)) != NULL) {
		TAILQ_REMOVE(&r->wanted, t, link);
		t->m->soon = true;
		t->nfinals = 0;
		answered(r->q, t, "4.3.0", STR("the router cannot be asked"));
	}
}

static void
ask_more(struct router *r)
{
	struct task	*t;

	while (r->nasked < UNDER_WAY && (t = TAILQ_FIRST(&r->wanted)) != NULL) {
		if (dial(r) == -1) {
			give_up(r, strerror(errno));
			return;
		}
		if (put_question(r, t) == -1) {
			if (errno == EAGAIN && r->nasked > 0)
				return;		/* an answer will come first */
			if (r->fresh) {
				give_up(r, strerror(errno));
				return;
			}
			hang_up(r);
			continue;
		}
		TAILQ_REMOVE(&r->wanted, t, link);
		TAILQ_INSERT_TAIL(&r->asked, t, link);
		if (r->nasked++ == 0)
			r->since = now_ms();
	}
}

void
router_ask(struct queue *q, struct task *t)
{
	TAILQ_INSERT_TAIL(&q->router->wanted, t, link);
	/* from the loop, not from within the caller: an answer may end its message */
	queue_kick(q);
}

void
router_work(struct queue *q)
{
	ask_more(q->router);
}

static int
add_final(struct task *t, struct str value)
{
	struct str	*more;
	size_t		 cap = t->cfinals == 0 ? 4 : t->cfinals * 2;

	if (t->nfinals == ROUTE_FINALS)
		return -1;
	if (t->nfinals == t->cfinals) {
		if ((more = arena_get(&t->m->mem, cap * sizeof(*more))) == NULL)
			return -1;
		if (t->nfinals > 0)
			memcpy(more, t->finals, t->nfinals * sizeof(*more));
		t->finals = more;
		t->cfinals = cap;
	}
	if (arena_dup(&t->m->mem, value, &t->finals[t->nfinals]) == -1)
		return -1;
	t->nfinals++;
	return 0;
}

/* 1: everything is there; 0: there is more to ask; -1: no sense in it. */
static int
take_answer(struct task *t, struct str rec, char status[16], struct str *text)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	more;
	uint64_t	code, all;

	if (!record_getu(rec, ROUTE_CODE, 599, &code) ||
	    !record_gets(rec, ROUTE_STATUS, status, 16))
		return -1;
	if (!record_get(rec, ROUTE_TEXT, text))
		*text = STR("");
	if (code >= 400) {
		t->nfinals = 0;
		return status[0] == '4' || status[0] == '5' ? 1 : -1;
	}
	while (record_next(&c, &f))
		if (f.tag == ROUTE_FINAL && add_final(t, f.value) == -1)
			return -1;
	/* a number that makes no sense must not pass for the end of them */
	if (t->nfinals == 0)
		return -1;
	if (!record_get(rec, ROUTE_MORE, &more))
		return 1;
	if (!record_getu(rec, ROUTE_MORE, ROUTE_FINALS, &all))
		return -1;
	return t->nfinals < all ? 0 : 1;
}

/* By which rules: as route -v would say it, on one line. */
static void
log_routed(const struct task *t, struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct buf	all;
	char		to[LOG_SAFE_MAX], why[WHY_MAX];

	buf_init(&all, WHY_MAX);
	while (record_next(&c, &f) && buf_ok(&all))
		if (f.tag == ROUTE_WHY)
			buf_addf(&all, "%s%.*s", all.n > 0 ? "; " : "",
			    STR_ARG(f.value));
	log_info("routed id=%s to=%s finals=%zu why=%s", t->m->env.id,
	    log_safe(to, sizeof(to), t->m->env.rcpts[t->rcpt].addr),
	    t->nfinals, log_safe(why, sizeof(why), buf_view(&all)));
	buf_free(&all);
}

static void
one_answer(struct router *r, struct task *t, struct str rec)
{
	char		status[16];
	struct str	text;
	size_t		before = t->nfinals;

	switch (take_answer(t, rec, status, &text)) {
	case 1:
		log_routed(t, rec);
		answered(r->q, t, status, text);
		return;
	case 0:
		if (t->nfinals > before) {
			TAILQ_INSERT_HEAD(&r->wanted, t, link);
			return;
		}
		break;
	}
	log_error("route id=%s why=\"malformed answer\"", t->m->env.id);
	t->nfinals = 0;
	answered(r->q, t, "4.3.0", STR("malformed answer of route"));
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct router	*r = arg;
	struct task	*t;
	int		 n;

	if (what & EV_TIMEOUT) {
		/* The time is that of the connection; a question may have just been asked. */
		if (r->nasked > 0 &&
		    now_ms() - r->since >= ANSWER_SECONDS * 1000)
			give_up(r, "no answer");
		return;
	}
	while ((t = TAILQ_FIRST(&r->asked)) != NULL &&
	    (n = msg_recv(fd, &r->rec, NULL)) != 0) {
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			break;
		r->fresh = false;
		r->since = now_ms();
		TAILQ_REMOVE(&r->asked, t, link);
		r->nasked--;
		one_answer(r, t, buf_view(&r->rec));
	}
	if (t == NULL) {
		/* nothing is asked, so this is the end of file or nonsense */
		if (msg_recv(fd, &r->rec, NULL) != -1 || errno != EAGAIN)
			hang_up(r);
	} else if (r->fresh)
		give_up(r, "it went away");
	else
		hang_up(r);
	queue_kick(r->q);
}

void
router_free(struct router **rp)
{
	if (*rp == NULL)
		return;
	hang_up(*rp);
	buf_free(&(*rp)->rec);
	free(*rp);
	*rp = NULL;
}

/*
 * queue/hops.c - questions to hop, one for each domain however many recipients
 * want to know, many under way at a time; answers come in any order and are kept
 * as long as they say. A hop that has gone is asked again once; then the mail
 * waits a little.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_hop.h"
#include "queue/hops.h"

#define SOCKET		"sock/hop"
#define UNDER_WAY	256u
#define LOST_MAX	5u
#define PATIENCE_MS	330000		/* longer than any dns.timeout */
#define NAME_MAX_LEN	1000u		/* of a domain */
#define LATER_MS	20000		/* to twice as much: who finds too many waiting */

static void	readable(evutil_socket_t, short, void *);

int
hops_new(struct queue *q)
{
	struct hops	*hs;

	if ((hs = calloc(1, sizeof(*hs))) == NULL)
		return -1;
	hs->q = q;
	hs->fd = -1;
	TAILQ_INIT(&hs->wanted);
	TAILQ_INIT(&hs->asked);
	TAILQ_INIT(&hs->known);
	buf_init(&hs->rec, MSG_MAX);
	arc4random_buf(&hs->seed, sizeof(hs->seed));
	q->hops = hs;
	return 0;
}

/* ---- answers */

static void
tell_one(struct hops *hs, struct task *t, struct hop *h)
{
	if (h->code == 250)
		remotes_add(hs->q, t, h);
	else
		task_done(hs->q, t, h->status, h->text);
}

/* Whoever is told may end his message, and nothing else of what is here. */
static void
tell_all(struct hops *hs, struct entry *e, struct hop *h)
{
	struct task_list	 tasks = TAILQ_HEAD_INITIALIZER(tasks);
	struct task		*t;

	TAILQ_CONCAT(&tasks, &e->tasks, link);
	while ((t = TAILQ_FIRST(&tasks)) != NULL) {
		TAILQ_REMOVE(&tasks, t, link);
		hs->ntasks--;
		tell_one(hs, t, h);
	}
}

/* No answer: everybody waits a little. */
static void
entry_fail(struct hops *hs, struct entry *e, struct str why)
{
	struct task_list	 tasks = TAILQ_HEAD_INITIALIZER(tasks);
	struct task		*t;

	TAILQ_CONCAT(&tasks, &e->tasks, link);
	known_free(hs, e);
	while ((t = TAILQ_FIRST(&tasks)) != NULL) {
		TAILQ_REMOVE(&tasks, t, link);
		hs->ntasks--;
		t->m->soon = true;
		task_done(hs->q, t, "4.3.0", why);
	}
}

static void
hang_up(struct hops *hs)
{
	struct entry	*e;

	if (hs->event != NULL)
		event_free(hs->event);
	hs->event = NULL;
	fdio_close(&hs->fd);
	/* asked in vain: once more */
	while ((e = TAILQ_FIRST(&hs->asked)) != NULL) {
		e->lost++;
		known_set_state(hs, e, ENTRY_WANTED);
	}
}

static void
give_up(struct hops *hs, const char *why)
{
	struct entry	*e;

	log_warn("hop why=\"%s\"", why);
	hang_up(hs);
	while ((e = TAILQ_FIRST(&hs->wanted)) != NULL)
		entry_fail(hs, e, STR("the program that asks DNS cannot be "
		    "reached"));
}

/* ---- questions */

static int
dial(struct hops *hs)
{
	if (hs->fd != -1)
		return 0;
	if ((hs->fd = msg_connect_now(SOCKET)) == -1)
		return -1;
	if ((hs->event = event_new(hs->q->base, hs->fd, EV_READ | EV_PERSIST,
	    readable, hs)) == NULL || event_add(hs->event, NULL) == -1) {
		hang_up(hs);
		errno = ENOMEM;
		return -1;
	}
	hs->fresh = true;
	return 0;
}

static int
put_question(struct hops *hs, struct entry *e)
{
	e->number = ++hs->number;
	buf_reset(&hs->rec);
	record_puts(&hs->rec, HOP_VERB, "hop");
	record_putu(&hs->rec, HOP_NUMBER, e->number);
	record_puts(&hs->rec, HOP_DOMAIN, e->domain);
	return buf_ok(&hs->rec) ? msg_send(hs->fd, &hs->rec, NULL) : -1;
}

static void
ask_more(struct hops *hs)
{
	struct entry	*e;

	while (hs->nasked < UNDER_WAY &&
	    (e = TAILQ_FIRST(&hs->wanted)) != NULL) {
		/* It may be what hop dies of, after it has answered others. */
		if (e->lost > LOST_MAX) {
			entry_fail(hs, e, STR("the program that asks DNS "
			    "went away again and again"));
			continue;
		}
		if (dial(hs) == -1) {
			give_up(hs, strerror(errno));
			return;
		}
		if (put_question(hs, e) == -1) {
			if (errno == EAGAIN && hs->nasked > 0)
				return;		/* an answer will come first */
			if (hs->fresh) {
				give_up(hs, strerror(errno));
				return;
			}
			hang_up(hs);
			continue;
		}
		e->since = now_ms();
		known_set_state(hs, e, ENTRY_ASKED);
	}
}

static bool
domain_of(const struct task *t, char *out, size_t size)
{
	struct final	 f;
	const char	*at;
	struct str	 domain;

	if (!final_decode(t->finals[0], &f) ||
	    (at = memrchr(f.arg.p, '@', f.arg.n)) == NULL)
		return false;
	domain.p = at + 1;
	domain.n = (size_t)(f.arg.p + f.arg.n - domain.p);
	return domain.n > 0 && str_lower(out, size, domain) == 0;
}

/* DNS is slow, or hop away: what waits for it must not take the room of all other mail. */
static bool
are_too_many(const struct hops *hs)
{
	size_t	most = (size_t)hs->q->settings->queue.running;

	return hs->ntasks >= most / 2 && hs->q->nrunning > most - most / 4;
}

static void
ask_later(struct queue *q, struct task *t)
{
	task_later(q, t, now_real_ms() + LATER_MS +
	    arc4random_uniform(LATER_MS), 0,
	    STR("many wait for answers about their domains"));
}

void
hops_ask(struct queue *q, struct task *t)
{
	struct hops	*hs = q->hops;
	struct entry	*e;
	char		 domain[NAME_MAX_LEN + 1];

	if (!domain_of(t, domain, sizeof(domain))) {
		task_done(q, t, "5.1.3", STR("that is no address of another "
		    "host"));
		return;
	}
	e = known_find(hs, domain);
	if (e != NULL && e->state == ENTRY_KNOWN) {
		if (now_ms() - e->since < e->hop->seconds * 1000) {
			known_set_state(hs, e, ENTRY_KNOWN);	/* used last */
			tell_one(hs, t, e->hop);
			return;
		}
		known_forget_answer(hs, e);
		known_set_state(hs, e, ENTRY_WANTED);
	}
	if (are_too_many(hs)) {
		ask_later(q, t);
		return;
	}
	if (e == NULL && (e = known_new(hs, domain)) == NULL) {
		t->m->soon = true;
		task_done(q, t, "4.3.0", STR("no memory for a question"));
		return;
	}
	TAILQ_INSERT_TAIL(&e->tasks, t, link);
	hs->ntasks++;
	/* from the loop, not from within the caller */
	queue_kick(q);
}

/* -1: it makes no sense at all. */
static int
one_answer(struct hops *hs, struct str rec)
{
	struct entry	*e;
	struct hop	*h;
	uint64_t	 n;

	if (!record_getu(rec, HOP_NUMBER, UINT64_MAX, &n))
		return -1;
	TAILQ_FOREACH(e, &hs->asked, link)
		if (e->number == n)
			break;
	if (e == NULL)
		return 0;	/* it came too late */
	if ((h = hop_new(rec, hs->seed)) == NULL) {
		log_error("hop domain=%s why=\"%s\"", e->domain,
		    errno == EPROTO ? "malformed answer" : strerror(errno));
		entry_fail(hs, e, STR("malformed answer about the domain"));
		return 0;
	}
	e->hop = h;
	e->lost = 0;
	e->since = now_ms();
	hs->bytes += h->rec.n;
	known_set_state(hs, e, ENTRY_KNOWN);
	hop_hold(h);
	tell_all(hs, e, h);
	hop_release(&h);
	known_forget_oldest(hs);
	return 0;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct hops	*hs = arg;
	int		 n;

	(void)what;
	while ((n = msg_recv(fd, &hs->rec, NULL)) == 1) {
		hs->fresh = false;
		if (one_answer(hs, buf_view(&hs->rec)) == -1)
			break;
	}
	if (n == -1 && errno == EAGAIN) {
		queue_kick(hs->q);
		return;
	}
	if (hs->fresh && hs->nasked > 0)
		give_up(hs, "it went away");
	else
		hang_up(hs);
	queue_kick(hs->q);
}

void
hops_work(struct queue *q)
{
	struct hops	*hs = q->hops;
	struct entry	*e;
	int64_t		 now = now_ms();

	while ((e = TAILQ_FIRST(&hs->asked)) != NULL &&
	    now - e->since > PATIENCE_MS)
		entry_fail(hs, e, STR("no answer about the domain"));
	ask_more(hs);
}

struct str
hops_key(const struct queue *q, struct str domain)
{
	struct entry	*e;
	char		 name[NAME_MAX_LEN + 1];

	if (str_lower(name, sizeof(name), domain) == -1 ||
	    (e = known_find(q->hops, name)) == NULL || e->hop == NULL)
		return STR("");
	return e->hop->key;
}

void
hops_free(struct hops **hsp)
{
	struct hops	*hs = *hsp;
	struct entry	*e;

	if (hs == NULL)
		return;
	hang_up(hs);
	while ((e = TAILQ_FIRST(&hs->wanted)) != NULL)
		known_free(hs, e);
	while ((e = TAILQ_FIRST(&hs->known)) != NULL)
		known_free(hs, e);
	buf_free(&hs->rec);
	free(hs);
	*hsp = NULL;
}

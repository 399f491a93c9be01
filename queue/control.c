/*
 * queue/control.c - what mailq and postq ask. The socket is for root and the
 * group of the queue only; even so each question is parsed with care.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "queue/entry.h"
#include "queue/queue.h"

#define ANSWER_FULL	45000u	/* another entry might not fit */
#define PER_ANSWER	500u	/* so that mail goes on in between */

/* A list on its way to a client: what there was when it began. */
struct listed {
	struct id	id;
	int64_t		due;
	char		place;	/* w, r, h */
};

struct listing {
	struct listed	*items;
	size_t		 n, cap, next;
};

static int
listing_add(struct listing *l, struct id id, int64_t due, char place)
{
	struct listed	*more;
	size_t		 cap = l->cap + l->cap / 2 + 64;

	if (l->n == l->cap) {
		more = reallocarray(l->items, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		l->items = more;
		l->cap = cap;
	}
	l->items[l->n++] = (struct listed){ id, due, place };
	return 0;
}

static int
add_held(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	(void)name;
	return id == NULL ? 0 : listing_add(arg, *id, mtime, 'h');
}

static int
by_id(const void *x, const void *y)
{
	const struct listed	*a = x, *b = y;

	if (a->id.time_us != b->id.time_us)
		return a->id.time_us < b->id.time_us ? -1 : 1;
	return a->id.random < b->id.random ? -1 : a->id.random > b->id.random;
}

static struct listing *
listing_new(struct queue *q)
{
	struct listing	*l;
	struct message	*m;
	size_t		 i;
	int		 r = 0;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	for (i = 0; i < q->waiting.n && r == 0; i++)
		r = listing_add(l, q->waiting.w[i].id, q->waiting.w[i].due,
		    'w');
	TAILQ_FOREACH(m, &q->running, link)
		if (r == 0)
			r = listing_add(l, m->id, 0, 'r');
	if (r == 0)
		r = spool_scan(&q->spool, SPOOL_HOLD, add_held, l);
	if (r != 0) {
		free(l->items);
		free(l);
		return NULL;
	}
	qsort(l->items, l->n, sizeof(*l->items), by_id);
	return l;
}

void
control_gone(struct peer *p)
{
	struct listing	*l = peer_get(p);

	if (l != NULL)
		free(l->items);
	free(l);
	peer_set(p, NULL);
}

static const char *
place_name(char place)
{
	return place == 'h' ? "held" : place == 'r' ? "running" : "waiting";
}

static void
put_entries(struct queue *q, struct listing *l, struct buf *out)
{
	struct buf	entry;
	size_t		n = 0;

	buf_init(&entry, ENTRY_SIZE_MAX);
	while (l->next < l->n && out->n < ANSWER_FULL && n++ < PER_ANSWER) {
		const struct listed	*i = &l->items[l->next++];

		buf_reset(&entry);
		/* What has gone on since is no loss for the list. */
		if (entry_read(&q->spool, i->id, i->place == 'h', i->due,
		    place_name(i->place), &entry) == 0 && buf_ok(&entry))
			record_put(out, QUEUE_ENTRY, buf_view(&entry));
	}
	buf_free(&entry);
}

static int
list(struct queue *q, struct peer *p, bool begin)
{
	struct listing	*l;
	struct buf	 body, out;
	int		 r = -1;

	if (begin) {
		control_gone(p);
		if ((l = listing_new(q)) == NULL)
			return -1;
		peer_set(p, l);
	} else if ((l = peer_get(p)) == NULL)
		return -1;
	buf_init(&body, MSG_MAX);
	buf_init(&out, MSG_MAX);
	put_entries(q, l, &body);
	record_puts(&out, QUEUE_VERB, l->next < l->n ? "more" : "end");
	if (buf_addstr(&out, buf_view(&body)) == 0 && buf_ok(&out) &&
	    buf_ok(&body))
		r = peer_send(p, &out);
	if (l->next >= l->n)
		control_gone(p);
	buf_free(&body);
	buf_free(&out);
	return r;
}

/* ---- orders: true and a sentence, or false and why not */

struct order {
	struct queue	*q;
	struct id	 id;
	bool		 all;
	struct buf	*out;
};

static bool
say(struct order *o, bool ok, const char *text)
{
	record_puts(o->out, QUEUE_TEXT, text);
	return ok;
}

static bool
failed(struct order *o)
{
	return say(o, false, errno == ENOENT ? "no such message" :
	    strerror(errno));
}

static bool
hold_one(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);

	if (message_find(q, o->id) != NULL)
		return say(o, false, "it is being delivered just now");
	if (spool_move(&q->spool, o->id, SPOOL_QUEUE, SPOOL_HOLD) == -1)
		return failed(o);
	if (at < q->waiting.n)
		waiting_remove(&q->waiting, at);
	return say(o, true, "held");
}

static bool
order_hold(struct order *o)
{
	struct queue	*q = o->q;

	if (!o->all)
		return hold_one(o);
	while (q->waiting.n > 0) {
		o->id = q->waiting.w[q->waiting.n - 1].id;
		if (spool_move(&q->spool, o->id, SPOOL_QUEUE,
		    SPOOL_HOLD) == -1 && errno != ENOENT)
			return failed(o);
		q->waiting.n--;
	}
	return say(o, true, "held");
}

/* What failed for good is tried once more: that is why it is released. */
static int
revive(struct queue *q, struct id id)
{
	struct envelope	env;
	struct diag	why;
	size_t		i;
	int		fd, r = 0;

	if ((fd = spool_file(&q->spool, SPOOL_HOLD, id, true)) == -1)
		return -1;
	if (envelope_load(fd, &env, &why) == -1) {
		fdio_close(&fd);
		return -1;
	}
	for (i = 0; i < env.nrcpts && r == 0; i++)
		if (env.rcpts[i].state == RCPT_FAILED)
			r = envelope_set_state(fd, &env.rcpts[i], RCPT_WAITING);
	envelope_free(&env);
	fdio_close(&fd);
	return r;
}

static int
release(struct queue *q, struct id id)
{
	char	name[ID_SIZE];

	if (revive(q, id) == -1 ||
	    spool_move(&q->spool, id, SPOOL_HOLD, SPOOL_QUEUE) == -1)
		return -1;
	id_format(id, name);
	log_info("released id=%s", name);
	return waiting_add(&q->waiting, id, now_real_ms());
}

struct releasing {
	struct queue	*q;
	size_t		 failures;
};

static int
release_found(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct releasing	*r = arg;

	(void)name;
	(void)mtime;
	if (id != NULL && release(r->q, *id) == -1)
		r->failures++;
	return 0;
}

static bool
order_release(struct order *o)
{
	struct releasing	r = { o->q, 0 };

	if (o->all) {
		if (spool_scan(&o->q->spool, SPOOL_HOLD, release_found,
		    &r) == -1)
			return failed(o);
		return say(o, r.failures == 0, r.failures == 0 ? "released" :
		    "some could not be released");
	}
	if (release(o->q, o->id) == -1)
		return failed(o);
	return say(o, true, "released");
}

static bool
order_flush(struct order *o)
{
	struct waiting_heap	*h = &o->q->waiting;
	int64_t			 now = now_real_ms();
	size_t			 i;

	if (o->all) {
		for (i = 0; i < h->n; i++)
			h->w[i].due = now;
		return say(o, true, "all are tried now");
	}
	if ((i = waiting_find(h, o->id)) == h->n)
		return say(o, false, "no such message waits");
	waiting_remove(h, i);
	if (waiting_add(h, o->id, now) == -1)
		return failed(o);
	return say(o, true, "it is tried now");
}

static bool
order_requeue(struct order *o)
{
	if (o->all)
		return order_release(o) && order_flush(o);
	if (release(o->q, o->id) == 0)
		return say(o, true, "released");
	return errno == ENOENT ? order_flush(o) : failed(o);
}

static bool
order_remove(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);
	char		 name[ID_SIZE];
	enum spool_place place = SPOOL_QUEUE;
	int		 fd;

	if (o->all)
		return say(o, false, "remove wants the id of one message");
	if (message_find(q, o->id) != NULL)
		return say(o, false, "it is being delivered just now");
	if ((fd = spool_file(&q->spool, place, o->id, false)) == -1) {
		place = SPOOL_HOLD;
		fd = spool_file(&q->spool, place, o->id, false);
	}
	if (fd == -1)
		return failed(o);
	fdio_close(&fd);
	if (spool_remove(&q->spool, place, o->id) == -1)
		return failed(o);
	if (at < q->waiting.n)
		waiting_remove(&q->waiting, at);
	id_format(o->id, name);
	log_warn("removed id=%s why=\"an administrator said so\"", name);
	return say(o, true, "removed");
}

static void
say_lines(struct order *o, struct str text)
{
	const char	*lf;
	struct str	 line;

	while (text.n > 0 && o->out->n < ANSWER_FULL) {
		lf = memchr(text.p, '\n', text.n);
		line = text;
		if (lf != NULL)
			line.n = (size_t)(lf - text.p);
		record_put(o->out, QUEUE_TEXT, line);
		text.p += line.n + (lf != NULL);
		text.n -= line.n + (lf != NULL);
	}
}

static void
say_rcpts(struct order *o, const struct envelope *env)
{
	struct buf	line;
	size_t		i;

	buf_init(&line, 2048);
	for (i = 0; i < env->nrcpts && o->out->n < ANSWER_FULL; i++) {
		buf_reset(&line);
		buf_addf(&line, "recipient %c %.*s", env->rcpts[i].state,
		    STR_ARG(env->rcpts[i].addr));
		record_put(o->out, QUEUE_TEXT, buf_view(&line));
	}
	buf_free(&line);
}

static bool
order_trace(struct order *o)
{
	struct envelope	env;
	struct buf	text;
	struct diag	why = { "" };
	int		fd, r;

	if (o->all)
		return say(o, false, "trace wants the id of one message");
	if ((fd = spool_file(&o->q->spool, SPOOL_QUEUE, o->id, false)) == -1)
		fd = spool_file(&o->q->spool, SPOOL_HOLD, o->id, false);
	if (fd == -1)
		fd = spool_file(&o->q->spool, SPOOL_INCOMING, o->id, false);
	if (fd == -1)
		return failed(o);
	r = envelope_load(fd, &env, &why);
	fdio_close(&fd);
	if (r == -1)
		return say(o, false, why.text);
	buf_init(&text, (1u << 20) + 4096);
	buf_addf(&text, "id %s\nfrom %.*s\norigin %.*s client %.*s helo %.*s "
	    "proto %.*s\nsize %lld\n", env.id, STR_ARG(env.sender),
	    STR_ARG(env.origin), STR_ARG(env.client), STR_ARG(env.helo),
	    STR_ARG(env.proto), (long long)env.content_len);
	say_lines(o, buf_view(&text));
	say_rcpts(o, &env);
	buf_reset(&text);
	if (spool_status_read(&o->q->spool, o->id, &text) == 0)
		say_lines(o, buf_view(&text));
	buf_free(&text);
	envelope_free(&env);
	return true;
}

static bool
order_stat(struct order *o)
{
	struct queue	*q = o->q;
	char		 text[512];

	snprintf(text, sizeof(text), "waiting %zu\nrunning %zu\nagents %zu\n"
	    "taken %llu\ndelivered %llu\ndeferred %llu\nfailed %llu\n"
	    "held %llu\ncorrupt %llu\ndone %llu", q->waiting.n, q->nrunning,
	    agents_count(q), q->taken, q->delivered, q->deferred, q->failed,
	    q->held, q->corrupt, q->done);
	say_lines(o, str_from(text));
	return true;
}

static const struct {
	const char	*verb;
	bool		(*run)(struct order *);
} orders[] = {
	{ "hold",	order_hold },
	{ "release",	order_release },
	{ "flush",	order_flush },
	{ "requeue",	order_requeue },
	{ "remove",	order_remove },
	{ "trace",	order_trace },
	{ "stat",	order_stat },
};

static int
obey(struct queue *q, struct peer *p, struct str rec, size_t which)
{
	struct order	o = { .q = q };
	struct buf	body, out;
	struct str	id = STR("ALL");
	bool		ok;
	int		r = -1;

	buf_init(&body, MSG_MAX);
	buf_init(&out, MSG_MAX);
	o.out = &body;
	if (record_get(rec, QUEUE_ID, &id) && !str_eq(id, STR("ALL")) &&
	    !id_parse(id, &o.id))
		ok = say(&o, false, "that is no id of a message");
	else {
		o.all = str_eq(id, STR("ALL"));
		ok = orders[which].run(&o);
	}
	record_puts(&out, QUEUE_VERB, ok ? "ok" : "bad");
	if (buf_addstr(&out, buf_view(&body)) == 0 && buf_ok(&body))
		r = peer_send(p, &out);
	buf_free(&body);
	buf_free(&out);
	queue_kick(q);
	return r;
}

int
control_packet(struct queue *q, struct peer *p, struct str rec)
{
	struct str	verb;
	size_t		i;

	if (!record_get(rec, QUEUE_VERB, &verb))
		return -1;
	if (str_eq(verb, STR("list")) || str_eq(verb, STR("more")))
		return list(q, p, str_eq(verb, STR("list")));
	for (i = 0; i < nitems(orders); i++)
		if (str_eq(verb, str_from(orders[i].verb)))
			return obey(q, p, rec, i);
	return -1;
}

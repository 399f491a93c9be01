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
#include "queue/queue.h"

#define ANSWER_FULL	45000u	/* another line might not fit */

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

/* Where it lies, opened to be read; -1: nowhere (errno). */
static int
open_anywhere(const struct order *o, enum spool_place *place)
{
	static const enum spool_place	places[] = {
		SPOOL_QUEUE, SPOOL_HOLD, SPOOL_INCOMING
	};
	size_t	i;
	int	fd = -1;

	for (i = 0; i < nitems(places) && fd == -1; i++) {
		*place = places[i];
		fd = spool_file(&o->q->spool, *place, o->id, false);
		if (fd == -1 && errno != ENOENT)
			break;
	}
	return fd;
}

static bool
hold_one(struct order *o)
{
	struct queue	*q = o->q;
	size_t		 at = waiting_find(&q->waiting, o->id);
	enum spool_place from = spool_has(&q->spool, SPOOL_QUEUE, o->id) ?
			    SPOOL_QUEUE : SPOOL_INCOMING;

	if (message_find(q, o->id) != NULL)
		return say(o, false, "it is being delivered just now");
	if (spool_move(&q->spool, o->id, from, SPOOL_HOLD) == -1)
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
revive(struct queue *q, struct id id, bool *raw)
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
	/* As a user wrote it: queue never took it over, and adds who that was when it does. */
	*raw = str_eq(env.origin, STR("drop")) && env.auth.n == 0;
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
	bool	raw;

	if (revive(q, id, &raw) == -1 || spool_move(&q->spool, id, SPOOL_HOLD,
	    raw ? SPOOL_DROP : SPOOL_QUEUE) == -1)
		return -1;
	id_format(id, name);
	log_info("released id=%s", name);
	if (raw) {
		q->drop_more = true;
		return 0;
	}
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

/* A destination that could not be reached is tried all the same. */
static void
wake_hosts(const struct order *o)
{
	struct envelope	env;
	struct diag	why;
	int		fd;

	fd = spool_file(&o->q->spool, SPOOL_QUEUE, o->id, false);
	if (fd == -1)
		return;
	if (envelope_load(fd, &env, &why) == 0) {
		schedule_wake_all_of(o->q, &env);
		envelope_free(&env);
	}
	fdio_close(&fd);
}

static bool
order_flush(struct order *o)
{
	struct waiting_heap	*h = &o->q->waiting;
	int64_t			 now = now_real_ms();
	size_t			 i;

	recent_clear(o->q->recent);
	if (o->all) {
		schedule_wake(o->q, STR(""));
		for (i = 0; i < h->n; i++)
			h->w[i].due = now;
		return say(o, true, "all are tried now");
	}
	if ((i = waiting_find(h, o->id)) == h->n)
		return say(o, false, "no such message waits");
	wake_hosts(o);
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
	enum spool_place place;
	int		 fd;

	if (o->all)
		return say(o, false, "remove wants the id of one message");
	if (message_find(q, o->id) != NULL)
		return say(o, false, "it is being delivered just now");
	if ((fd = open_anywhere(o, &place)) == -1)
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

/* What happened last is what matters if not all of it fits. */
static void
say_history(struct order *o, struct str text)
{
	size_t		room = ANSWER_FULL / 2;
	const char	*lf;

	if (text.n > room) {
		say(o, true, "... earlier attempts are left out");
		text.p += text.n - room;
		text.n = room;
		if ((lf = memchr(text.p, '\n', text.n)) != NULL) {
			text.n -= (size_t)(lf + 1 - text.p);
			text.p = lf + 1;
		}
	}
	say_lines(o, text);
}

static const char *
state_name(char state)
{
	switch (state) {
	case RCPT_WAITING:
		return "waiting";
	case RCPT_LATE:
		return "late";
	case RCPT_DELIVERED:
		return "delivered";
	case RCPT_FAILED:
		return "failed";
	case RCPT_TOLD:
		return "told";
	case RCPT_EXPANDED:
		return "expanded";
	default:
		return "unknown";
	}
}

static void
say_rcpts(struct order *o, const struct envelope *env)
{
	struct buf	line;
	size_t		i;

	buf_init(&line, 2048);
	for (i = 0; i < env->nrcpts && o->out->n < ANSWER_FULL / 2; i++) {
		buf_reset(&line);
		buf_addf(&line, "recipient %.*s %s",
		    STR_ARG(env->rcpts[i].addr),
		    state_name(env->rcpts[i].state));
		record_put(o->out, QUEUE_TEXT, buf_view(&line));
	}
	if (i < env->nrcpts)
		say(o, true, "... and more recipients");
	buf_free(&line);
}

static void
add_known(struct buf *text, const char *name, struct str value)
{
	if (value.n > 0)
		buf_addf(text, " %s %.*s", name, STR_ARG(value));
}

static void
say_envelope(struct order *o, const struct envelope *env)
{
	struct buf	text;

	buf_init(&text, 8192);
	buf_addf(&text, "id %s\nfrom <%.*s>\norigin %.*s", env->id,
	    STR_ARG(env->sender), STR_ARG(env->origin));
	add_known(&text, "client", env->client);
	add_known(&text, "helo", env->helo);
	add_known(&text, "proto", env->proto);
	buf_addf(&text, "\nsize %lld\n", (long long)env->content_len);
	say_lines(o, buf_view(&text));
	buf_free(&text);
}

static bool
order_trace(struct order *o)
{
	struct envelope	env;
	struct buf	text;
	struct diag	why = { "" };
	enum spool_place place;
	int		fd, r;

	if (o->all)
		return say(o, false, "trace wants the id of one message");
	if ((fd = open_anywhere(o, &place)) == -1)
		return failed(o);
	r = envelope_load(fd, &env, &why);
	fdio_close(&fd);
	if (r == -1)
		return say(o, false, why.text);
	buf_init(&text, (1u << 20) + 4096);
	say_envelope(o, &env);
	say_rcpts(o, &env);
	buf_addf(&text, "%lld arrived", (long long)(env.arrival_ms / 1000));
	say_lines(o, buf_view(&text));
	buf_reset(&text);
	if (spool_status_read(&o->q->spool, o->id, &text) == 0)
		say_history(o, buf_view(&text));
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
	    "remotes %zu\ntaken %llu\ndelivered %llu\ndeferred %llu\npostponed %llu\nfailed %llu\n"
	    "held %llu\ncorrupt %llu\ndone %llu", q->waiting.n, q->nrunning,
	    agents_count(q), remotes_count(q), q->taken, q->delivered,
	    q->deferred, q->postponed, q->failed, q->held, q->corrupt, q->done);
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
		return control_list(q, p, rec, str_eq(verb, STR("list")));
	for (i = 0; i < nitems(orders); i++)
		if (str_eq(verb, str_from(orders[i].verb)))
			return obey(q, p, rec, i);
	return -1;
}

/*
 * queue/control.c - what mailq and postq ask. The socket is for root and the
 * group of the queue only; even so each question is parsed with care.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "queue/brake.h"
#include "queue/control.h"

#define ANSWER_FULL	45000u	/* another line might not fit */

bool
order_say(struct order *o, bool ok, const char *text)
{
	record_puts(o->out, QUEUE_TEXT, text);
	return ok;
}

bool
order_failed(struct order *o)
{
	return order_say(o, false, errno == ENOENT ? "no such message" :
	    strerror(errno));
}

/* Where it lies, opened to be read; -1: nowhere (errno). */
int
order_open(const struct order *o, enum spool_place *place)
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
		order_say(o, true, "... earlier attempts are left out");
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
		order_say(o, true, "... and more recipients");
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
	add_known(&text, "user", env->auth);
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

	if ((fd = order_open(o, &place)) == -1)
		return order_failed(o);
	r = envelope_load(fd, &env, &why);
	fdio_close(&fd);
	if (r == -1)
		return order_say(o, false, why.text);
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

static int
count_id(void *arg, int dir, const char *name)
{
	size_t		*n = arg;
	struct id	 id;

	(void)dir;
	*n += id_parse(str_from(name), &id);
	return 0;
}

/* What there is now, then what has happened since the start. */
static bool
order_stat(struct order *o)
{
	struct queue	*q = o->q;
	char		 text[512];
	size_t		 on_hold = 0;

	if (fdio_each(q->spool.hold, ".", count_id, &on_hold) == -1)
		return order_failed(o);
	snprintf(text, sizeof(text), "new %zu\nwaiting %zu\non-hold %zu\nrunning %zu\n"
	    "agents %zu\nremotes %zu\ntaken %llu\ndelivered %llu\n"
	    "deferred %llu\npostponed %llu\nfailed %llu\nheld %llu\n"
	    "braked %zu\ncorrupt %llu\ndone %llu", q->fresh.n, q->waiting.n, on_hold,
	    q->nrunning,
	    agents_count(q), remotes_count(q), q->taken, q->delivered,
	    q->deferred, q->postponed, q->failed, q->held, brake_count(q),
	    q->corrupt, q->done);
	say_lines(o, str_from(text));
	return true;
}

static const struct {
	const char	*verb;
	bool		(*run)(struct order *);
	bool		 all;		/* quick enough to be done for all of them at once */
} orders[] = {
	{ "hold",	order_hold,	false },
	{ "release",	order_release,	false },
	{ "flush",	order_flush,	true },
	{ "requeue",	order_requeue,	false },
	{ "remove",	order_remove,	false },
	{ "expire",	order_expire,	false },
	{ "trace",	order_trace,	false },
	{ "stat",	order_stat,	true },
	{ "brake",	order_brake,	true },
	{ "brake-release", order_brake_release, true },
	{ "brake-drop",	order_brake_drop, true },
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
	if (!record_get(rec, QUEUE_USER, &o.user))
		o.user = STR("");
	if (record_get(rec, QUEUE_ID, &id) && !str_eq(id, STR("ALL")) &&
	    !id_parse(id, &o.id))
		ok = order_say(&o, false, "that is no id of a message");
	else {
		o.all = str_eq(id, STR("ALL"));
		ok = !o.all || orders[which].all ? orders[which].run(&o) :
		    order_say(&o, false, "one message at a time");
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

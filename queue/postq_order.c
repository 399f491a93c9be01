/* queue/postq_order.c - verbs of postq that queue itself obeys: one question for each message. */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"
#include "queue/postq.h"

static const struct order_kind {
	const char	*verb, *ask;	/* as users say it, as queue does */
	const char	*done;		/* what has become of a message then */
	bool		 at_once;	/* queue itself knows ALL; the others take it a while, one after the other */
	bool		 asks;		/* what it does is done for good */
	const char	*place;		/* of those that a filter picks; NULL: any */
	const char	*brake;		/* of all of a user: what becomes of his brake */
} kinds[] = {
	{ "flush",	"flush",	"flushed",	true,	false,	"waiting", NULL },
	{ "hold",	"hold",		"held",		false,	false,	"waiting", NULL },
	{ "release",	"release",	"released",	false,	false,	"held",
	    "brake-release" },
	{ "drop",	"remove",	"removed",	false,	true,	"held",
	    "brake-drop" },
	{ "remove",	"remove",	"removed",	false,	true,	NULL, NULL },
	{ "delete",	"remove",	"removed",	false,	true,	NULL, NULL },
	{ "expire",	"expire",	"given up",	false,	true,	NULL, NULL },
	{ "requeue",	"requeue",	"requeued",	false,	false,	NULL, NULL },
	{ "brake",	"brake",	"",		false,	false,	NULL, NULL },
	{ "stat",	"stat",		"",		false,	false,	NULL, NULL },
};

static const struct order_kind *
kind_of(const char *verb)
{
	size_t	i;

	for (i = 0; i < nitems(kinds) - 1; i++)
		if (strcmp(verb, kinds[i].verb) == 0)
			break;
	return &kinds[i];
}

/* What it says, a line each; false if it says no. */
static bool
show(const struct postq *o, const char *id, struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	verb;
	bool		ok, head = id != NULL && strcmp(id, "ALL") != 0;

	ok = record_get(rec, QUEUE_VERB, &verb) && str_eq(verb, STR("ok"));
	if (ok && o->quiet)
		return true;
	while (record_next(&c, &f)) {
		if (f.tag != QUEUE_TEXT)
			continue;
		if (!ok)
			warnx("%s%s%.*s", id == NULL ? "" : id,
			    id == NULL ? "" : ": ", STR_ARG(f.value));
		else {
			if (head)
				printf("%s: ", id);
			postq_put_line(f.value);
		}
	}
	return ok;
}

static bool
ask_queue(struct postq *o, const char *verb, const char *id, const char *user)
{
	struct buf	ask, answer;
	bool		ok;

	postq_connect(o);
	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, verb, id);
	if (user != NULL)
		record_puts(&ask, QUEUE_USER, user);
	if (!buf_ok(&ask) || msg_call(o->fd, &ask, NULL, &answer, NULL,
	    CLIENT_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "queue");
	ok = show(o, user != NULL ? user : id, buf_view(&answer));
	buf_free(&ask);
	buf_free(&answer);
	return ok;
}

static bool
order(struct postq *o, const struct order_kind *k, const char *id)
{
	if (!o->dry)
		return ask_queue(o, k->ask, id, NULL);
	printf("%s: would be %s\n", id, k->done);
	return true;
}

/* All of a user's held mail is meant: the reason why it is held, too. */
static bool
lift_brake(struct postq *o, const struct order_kind *k)
{
	if (!o->dry)
		return ask_queue(o, k->brake, NULL, o->filter.user);
	printf("%s: the brake would be off\n", o->filter.user);
	return true;
}

int
postq_order(struct postq *o, const char *verb, int argc, char *argv[])
{
	const struct order_kind	*k = kind_of(verb);
	struct picked		 p = { .n = 0 };
	bool			 filtered = !filter_is_empty(&o->filter);
	bool			 all = argc == 1 && strcmp(argv[0], "ALL") == 0;
	size_t			 i, done = 0;

	if (strcmp(verb, "stat") == 0 || strcmp(verb, "brake") == 0) {
		if (argc > 0 || filtered || o->dry)
			return EX_USAGE;
		return order(o, k, NULL) ? EX_OK : EX_DATAERR;
	}
	if (strcmp(verb, "drop") == 0 && (argc > 0 ||
	    !filter_is_of_user(&o->filter)))
		return EX_USAGE;
	if (all && k->at_once && !o->dry && !filtered)
		return order(o, k, "ALL") ? EX_OK : EX_DATAERR;
	if (!postq_pick(o, k->place, argc, argv, &p))
		return EX_USAGE;
	if (k->asks && (all || filtered))
		postq_confirm(o, verb, p.n);
	if (k->brake != NULL && filter_is_of_user(&o->filter)) {
		if (!lift_brake(o, k))
			return EX_DATAERR;
		/* with what was held meanwhile */
		picked_free(&p);
		if (!postq_pick(o, k->place, argc, argv, &p))
			return EX_USAGE;
	}
	for (i = 0; i < p.n; i++)
		done += order(o, k, p.ids[i]);
	if (!o->quiet && !o->dry && p.n > 1)
		printf("-- %zu of %zu messages\n", done, p.n);
	i = p.n - done;
	picked_free(&p);
	return i == 0 ? EX_OK : EX_DATAERR;
}

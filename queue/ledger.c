/* queue/ledger.c - books the lines of the log and the files of the spool; pure but for its memory. */
#include "queue/ledger.h"

#include <stdlib.h>
#include <string.h>

#define CAP_FIRST	1024u
#define RCPTS_MAX	1000000u

void
ledger_init(struct ledger *l, int64_t since_ms)
{
	*l = (struct ledger){ .since_ms = since_ms };
}

void
ledger_free(struct ledger *l)
{
	free(l->accounts);
	*l = (struct ledger){ .since_ms = l->since_ms };
}

bool
account_is_free(const struct account *a)
{
	return a->id.time_us == 0 && a->id.random == 0;
}

/* Its place, or the free one where it belongs. */
static struct account *
place_of(struct account *table, size_t cap, struct id id)
{
	size_t	i = (size_t)((id.random ^ id.time_us * 0x9e3779b97f4a7c15u) >>
		    11) & (cap - 1);

	while (!account_is_free(&table[i]) && !id_eq(table[i].id, id))
		i = (i + 1) & (cap - 1);
	return &table[i];
}

static int
grow(struct ledger *l)
{
	size_t		 cap = l->cap == 0 ? CAP_FIRST : l->cap * 2, i;
	struct account	*more = calloc(cap, sizeof(*more));

	if (more == NULL)
		return -1;
	for (i = 0; i < l->cap; i++)
		if (!account_is_free(&l->accounts[i]))
			*place_of(more, cap, l->accounts[i].id) =
			    l->accounts[i];
	free(l->accounts);
	l->accounts = more;
	l->cap = cap;
	return 0;
}

/* NULL: no memory, or an id that no message has. */
static struct account *
account(struct ledger *l, struct id id)
{
	struct account	*a;

	if (id.time_us == 0 && id.random == 0)
		return NULL;
	if (l->n >= l->cap / 2 && grow(l) == -1) {
		l->bad = true;
		return NULL;
	}
	a = place_of(l->accounts, l->cap, id);
	if (account_is_free(a)) {
		a->id = id;
		l->n++;
	}
	return a;
}

const struct account *
ledger_find(const struct ledger *l, struct id id)
{
	const struct account	*a;

	if (l->cap == 0 || (id.time_us == 0 && id.random == 0))
		return NULL;
	a = place_of(l->accounts, l->cap, id);
	return account_is_free(a) ? NULL : a;
}

static struct account *
account_of(struct ledger *l, const struct logline *line, const char *key)
{
	struct str	v;
	struct id	id;

	if (!logline_get(line, key, &v) || !id_parse(v, &id))
		return NULL;
	return account(l, id);
}

static uint32_t
count(const struct logline *line, const char *key)
{
	uint64_t	n;

	return logline_getu(line, key, RCPTS_MAX, &n) ? (uint32_t)n : 0;
}

/* ---- lines */

static void
book_accepted(struct ledger *l, struct account *a, const struct logline *line)
{
	struct str	v;

	a->accepted++;
	a->credit = count(line, "nrcpts");
	a->kind = logline_get(line, "drop", &v) ? ACCOUNT_DROP : ACCOUNT_SMTP;
	/* The name that its file had in drop is nobody's any more; this may move the accounts. */
	if (a->kind == ACCOUNT_DROP &&
	    (a = account_of(l, line, "drop")) != NULL)
		a->taken = a->lines = true;
}

static void
book_report(struct ledger *l, struct account *a, const struct logline *line)
{
	struct str	kind;

	a->accepted++;
	a->credit = 1;
	a->kind = ACCOUNT_REPORT;
	if (logline_get(line, "kind", &kind) && str_eq(kind, STR("failed")) &&
	    (a = account_of(l, line, "of")) != NULL) {
		a->told += count(line, "nrcpts");
		a->lines = true;
	}
}

static void
book_queued(struct ledger *l, struct account *a, const struct logline *line)
{
	struct str	origin;

	(void)l;
	if (a->seen == 0)
		a->seen = count(line, "nrcpts");
	if (logline_get(line, "origin", &origin) &&
	    str_eq(origin, STR("import")))
		a->kind = ACCOUNT_IMPORT;
}

static void
book_expanded(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	a->expanded += (int32_t)count(line, "nrcpts") -
	    (int32_t)count(line, "was");
	a->stand_in += count(line, "ended");
}

static void
book_delivered(struct ledger *l, struct account *a, const struct logline *line)
{
	struct str	relay;

	a->delivered++;
	l->relayed += logline_get(line, "relay", &relay) && relay.n > 0 &&
	    !str_eq(relay, STR("\"\""));
}

static void
book_failed(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	(void)line;
	a->failed++;
}

static void
book_expired(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	(void)line;
	a->expired++;
}

static void
book_discarded(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	a->told += count(line, "nrcpts");
}

/* What a user may not send is held under the name that it has in drop. */
static void
book_held(struct ledger *l, struct account *a, const struct logline *line)
{
	struct str	uid;

	(void)l;
	a->refused = a->refused || logline_get(line, "uid", &uid);
}

static void
book_released(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	if (a->seen == 0)
		a->seen = count(line, "nrcpts");
	a->revived += count(line, "revived");
}

static void
book_removed(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	a->removed += count(line, "nrcpts");
	a->gone = true;
}

static void
book_done(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	a->at_end = count(line, "nrcpts");
	a->done = true;
}

static void
book_nothing(struct ledger *l, struct account *a, const struct logline *line)
{
	(void)l;
	(void)a;
	(void)line;
}

static const struct {
	const char	*event;
	void		(*book)(struct ledger *, struct account *,
			    const struct logline *);
} events[] = {
	{ "accepted",	book_accepted },
	{ "queued",	book_queued },
	{ "delivered",	book_delivered },
	{ "done",	book_done },
	{ "deferred",	book_nothing },
	{ "waits",	book_nothing },
	{ "failed",	book_failed },
	{ "expanded",	book_expanded },
	{ "expired",	book_expired },
	{ "report",	book_report },
	{ "discarded",	book_discarded },
	{ "held",	book_held },
	{ "released",	book_released },
	{ "removed",	book_removed },
	{ "corrupt",	book_nothing },
};

void
ledger_line(struct ledger *l, const struct logline *line)
{
	struct account	*a;
	struct str	 code;
	size_t		 i;

	for (i = 0; i < nitems(events); i++)
		if (str_eq(line->event, str_from(events[i].event)))
			break;
	/* "refused code=550" of smtpd has no id; a line of local's is the user's affair */
	if (i == nitems(events) || str_eq(line->program, STR("local")) ||
	    logline_get(line, "code", &code) ||
	    (a = account_of(l, line, "id")) == NULL)
		return;
	a->lines = true;
	events[i].book(l, a, line);
}

void
ledger_file(struct ledger *l, struct id id, uint8_t place, size_t nrcpts,
    size_t waiting, bool imported)
{
	struct account	*a = account(l, id);

	if (a == NULL)
		return;
	if (a->places & place)
		a->odd = true;
	a->places |= place;
	if (nrcpts > 0) {
		a->nrcpts = (uint32_t)nrcpts;
		a->waiting = (uint32_t)waiting;
		a->read = true;
	}
	if (imported) {
		a->kind = ACCOUNT_IMPORT;
		if (a->seen == 0)
			a->seen = (uint32_t)nrcpts;
	}
}

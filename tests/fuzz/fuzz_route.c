/*
 * tests/fuzz/fuzz_route.c - alias text to a table in memory, then questions
 * about what stands in it: reading and deciding always end, and a decision
 * is whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/answer.h"
#include "route/source.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char conf[] =
    "hostname mx.example.test\n"
    "domain d\n"
    "virtual-domain v\n"
    "relay-domain r\n"
    "relay-from 192.0.2.0/24\n"
    "users file /users\n"
    "aliases /a\n"
    "virtual /v\n"
    "senders /s\n"
    "catch-all v u\n"
    "postmaster u\n";

#define DEMAND(x)	do { if (!(x)) abort(); } while (0)

/* Reading files that the input names is not the subject. */
static bool
includes(struct str s)
{
	size_t	i;

	for (i = 0; i + 9 <= s.n; i++)
		if (str_starts_nocase((struct str){ s.p + i, s.n - i },
		    STR(":include:")))
			return true;
	return false;
}

static size_t
count_fields(const struct buf *b, char tag)
{
	struct cur	c = cur_from(buf_view(b));
	struct field	f;
	struct final	r;
	size_t		n = 0;

	while (record_next(&c, &f)) {
		n++;
		DEMAND(f.tag == tag);
		DEMAND(tag != ROUTE_FINAL || final_decode(f.value, &r));
	}
	DEMAND(cur_done(&c));
	return n;
}

static void
check_decision(const struct engine_ask *q, const struct decision *d)
{
	struct question	whole = { .ask = *q, .paged = true };
	struct buf	answer;
	size_t		n = count_fields(&d->finals, ROUTE_FINAL);

	DEMAND(n == d->nfinals);
	DEMAND(d->code >= 250 && d->code < 600 && d->text != NULL);
	DEMAND(d->code < 400 || n == 0);
	DEMAND(d->status[0] == (char)('0' + d->code / 100));
	DEMAND(q->verb != ENGINE_FINAL || d->code != 250 || n > 0);
	DEMAND(count_fields(&d->why, ROUTE_WHY) > 0);
	DEMAND(count_fields(&d->names, ROUTE_NAME) == 0 || d->code == 250);
	buf_init(&answer, 65536);
	DEMAND(answer_build(&answer, &whole, d));
	DEMAND(record_ok(buf_view(&answer)));
	buf_free(&answer);
}

static void
ask_all(struct sources *s, struct engine *e, struct decision *d, struct str who)
{
	struct engine_tables	tables = sources_tables(s);
	struct engine_ask	q = { .auth = STR("u"), .rcpt = who,
	    .sender = who };
	unsigned		first;
	int			verb;

	for (verb = ENGINE_RCPT; verb <= ENGINE_SENDER; verb++) {
		q.verb = (enum engine_verb)verb;
		q.has_client = verb != ENGINE_FINAL;
		engine_decide(e, s->site, &tables, &q, d);
		check_decision(&q, d);
		first = d->code;
		engine_decide(e, s->site, &tables, &q, d);
		DEMAND(d->code == first);
	}
}

/* Each key as an address, plain as it is and in quotes. */
static void
ask_keys(struct sources *s, const struct memory *m)
{
	struct engine	e;
	struct decision	d;
	struct buf	quoted;
	size_t		i;

	engine_init(&e);
	decision_init(&d);
	buf_init(&quoted, 1024);
	for (i = 0; i < m->n && i < 16; i++) {
		ask_all(s, &e, &d, memory_key(m, &m->rows[i]));
		buf_reset(&quoted);
		buf_addf(&quoted, "\"%.*s\"@d",
		    STR_ARG(memory_key(m, &m->rows[i])));
		ask_all(s, &e, &d, buf_view(&quoted));
	}
	ask_all(s, &e, &d, STR("postmaster"));
	ask_all(s, &e, &d, STR("x+y@v"));
	buf_free(&quoted);
	engine_free(&e);
	decision_free(&d);
}

static void
compile(struct site *site, struct str text, enum table_kind kind)
{
	struct sources	s;

	sources_init(&s, site);
	DEMAND(memory_add(&s.names, STR("u"), STR("61001 users:1"), "users",
	    1) == 0);
	sources_text(&s, "f", text, kind);
	sources_sort(&s);
	DEMAND((s.mistakes == 0) == (s.said.n == 0));
	if (s.mistakes == 0)
		DEMAND(sources_prove(&s) == 0);
	/* What was read must be safe to ask even beside mistakes. */
	ask_keys(&s, &s.tables[kind]);
	sources_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	 text = { (const char *)data + 1, size - 1 };
	struct settings	*st;
	struct site	 site;
	struct diag	 why;

	if (size < 1 || size > 8192 || includes(text))
		return 0;
	DEMAND(settings_parse(str_from(conf), "conf", &st, &why) == 0);
	DEMAND(site_init(&site, st, NULL, 0) == 0);
	compile(&site, text, (enum table_kind)(data[0] % TABLE_KINDS));
	site_free(&site);
	settings_free(&st);
	return 0;
}

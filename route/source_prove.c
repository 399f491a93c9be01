/*
 * route/source_prove.c - do the entries make sense? Each is asked for as a
 * message would ask. Run by `route -c` (root) and `route -t` (anybody).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "route/source.h"

struct prover {
	struct sources		*src;
	struct engine		 engine;
	struct decision		 decision;
	struct engine_tables	 tables;
	struct buf		 address;
};

static const struct decision *
ask(struct prover *p, struct str address)
{
	struct engine_ask	q = { .verb = ENGINE_FINAL, .auth = STR(""),
	    .rcpt = address };

	engine_decide(&p->engine, p->src->site, &p->tables, &q, &p->decision);
	return &p->decision;
}

/* An address again, from the key of an entry; empty for the key of a whole domain. */
static struct str
key_to_address(struct prover *p, struct str key, bool is_virtual)
{
	struct buf	*out = &p->address;
	size_t		 i, n = key.n;

	if (is_virtual)
		for (n = key.n - 1; n > 0 && key.p[n] != '@'; n--)
			continue;
	buf_reset(out);
	if (n == 0)
		return buf_view(out);
	buf_addc(out, '"');
	for (i = 0; i < n; i++) {
		if (key.p[i] == '"' || key.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, key.p[i]);
	}
	buf_addc(out, '"');
	buf_add(out, key.p + n, key.n - n);
	return buf_view(out);
}

/* The last reasons are about what went wrong. */
static struct str
last_why(const struct decision *d)
{
	struct cur	c = cur_from(buf_view(&d->why));
	struct field	f = { 'W', { "", 0 } };
	struct str	last = { "", 0 };

	while (record_next(&c, &f))
		last = f.value;
	return last;
}

static void
prove_row(struct prover *p, const struct memory *m,
    const struct memory_row *row)
{
	const struct seen	*unknown = &p->engine.unknown;
	const struct decision	*d;
	struct str		 address, why;

	address = key_to_address(p, memory_key(m, row),
	    m == &p->src->tables[TABLE_VIRTUAL]);
	if (address.n == 0)
		return;		/* whom it means depends on the name */
	d = ask(p, address);
	why = last_why(d);
	if (strcmp(d->status, "5.4.6") == 0)
		sources_mistake(p->src, row->file, row->line, 1, "%s (%.*s)",
		    d->text, STR_ARG(why));
	else if (unknown->n > 0)
		sources_warn(p->src, row->file, row->line, "nobody is %.*s, "
		    "expected a user or an alias", (int)unknown->ends[0],
		    unknown->bytes.p);
	else if (d->code >= 400)
		sources_warn(p->src, row->file, row->line, "%s (%.*s)",
		    d->text, STR_ARG(why));
}

static int
by_place(const void *a, const void *b)
{
	const struct memory_row	*const *x = a, *const *y = b;

	return (*x)->key < (*y)->key ? -1 : (*x)->key > (*y)->key;
}

/* In the order of the files: who reads the mistakes goes through them so. */
static int
prove_table(struct prover *p, const struct memory *m)
{
	const struct memory_row	**rows;
	size_t			  i;

	if ((rows = calloc(m->n + 1, sizeof(*rows))) == NULL)
		return -1;
	for (i = 0; i < m->n; i++)
		rows[i] = &m->rows[i];
	qsort(rows, m->n, sizeof(*rows), by_place);
	for (i = 0; i < m->n; i++)
		prove_row(p, m, rows[i]);
	free(rows);
	return 0;
}

static void
prove_senders(struct prover *p)
{
	const struct memory	*m = &p->src->tables[TABLE_SENDERS];
	struct cur		 c;
	struct field		 f;
	struct buf		 place;
	uid_t			 uid;
	size_t			 i;

	buf_init(&place, 2048);
	for (i = 0; i < m->n; i++)
		for (c = cur_from(memory_value(m, &m->rows[i]));
		    record_next(&c, &f);)
			if (f.tag == VALUE_USER && !str_eq(f.value, STR("*")) &&
			    p->tables.user(p->src, f.value, &uid, &place) == 0)
				sources_warn(p->src, m->rows[i].file,
				    m->rows[i].line, "there is no user %.*s",
				    STR_ARG(f.value));
	buf_free(&place);
}

static void
prove_postmaster(struct prover *p)
{
	const struct decision	*d = ask(p, STR("postmaster"));

	if (strcmp(d->status, "4.3.5") == 0)
		sources_warn(p->src, NULL, 0, "nobody gets the postmaster's "
		    "mail: \"postmaster %s\" is neither user nor alias",
		    p->src->site->settings->postmaster);
}

static void
prove_catch_alls(struct prover *p)
{
	const struct setting_list	*list;
	const struct setting_item	*it;
	const struct decision		*d;
	size_t				 i;

	list = &p->src->site->settings->catch_all;
	for (i = 0; i < list->n; i++) {
		it = &list->items[i];
		d = ask(p, str_from(it->more));
		if (d->code >= 500)
			sources_warn(p->src, it->file, it->line, "nobody is "
			    "%s, whom catch-all %s names", it->more, it->text);
	}
}

static void
prove_relay(struct prover *p)
{
	const struct setting_list	*list;
	const struct setting_item	*it;
	size_t				 i, n;

	list = &p->src->site->settings->relay_from;
	for (i = 0; i < list->n; i++) {
		it = &list->items[i];
		n = strlen(it->text);
		if (n > 2 && strcmp(it->text + n - 2, "/0") == 0)
			sources_warn(p->src, it->file, it->line, "relay-from "
			    "%s lets everybody send to everybody through this "
			    "host", it->text);
	}
}

int
sources_prove(struct sources *s)
{
	struct prover	p = { .src = s, .tables = sources_tables(s) };
	int		r = -1;

	engine_init(&p.engine);
	decision_init(&p.decision);
	buf_init(&p.address, 1024);
	if (prove_table(&p, &s->tables[TABLE_ALIASES]) == 0 &&
	    prove_table(&p, &s->tables[TABLE_VIRTUAL]) == 0) {
		prove_senders(&p);
		prove_catch_alls(&p);
		prove_postmaster(&p);
		prove_relay(&p);
		r = 0;
	}
	buf_free(&p.address);
	engine_free(&p.engine);
	decision_free(&p.decision);
	return r;
}

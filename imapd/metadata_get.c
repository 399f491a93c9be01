/*
 * imapd/metadata_get.c - GETMETADATA, and what LIST says of the same (RFC 5464, 4.2; RFC 9590). Of the server's entries that are
 * everybody's only /shared/admin has a value.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/metadata_args.h"
#include "imapd/metadata_impl.h"
#include "imapd/metadata_use.h"

#define ADMIN		"/shared/admin"

struct options {
	bool		 limited;
	uint32_t	 max;		/* octets of a value */
	unsigned	 depth;
};

static void
put_value(struct session *s, struct buf *out, struct str name,
    struct str value)
{
	if (out->p[out->n - 1] != '(')
		buf_addc(out, ' ');
	(void)imap_put_astring(out, name, session_utf8(s));
	buf_addc(out, ' ');
	if (value.p != NULL && memchr(value.p, '\0', value.n) != NULL) {
		buf_addf(out, "~{%zu}\r\n", value.n);
		buf_addstr(out, value);
	} else
		(void)imap_put_nstring(out, value, session_utf8(s));
}

static void
put_head(struct session *s, struct buf *out, struct str name)
{
	buf_adds(out, "* METADATA ");
	(void)imap_put_astring(out, name, session_utf8(s));
	buf_adds(out, " (");
}

/* Is it one of the first n that are asked for, or below one? */
static bool
is_among(struct str name, const struct str *entries, size_t n, unsigned depth)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (metadata_matches(name, entries[i], depth))
			return true;
	return false;
}

/* The entry of that number that is asked for, and what is below it; without what was said of those before it. */
static void
put_entry(struct session *s, struct buf *out, const struct metadata *m,
    const struct str *entries, size_t i, const struct options *o,
    size_t *longest)
{
	const struct metadata_entry	*e;
	bool				 found = false;

	for (e = m->e; e < m->e + m->n; e++) {
		if (!metadata_is_visible(s, e) ||
		    !metadata_matches(e->name, entries[i], o->depth))
			continue;
		found = true;
		if (is_among(e->name, entries, i, o->depth))
			continue;
		if (!o->limited || e->value.n <= o->max)
			put_value(s, out, e->name, e->value);
		else if (e->value.n > *longest)
			*longest = e->value.n;
	}
	if (!found && o->depth == 0 && !is_among(entries[i], entries, i, 0))
		put_value(s, out, entries[i], (struct str){ NULL, 0 });
}

int
metadata_put(struct session *s, struct buf *out, const struct place *p,
    struct str name, char use, const struct str *entries, size_t n)
{
	static const struct options	plain = { .depth = 0 };
	struct metadata			m;
	struct arena			a;
	struct buf			text;
	size_t				i, longest = 0;
	int				r;

	arena_init(&a, 1u << 20);
	buf_init(&text, METADATA_FILE_MAX);
	if ((r = metadata_load(p, false, &a, &text, &m)) == 0) {
		metadata_use_put(&m, str_from(s->user), use);
		put_head(s, out, name);
		for (i = 0; i < n; i++)
			put_entry(s, out, &m, entries, i, &plain, &longest);
		buf_adds(out, ")\r\n");
		r = buf_ok(out) ? 0 : -1;
	}
	buf_free(&text);
	arena_free(&a);
	return r;
}

/* "(MAXSIZE 1024 DEPTH infinity)" */
static const char *
take_options(struct cur *c, struct options *o)
{
	struct str	name;

	if (!cur_byte(c, '('))
		return "options are expected";
	do {
		if (!imap_atom(c, &name) || !imap_sp(c))
			return "an option and its value are expected";
		if (str_eq_nocase(name, STR("MAXSIZE"))) {
			o->limited = true;
			if (!imap_number(c, &o->max))
				return "MAXSIZE is a number";
		} else if (!str_eq_nocase(name, STR("DEPTH")))
			return "unknown option";
		else if (cur_word(c, STR("infinity")))
			o->depth = UINT_MAX;
		else if (cur_byte(c, '1'))
			o->depth = 1;
		else if (cur_byte(c, '0'))
			o->depth = 0;
		else
			return "DEPTH is 0, 1 or infinity";
	} while (imap_sp(c));
	return cur_byte(c, ')') ? NULL : "the options have no end";
}

/* Options stand in front of the mailbox; RFC 5464 has examples with them behind it, and clients do as these do. */
static bool
options_follow(const struct cur *in)
{
	struct cur	c = *in;

	return cur_byte(&c, '(') && (cur_word(&c, STR("MAXSIZE ")) ||
	    cur_word(&c, STR("DEPTH ")));
}

/* What is asked for, and how much of it there was. */
struct asked {
	struct session	*s;
	struct options	 o;
	struct str	*entries;
	size_t		 n;
	size_t		 longest;	/* octets of what was too long; 0: nothing was */
	size_t		 mailboxes;	/* that a pattern has found */
};

static int
say_entries(struct asked *q, const struct metadata_about *about)
{
	struct session	*s = q->s;
	struct metadata	m;
	struct arena	a;
	struct buf	text, out, admin;
	size_t		i, head;
	int		r;

	arena_init(&a, 1u << 20);
	buf_init(&text, METADATA_FILE_MAX);
	buf_init(&out, 2 * METADATA_FILE_MAX);
	buf_init(&admin, 1024);
	r = metadata_load(&about->place, about->server, &a, &text, &m);
	if (r == 0 && about->server) {
		buf_addf(&admin, "mailto:postmaster@%s", s->set->hostname);
		(void)metadata_set(&m, STR(ADMIN), STR(""), buf_view(&admin));
	} else if (r == 0)
		metadata_use_put(&m, str_from(s->user), about->use);
	if (r == 0) {
		put_head(s, &out, about->name);
		head = out.n;
		for (i = 0; i < q->n; i++)
			put_entry(s, &out, &m, q->entries, i, &q->o,
			    &q->longest);
		buf_adds(&out, ")\r\n");
		if (!buf_ok(&out)) {
			errno = EMSGSIZE;
			r = -1;
		} else if (out.n > head + 3)
			say_buf(s, &out);
	}
	buf_free(&admin);
	buf_free(&out);
	buf_free(&text);
	arena_free(&a);
	return r;
}

/* One of those that a pattern means; those that the user may not use are not for him. */
static int
say_one(void *asked, const struct place *p, struct str name, char use)
{
	struct metadata_about	 about = { .place = *p, .name = name,
				    .use = use };
	struct asked		*q = asked;

	if (!metadata_may_use(p->rights))
		return 0;
	q->mailboxes++;
	return say_entries(q, &about);
}

/* Of the mailbox, or of all that are meant; and the reply. */
static void
answer(struct command *cmd, struct asked *q, const struct metadata_about *about)
{
	char	code[64];

	if ((about->many ? metadata_each(q->s, about->name, say_one, q) :
	    say_entries(q, about)) == -1)
		command_failed(q->s, cmd, "read what is noted");
	else if (about->many && q->mailboxes == 0)
		command_no(cmd, "NONEXISTENT", "there is no such mailbox");
	else {
		snprintf(code, sizeof(code), "METADATA LONGENTRIES %zu",
		    q->longest);
		command_ok(cmd, q->longest > 0 ? code : NULL,
		    "GETMETADATA completed");
	}
}

enum state
cmd_getmetadata(struct session *s, struct command *cmd)
{
	struct asked		 q = { .s = s };
	struct metadata_about	 about;
	const char		*wrong = NULL;

	if (options_follow(&cmd->args) &&
	    (wrong = take_options(&cmd->args, &q.o)) == NULL &&
	    !imap_sp(&cmd->args))
		wrong = "the name of a mailbox is missing";
	if (wrong == NULL && !metadata_about(s, cmd, true, &about))
		return s->state;
	if (wrong == NULL && !imap_sp(&cmd->args))
		wrong = "entries are missing";
	if (wrong == NULL && options_follow(&cmd->args) &&
	    (wrong = take_options(&cmd->args, &q.o)) == NULL &&
	    !imap_sp(&cmd->args))
		wrong = "entries are missing";
	if (wrong == NULL)
		wrong = metadata_entries(&cmd->args, &s->memory, &q.entries,
		    &q.n);
	if (wrong != NULL)
		command_bad(cmd, "GETMETADATA: %s", wrong);
	else if (command_end(cmd))
		answer(cmd, &q, &about);
	return s->state;
}

/*
 * imapd/list.c - LIST, LSUB and NAMESPACE (RFC 3501 6.3.8, 6.3.9; RFC 5258; RFC 2342). For each namespace all folders become
 * rows of a tree; what is asked for is marked, what is below is summed up, and then the rows are said.
 */
#include <errno.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/list_match.h"
#include "imapd/list_tree.h"
#include "imapd/mailboxes.h"
#include "imapd/place_name.h"
#include "imapd/use.h"

#define LISTING_MAX	(64u << 20)
#define FLUSH_AT	(32u << 10)

struct listing {
	struct session		*s;
	const struct list_request *r;
	struct list_pattern	*patterns;
	size_t			 npatterns;
	struct arena		 memory;
	struct list_row		*rows;
	size_t			 n;
	unsigned		 space;
	bool			 lsub;
	struct buf		 name, out;
};

/* The row's name for the client, in l->name. The root of the shared folders has one, too. */
static struct str
name_of(struct listing *l, const struct list_row *r)
{
	buf_reset(&l->name);
	if (place_name(l->s, l->space, r->folder, &l->name) == -1)
		return (struct str){ "", 0 };
	if (l->space == SPACE_SHARED && *r->folder == '\0')
		l->name.n--;
	return buf_view(&l->name);
}

static bool
matches(struct listing *l, const struct list_row *r)
{
	struct str	name = name_of(l, r);
	bool		inbox;
	size_t		i;

	inbox = l->space == SPACE_OWN && name.n >= 5 &&
	    memcmp(name.p, "INBOX", 5) == 0 && (name.n == 5 ||
	    name.p[5] == place_separator(l->s));
	for (i = 0; i < l->npatterns; i++)
		if (list_pattern_match(&l->patterns[i], name, inbox ? 5 : 0))
			return true;
	return false;
}

/* Of a subscription to what is not there the store says nothing of those above it. */
static bool
lacks_parents(const struct store_folder *f)
{
	return f->subscribed && !f->exists;
}

static size_t
count_rows(const struct store_folder *f, size_t n)
{
	const char	*p;
	size_t		 i, count = n;

	for (i = 0; i < n; i++)
		for (p = f[i].name; lacks_parents(&f[i]) && *p != '\0'; p++)
			count += *p == '.';
	return count;
}

static int
add_parents(struct listing *l, const char *folder)
{
	struct str	above;
	const char	*dot;

	for (dot = strchr(folder, '.'); dot != NULL;
	    dot = strchr(dot + 1, '.')) {
		if (arena_dup(&l->memory, (struct str){ folder,
		    (size_t)(dot - folder) }, &above) == -1)
			return -1;
		l->rows[l->n++] = (struct list_row){ .folder = above.p };
	}
	return 0;
}

/* The store's folders behind the rows that are there. skip: only what is below that, without it. */
static int
add_rows(struct listing *l, struct store *store, const char *skip)
{
	const struct store_folder	*f;
	struct str			 kept;
	size_t				 i, n, len = strlen(skip);
	struct list_row			*r;

	if (store_list(store, &f, &n) == -1)
		return -1;
	r = arena_get(&l->memory, (l->n + count_rows(f, n) + 1) * sizeof(*r));
	if (r == NULL)
		return -1;
	if (l->n > 0)
		memcpy(r, l->rows, l->n * sizeof(*r));
	l->rows = r;
	for (i = 0; i < n; i++) {
		if (strncmp(f[i].name, skip, len) != 0)
			continue;
		if (arena_dup(&l->memory, str_from(f[i].name + len),
		    &kept) == -1)
			return -1;
		r = &l->rows[l->n++];
		r->folder = kept.p;
		r->use = f[i].use;
		r->marks = (uint8_t)(f[i].subscribed ? ROW_SUBSCRIBED : 0);
		if (f[i].exists && len == 0)
			r->marks |= ROW_EXISTS;
		if (lacks_parents(&f[i]) && add_parents(l, r->folder) == -1)
			return -1;
	}
	return 0;
}

/*
 * Shared folders are there for who may look them up; each user has his own subscriptions of them, among those of his
 * own folders.
 */
static int
load_shared(struct listing *l)
{
	size_t		i;
	unsigned	rights;

	if (add_rows(l, place_store(l->s, SPACE_SHARED), "") == -1)
		return -1;
	for (i = 0; i < l->n; i++) {
		if (place_rights(l->s, SPACE_SHARED, l->rows[i].folder,
		    &rights) == -1)
			return -1;
		l->rows[i].marks &= ROW_EXISTS;
		if (*l->rows[i].folder == '\0' ||
		    (rights & RIGHT_LOOKUP) == 0)
			l->rows[i].marks = 0;
	}
	l->rows[l->n++] = (struct list_row){ .folder = "" };
	if (add_rows(l, place_store(l->s, SPACE_OWN), PLACE_SHARED) == -1)
		return -1;
	l->n = list_tree_link(l->rows, l->n, true);
	return 0;
}

static int
load_own(struct listing *l)
{
	bool	 top = *place_prefix(l->s, SPACE_OWN) != '\0';
	size_t	 i;

	if (add_rows(l, place_store(l->s, SPACE_OWN), "") == -1)
		return -1;
	l->n = list_tree_link(l->rows, l->n, top);
	for (i = 0; i < l->n; i++) {
		/* The name of the inbox; its folder is "". */
		if (strcmp(l->rows[i].folder, "INBOX") == 0)
			l->rows[i].marks = top ? 0 : ROW_HIDDEN;
		if (place_spaces(l->s) > 1 && !top &&
		    strncmp(l->rows[i].folder, PLACE_SHARED,
		    strlen(PLACE_SHARED)) == 0)
			l->rows[i].marks = ROW_HIDDEN;
	}
	return 0;
}

/* Which rows are asked for? */
static void
mark(struct listing *l)
{
	unsigned	 select = l->r->select;
	struct list_row	*r;

	for (r = l->rows; r < l->rows + l->n; r++) {
		if (r->marks & ROW_HIDDEN)
			continue;
		if (matches(l, r))
			r->marks |= ROW_MATCHES;
		if ((select & LIST_SUBSCRIBED) != 0 &&
		    (r->marks & ROW_SUBSCRIBED) == 0)
			continue;
		if ((select & LIST_SPECIAL_USE) != 0 &&
		    ((r->marks & ROW_EXISTS) == 0 || r->use == 0))
			continue;
		if ((select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)) != 0 ||
		    (r->marks & ROW_EXISTS) != 0)
			r->marks |= ROW_MEETS;
	}
	list_tree_sum(l->rows, l->n);
}

static bool
has_percent(const struct listing *l)
{
	return l->npatterns > 0 && l->patterns[0].has_percent;
}

/* RFC 5258 3.3, and for LSUB RFC 3501 6.3.9: "foo" stands for a subscribed "foo/bar" that '%' does not match. */
static bool
is_said(const struct listing *l, const struct list_row *r)
{
	if ((r->marks & ROW_MATCHES) == 0)
		return false;
	if (r->marks & ROW_MEETS)
		return true;
	if (l->lsub)
		return (r->marks & ROW_LOST_BELOW) != 0 && has_percent(l);
	if (l->r->select & (LIST_SUBSCRIBED | LIST_SPECIAL_USE))
		return (l->r->select & LIST_RECURSIVE) != 0 &&
		    (r->marks & ROW_LOST_BELOW) != 0;
	return (r->marks & ROW_CHILDREN) != 0;
}

static void
put_flag(struct buf *out, const char *flag)
{
	if (out->p[out->n - 1] != '(')
		buf_addc(out, ' ');
	buf_adds(out, flag);
}

/* closed: it is there, but not to be selected. */
static void
put_flags(struct listing *l, const struct list_row *r, bool closed)
{
	unsigned	give = l->r->give;
	bool		exists = (r->marks & ROW_EXISTS) != 0;
	bool		modern = l->r->extended ||
			    session_enabled(l->s, ENABLED_REV2);

	if ((give & GIVE_SUBSCRIBED) != 0 && (r->marks & ROW_SUBSCRIBED) != 0)
		put_flag(&l->out, "\\Subscribed");
	if (!exists)
		put_flag(&l->out, modern ? "\\NonExistent" : "\\Noselect");
	else if (closed)
		put_flag(&l->out, "\\Noselect");
	if ((give & GIVE_CHILDREN) != 0 ||
	    (!exists && (r->marks & ROW_CHILDREN) != 0))
		put_flag(&l->out, r->marks & ROW_CHILDREN ? "\\HasChildren" :
		    "\\HasNoChildren");
	if ((give & GIVE_SPECIAL_USE) != 0 && exists && use_name(r->use))
		put_flag(&l->out, use_name(r->use));
}

static void
put_child_info(struct listing *l, const struct list_row *r)
{
	unsigned	select = l->r->select;

	if ((select & LIST_RECURSIVE) == 0 ||
	    (r->marks & ROW_MEETS_BELOW) == 0)
		return;
	buf_addf(&l->out, " (\"CHILDINFO\" (%s%s%s))",
	    select & LIST_SUBSCRIBED ? "\"SUBSCRIBED\"" : "",
	    (select & LIST_SUBSCRIBED) != 0 &&
	    (select & LIST_SPECIAL_USE) != 0 ? " " : "",
	    select & LIST_SPECIAL_USE ? "\"SPECIAL-USE\"" : "");
}

static void
take_back(struct buf *out, size_t n)
{
	out->n = n;
	out->bad = false;
}

/* What else is asked for of a mailbox that can be selected. What cannot be told is left out (RFC 5819 2, RFC 8440 3). */
static void
put_more(struct listing *l, const struct list_row *r, struct str name,
    const struct place *p)
{
	size_t	mark;

	if (!buf_ok(&l->out))
		return;
	if (l->r->give & GIVE_MYRIGHTS)
		rights_put(l->s, &l->out, name, p->rights);
	if ((p->rights & RIGHT_READ) == 0)
		return;
	mark = l->out.n;
	if ((l->r->give & GIVE_STATUS) != 0 &&
	    status_put(l->s, &l->out, p, name, l->r->status) == -1)
		take_back(&l->out, mark);
	mark = l->out.n;
	if ((l->r->give & GIVE_METADATA) != 0 && metadata_put(l->s, &l->out,
	    p, name, r->use, l->r->entries, l->r->nentries) == -1)
		take_back(&l->out, mark);
}

/* If more is asked for than the line of LIST, and can be told. */
static bool
has_more(struct listing *l, const struct list_row *r, struct place *p)
{
	*p = (struct place){ .store = place_store(l->s, l->space),
	    .name_space = l->space };
	return (l->r->give &
	    (GIVE_STATUS | GIVE_MYRIGHTS | GIVE_METADATA)) != 0 &&
	    (r->marks & ROW_EXISTS) != 0 &&
	    str_copy(p->folder, sizeof(p->folder), str_from(r->folder)) == 0 &&
	    place_rights(l->s, l->space, p->folder, &p->rights) == 0;
}

static void
put_row(struct listing *l, const struct list_row *r)
{
	struct str	name = name_of(l, r);
	struct place	p;
	bool		more = has_more(l, r, &p);

	buf_adds(&l->out, l->lsub ? "* LSUB (" : "* LIST (");
	if (!l->lsub)	/* who waits for a STATUS sees why there is none: RFC 9051 6.3.9.2 */
		put_flags(l, r, more && (l->r->give & GIVE_STATUS) != 0 &&
		    (p.rights & RIGHT_READ) == 0);
	else if ((r->marks & ROW_MEETS) == 0)
		put_flag(&l->out, "\\Noselect");
	buf_addf(&l->out, ") \"%c\" ", place_separator(l->s));
	(void)imap_put_astring(&l->out, name, session_utf8(l->s));
	put_child_info(l, r);
	buf_adds(&l->out, "\r\n");
	if (more)
		put_more(l, r, name, &p);
	if (l->out.n >= FLUSH_AT) {
		say_buf(l->s, &l->out);
		buf_reset(&l->out);
	}
}

static int
make_pattern(struct listing *l, struct str reference, struct str pattern)
{
	return list_pattern_make(&l->patterns[l->npatterns++], &l->memory,
	    reference, pattern, place_separator(l->s));
}

/* RFC 9051 5.1: here, too, a name that is not in NFC stands for the one that is. */
static int
make_composed(struct listing *l, struct str reference, struct str pattern)
{
	struct buf	text;
	int		r = 0;

	buf_init(&text, LIST_PATTERN_MAX);
	buf_add(&text, reference.p, reference.n);
	buf_add(&text, pattern.p, pattern.n);
	buf_reset(&l->name);
	if (buf_ok(&text) && name_compose(buf_view(&text), &l->name) == 1)
		r = make_pattern(l, buf_view(&l->name), STR(""));
	buf_free(&text);
	return r;
}

static int
make_patterns(struct listing *l)
{
	const struct list_request	*r = l->r;
	size_t				 i;

	l->patterns = arena_get(&l->memory,
	    (2 * r->npatterns + 1) * sizeof(*l->patterns));
	if (l->patterns == NULL)
		return -1;
	for (i = 0; i < r->npatterns; i++)
		if (make_pattern(l, r->reference, r->patterns[i]) == -1 ||
		    (session_utf8(l->s) &&
		    make_composed(l, r->reference, r->patterns[i]) == -1))
			return -1;
	return 0;
}

static int
run(struct listing *l)
{
	struct list_row	*r;

	if (make_patterns(l) == -1)
		return -1;
	for (l->space = 0; l->space < place_spaces(l->s); l->space++) {
		l->n = 0;
		if ((l->space == SPACE_OWN ? load_own(l) : load_shared(l)) == -1)
			return -1;
		mark(l);
		for (r = l->rows; r < l->rows + l->n; r++)
			if (is_said(l, r))
				put_row(l, r);
	}
	if (!buf_ok(&l->out))
		return -1;
	say_buf(l->s, &l->out);
	return 0;
}

static enum state
answer(struct session *s, struct command *cmd, const struct list_request *r,
    bool lsub)
{
	struct listing	l = { .s = s, .r = r, .lsub = lsub };

	arena_init(&l.memory, LISTING_MAX);
	buf_init(&l.name, 16 * PLACE_NAME_MAX);
	buf_init(&l.out, 16u << 20);
	if (run(&l) == 0)
		command_ok(cmd, NULL, "%s completed", lsub ? "LSUB" : "LIST");
	else
		command_failed(s, cmd, "list the mailboxes");
	buf_free(&l.out);
	buf_free(&l.name);
	arena_free(&l.memory);
	return s->state;
}

/* LIST "" "": the separator, and the root of the reference. */
static enum state
answer_root(struct session *s, struct command *cmd, struct str reference)
{
	char		 separator = place_separator(s);
	const char	*end = reference.n == 0 ? NULL :
			    memchr(reference.p, separator, reference.n);
	struct buf	 out;

	reference.n = end == NULL ? 0 : (size_t)(end + 1 - reference.p);
	buf_init(&out, 16384);
	buf_addf(&out, "* LIST (\\Noselect) \"%c\" ", separator);
	(void)imap_put_astring(&out, reference, session_utf8(s));
	buf_adds(&out, "\r\n");
	say_buf(s, &out);
	buf_free(&out);
	command_ok(cmd, NULL, "LIST completed");
	return s->state;
}

enum state
cmd_list(struct session *s, struct command *cmd)
{
	struct list_request	 r;
	const char		*wrong = list_args(&cmd->args, &s->memory, &r);

	if (wrong != NULL) {
		command_bad(cmd, "LIST: %s", wrong);
		return s->state;
	}
	if (!r.extended && r.patterns[0].n == 0)
		return answer_root(s, cmd, r.reference);
	return answer(s, cmd, &r, false);
}

enum state
cmd_lsub(struct session *s, struct command *cmd)
{
	struct list_request	 r;
	const char		*wrong = lsub_args(&cmd->args, &s->memory, &r);

	if (wrong != NULL) {
		command_bad(cmd, "LSUB: %s", wrong);
		return s->state;
	}
	return answer(s, cmd, &r, true);
}

enum state
cmd_namespace(struct session *s, struct command *cmd)
{
	char	separator = place_separator(s);

	if (!command_end(cmd))
		return s->state;
	if (place_spaces(s) > 1)
		say(s, "NAMESPACE ((\"%s\" \"%c\")) NIL ((\"%s\" \"%c\"))",
		    place_prefix(s, SPACE_OWN), separator,
		    place_prefix(s, SPACE_SHARED), separator);
	else
		say(s, "NAMESPACE ((\"%s\" \"%c\")) NIL NIL",
		    place_prefix(s, SPACE_OWN), separator);
	command_ok(cmd, NULL, "NAMESPACE completed");
	return s->state;
}

void
list_say(struct session *s, const struct place *p, const char *flags,
    struct str old_name)
{
	struct buf	out;

	buf_init(&out, 32 * PLACE_NAME_MAX);
	buf_addf(&out, "* LIST (%s) \"%c\" ", flags, place_separator(s));
	if (place_put(s, &out, p) == -1)
		out.bad = true;
	if (old_name.n > 0) {
		buf_adds(&out, " (\"OLDNAME\" (");
		(void)imap_put_astring(&out, old_name, session_utf8(s));
		buf_adds(&out, "))");
	}
	buf_adds(&out, "\r\n");
	if (buf_ok(&out))
		say_buf(s, &out);
	buf_free(&out);
}

void
list_say_other(struct session *s, const struct place *p, const char *flags,
    struct str name)
{
	if (session_enabled(s, ENABLED_REV2) && !place_is_called(s, p, name))
		list_say(s, p, flags, name);
}

/*
 * imapd/contexts.c - results of searches that are kept up to date (RFC 5267 4.3). Run by the session.
 * Each has a copy of its program, and the UIDs of its result in their order. Here they begin and end.
 */
#include "imapd/contexts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/commands.h"
#include "imapd/contexts_impl.h"
#include "imapd/selected.h"

#define CONTEXT_MEMORY	(8u << 20)	/* of one program */

static void
context_free(struct context *x)
{
	search_free(&x->run);
	arena_free(&x->arena);
	ordered_free(&x->result);
	free(x);
}

static struct context **
context_find(struct session *s, struct str tag)
{
	size_t	i;

	for (i = 0; s->contexts != NULL && i < s->contexts->n; i++)
		if (str_eq(str_from(s->contexts->list[i]->tag), tag))
			return &s->contexts->list[i];
	return NULL;
}

bool
context_check(struct session *s, struct command *c,
    const struct search_request *q)
{
	if ((q->ret.want & RETURN_UPDATE) == 0 ||
	    context_find(s, c->tag) == NULL)
		return true;
	command_bad(c, "Tag of a search that is being updated");
	return false;
}

/* ---- the beginning */

static int
program_copy(struct session *s, struct context *x,
    const struct search_request *q)
{
	const struct charset	*set = charset_find(q->charset);
	const char		*why;
	struct str		 keys;
	struct cur		 c;

	if (set == NULL || q->charset.n == 0 ||
	    str_eq_nocase(q->charset, STR("US-ASCII")))
		set = charset_find(STR("UTF-8"));
	if (arena_dup(&x->arena, q->keys, &keys) == -1)
		return -1;
	c = cur_from(keys);
	if (!search_parse(&c, &x->arena, set, &x->program, &why)) {
		errno = EMSGSIZE;
		return -1;
	}
	return search_begin(&x->run, s, s->view, &x->program);
}

uint32_t *
context_uids(const struct session *s, const struct found *found)
{
	uint32_t	*uids = malloc((found->n + 1) * sizeof(*uids));
	size_t		 i;

	for (i = 0; uids != NULL && i < found->n; i++)
		uids[i] = view_message(s->view, found->at[i])->uid;
	return uids;
}

static int
find_where(struct session *s, struct context *x, bool named)
{
	struct place	p;
	struct buf	b;
	int		r = -1;

	if (!named)
		return 0;
	selected_place(s, &p);
	buf_init(&b, 8 * PLACE_NAME_MAX);
	buf_adds(&b, " MAILBOX ");
	if (place_put(s, &b, &p) == 0 && buf_addf(&b, " UIDVALIDITY %lu",
	    (unsigned long)view_uidvalidity(s->view)) == 0)
		r = arena_dup(&x->arena, buf_view(&b), &x->where);
	buf_free(&b);
	return r;
}

static struct context *
context_new(struct session *s, const struct command *c,
    const struct search_request *q, const struct found *found, bool named)
{
	struct context	*x;
	uint32_t	*uids;

	if ((x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	arena_init(&x->arena, CONTEXT_MEMORY);
	x->uid = c->uid;
	if (str_copy(x->tag, sizeof(x->tag), c->tag) == -1 ||
	    program_copy(s, x, q) == -1 || find_where(s, x, named) == -1 ||
	    arena_dup(&x->arena, q->ret.update, &x->atts) == -1 ||
	    (uids = context_uids(s, found)) == NULL) {
		context_free(x);
		return NULL;
	}
	ordered_set(&x->result, uids, found->n);
	return x;
}

void
context_add(struct session *s, const struct command *c,
    const struct search_request *q, const struct sort_order *order,
    const struct found *found, bool named)
{
	struct context	*x = NULL;

	if ((q->ret.want & RETURN_UPDATE) == 0)
		return;
	if (found != NULL && s->contexts == NULL &&
	    (s->contexts = calloc(1, sizeof(*s->contexts))) != NULL) {
		s->contexts->modseq = view_highest_modseq(s->view);
		s->contexts->uidnext = view_uidnext(s->view);
	}
	/* what a limit has left out could not be told from what matches later */
	if (found != NULL && found->limited == 0 && s->contexts != NULL &&
	    s->contexts->n < CONTEXTS_MAX)
		x = context_new(s, c, q, found, named);
	if (x == NULL) {
		say(s, "NO [NOUPDATE \"%.*s\"] No more updates for searches",
		    STR_ARG(c->tag));
		return;
	}
	if (order != NULL) {
		x->sorted = true;
		x->order = *order;
	}
	s->contexts->list[s->contexts->n++] = x;
}

void
context_end(struct session *s, size_t i)
{
	struct contexts	*all = s->contexts;

	say(s, "NO [NOUPDATE \"%s\"] Updates of this search end",
	    all->list[i]->tag);
	context_free(all->list[i]);
	all->n--;
	memmove(&all->list[i], &all->list[i + 1],
	    (all->n - i) * sizeof(*all->list));
}

void
contexts_clear(struct session *s)
{
	size_t	i;

	if (s->contexts == NULL)
		return;
	for (i = 0; i < s->contexts->n; i++)
		context_free(s->contexts->list[i]);
	free(s->contexts);
	s->contexts = NULL;
}

/* CANCELUPDATE "tag" "tag": those that are not known are passed over. */
enum state
cmd_cancelupdate(struct session *s, struct command *c)
{
	struct context	**x;
	struct str	 tag;

	do {
		if (!imap_astring(&c->args, &s->memory, &tag)) {
			command_bad(c, "Tag expected");
			return s->state;
		}
		if ((x = context_find(s, tag)) == NULL)
			continue;
		context_free(*x);
		*x = s->contexts->list[--s->contexts->n];
	} while (imap_sp(&c->args));
	if (!command_end(c))
		return s->state;
	if (s->contexts != NULL && s->contexts->n == 0)
		contexts_clear(s);
	command_ok(c, NULL, "No further updates");
	return s->state;
}

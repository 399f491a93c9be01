/* imapd/search_request.c - arguments and results of searches. Run by the session. */
#include "imapd/search_request.h"

#include <errno.h>
#include <stdlib.h>

#include "imapd/limit.h"
#include "imapd/numbers.h"
#include "imapd/updates.h"

#define ANSWER_MAX	(64u << 20)	/* of numbers in one response */

static void
bad_charset(struct session *s, struct command *c,
    const struct search_request *q)
{
	if ((q->ret.want & RETURN_SAVE) != 0)
		result_clear(s);
	/* it may have been a literal, with anything in it */
	command_no(c, "BADCHARSET (US-ASCII UTF-8)", "That charset is not "
	    "known");
}

/*
 * After UTF8=ACCEPT SEARCH has no charset, and there are clients (Horde's) that leave that of SORT and THREAD away, too. No charset is called
 * as a key is.
 */
static bool
charset_left_out(struct session *s, const struct command *c)
{
	struct cur		 args = c->args;
	struct search_program	 program;
	const char		*why;

	return session_enabled(s, ENABLED_UTF8) && search_parse(&args,
	    &s->memory, charset_find(STR("UTF-8")), &program, &why) &&
	    cur_done(&args);
}

/* "CHARSET x ", or only "x " where it is always there. */
static bool
charset_take(struct session *s, struct command *c, struct search_request *q,
    bool must)
{
	bool	said = must ? !charset_left_out(s, c) :
		    cur_word(&c->args, STR("CHARSET "));

	q->charset = STR("");
	if (!said)
		return true;
	if (!imap_astring(&c->args, &s->memory, &q->charset) ||
	    q->charset.n == 0 || !imap_sp(&c->args)) {
		command_bad(c, "Charset expected");
		return false;
	}
	/* RFC 6855, 3: there is no other one then. */
	if (!must && session_enabled(s, ENABLED_UTF8)) {
		command_bad(c, "No charset may be given after UTF8=ACCEPT");
		return false;
	}
	return true;
}

bool
search_request(struct session *s, struct command *c, struct search_request *q,
    bool must_charset, bool numbers)
{
	const struct charset	*set;
	const char		*why = NULL;

	if (!charset_take(s, c, q, must_charset))
		return false;
	set = charset_find(q->charset);
	if (q->charset.n == 0 || str_eq_nocase(q->charset, STR("US-ASCII")))
		set = charset_find(STR("UTF-8"));
	q->keys = cur_rest(&c->args);
	if (!search_parse(&c->args, &s->memory, set, &q->program, &why)) {
		command_bad(c, "Error in search: %s", why);
		return false;
	}
	if (!command_end(c))
		return false;
	c->numbers = q->program.has_numbers;
	if (q->program.has_numbers && (!numbers ||
	    session_enabled(s, ENABLED_UIDONLY))) {
		command_bad(c, "[UIDREQUIRED] No message numbers here");
		return false;
	}
	if (set == NULL) {
		bad_charset(s, c, q);
		return false;
	}
	if (q->program.has_modseq)
		updates_condstore(s);
	return true;
}

void
search_failed(struct session *s, struct command *c,
    const struct search_request *q)
{
	int	saved = errno;

	if ((q->ret.want & RETURN_SAVE) != 0)
		result_clear(s);
	errno = saved;
	command_failed(s, c, "search the mailbox");
}

/* SORT and THREAD cannot be done for a part (RFC 9738 3.3). */
static void
too_many(struct session *s, struct command *c, const struct search_request *q)
{
	if ((q->ret.want & RETURN_SAVE) != 0)
		result_clear(s);
	limit_refuse(c, limit_messages(s), 0);
}

bool
search_selected(struct session *s, struct command *c, struct search_request *q,
    bool whole, struct found *found)
{
	struct search_run	*run = NULL;
	struct progress		 progress;
	size_t			 from = 0;
	int			 r;

	found->at = NULL;
	progress_begin(&progress, s, c->tag, view_count(s->view));
	if ((r = search_begin(&run, s, s->view, &q->program)) == 0) {
		from = search_limit(run, limit_messages(s));
		if (!whole || from == 0)
			r = search_all(run, &progress, from, found);
	}
	if (r == -1)
		search_failed(s, c, q);
	else if (found->at == NULL)
		too_many(s, c, q);
	search_free(&run);
	return found->at != NULL;
}

uint32_t *
search_numbers(struct session *s, const struct view *view,
    const struct found *found, bool uid)
{
	uint32_t	*out;
	size_t		 i;

	out = arena_get(&s->memory, (found->n + 1) * sizeof(*out));
	if (out == NULL)
		return NULL;
	for (i = 0; i < found->n; i++)
		out[i] = uid ? view_message(view, found->at[i])->uid :
		    found->at[i] + 1;
	return out;
}

uint64_t
search_modseq(const struct view *view, const struct search_request *q,
    const struct found *found)
{
	unsigned	want = q->ret.want & RETURN_ITEMS;
	uint64_t	most = 0, m;
	size_t		i;

	if (!q->program.has_modseq || found->n == 0)
		return 0;
	for (i = 0; i < found->n; i++) {
		if (want != 0 && (want & ~(unsigned)(RETURN_MIN | RETURN_MAX))
		    == 0 && !((want & RETURN_MIN) != 0 && i == 0) &&
		    !((want & RETURN_MAX) != 0 && i == found->n - 1))
			continue;
		m = view_modseq_told(view,
		    view_message(view, found->at[i])->modseq);
		if (m > most)
			most = m;
	}
	return most;
}

static int
by_uid(const void *a, const void *b)
{
	const uint32_t	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Which of the result "$" will be: all of it, unless only ends or a part are spoken of (RFC 5182 2.4, RFC 9394 3.2). */
static size_t
saved_part(const struct search_return *r, uint32_t *uids, size_t n)
{
	size_t	from = 0, to = 0, i, kept = 0;

	if (n == 0 || (r->want & (RETURN_MIN | RETURN_MAX | RETURN_PARTIAL)) ==
	    0 || (r->want & (RETURN_ALL | RETURN_COUNT)) != 0)
		return n;
	if ((r->want & RETURN_PARTIAL) != 0)
		search_partial(r, n, &from, &to);
	for (i = 0; i < n; i++)
		if ((i >= from && i < to) ||
		    (i == 0 && (r->want & RETURN_MIN) != 0) ||
		    (i == n - 1 && (r->want & RETURN_MAX) != 0))
			uids[kept++] = uids[i];
	return kept;
}

int
search_save(struct session *s, const struct search_request *q,
    const struct found *found)
{
	uint32_t	*uids;
	size_t		 n;

	if ((q->ret.want & RETURN_SAVE) == 0)
		return 0;
	if ((uids = search_numbers(s, s->view, found, true)) == NULL)
		return -1;
	n = saved_part(&q->ret, uids, found->n);
	qsort(uids, n, sizeof(*uids), by_uid);
	return result_set(s, uids, n);
}

int
search_say(struct session *s, const struct command *c,
    const struct search_request *q, const struct found *found)
{
	struct esearch	e = { .tag = c->tag, .uid = c->uid, .ret = &q->ret };
	struct buf	b;
	int		r;

	/* SAVE alone has nothing to say. */
	if ((q->ret.want & RETURN_SAVE) != 0 &&
	    (q->ret.want & RETURN_ITEMS) == 0)
		return 0;
	if ((e.numbers = search_numbers(s, s->view, found, c->uid)) == NULL)
		return -1;
	e.n = found->n;
	e.modseq = search_modseq(s->view, q, found);
	buf_init(&b, ANSWER_MAX);
	if ((r = esearch_put(&b, &e)) == 0)
		say_buf(s, &b);
	buf_free(&b);
	return r;
}

/* "* SEARCH 2 3 6 (MODSEQ 917162500)" */
int
search_say_plain(struct session *s, const struct command *c,
    const struct search_request *q, const struct found *found,
    const char *name)
{
	uint64_t	 modseq = search_modseq(s->view, q, found);
	uint32_t	*numbers;
	struct buf	 b;
	size_t		 i;
	int		 r = -1;

	if ((numbers = search_numbers(s, s->view, found, c->uid)) == NULL)
		return -1;
	buf_init(&b, ANSWER_MAX);
	buf_addf(&b, "* %s", name);
	for (i = 0; i < found->n; i++) {
		buf_addc(&b, ' ');
		buf_addu(&b, numbers[found->limited != 0 ?
		    found->n - 1 - i : i]);
	}
	if (modseq != 0)
		buf_addf(&b, " (MODSEQ %llu)", (unsigned long long)modseq);
	buf_adds(&b, "\r\n");
	if (buf_ok(&b)) {
		say_buf(s, &b);
		r = 0;
	}
	buf_free(&b);
	return r;
}

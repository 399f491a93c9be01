/* imapd/esearch.c - ESEARCH: one search through many mailboxes (RFC 7377). Run by the session. */
#include <errno.h>
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/esearch_sources.h"
#include "imapd/search_context.h"
#include "imapd/search_request.h"
#include "imapd/selected.h"

#define ANSWER_MAX	(64u << 20)

/* The answer for one mailbox; none if nothing was found there. */
static int
say_found(struct session *s, const struct command *c,
    const struct search_request *q, struct view *view,
    const struct place *place, const struct found *found)
{
	struct esearch	e = { .tag = c->tag, .uid = true, .ret = &q->ret };
	struct buf	name, b;
	int		r = -1;

	if (found->n == 0 || ((q->ret.want & RETURN_SAVE) != 0 &&
	    (q->ret.want & RETURN_ITEMS) == 0))
		return 0;
	buf_init(&name, REPLY_MAX);
	buf_init(&b, ANSWER_MAX);
	e.mailbox = &name;
	e.uidvalidity = view_uidvalidity(view);
	e.n = found->n;
	e.modseq = search_modseq(view, q, found);
	e.numbers = search_numbers(s, view, found, true);
	if (e.numbers != NULL && place_put(s, &name, place) == 0 &&
	    esearch_put(&b, &e) == 0) {
		say_buf(s, &b);
		r = 0;
	}
	buf_free(&name);
	buf_free(&b);
	return r;
}

static int
search_view(struct session *s, struct search_request *q, struct view *view,
    struct progress *progress, struct found *found)
{
	struct search_run	*run = NULL;
	int			 r, saved;

	if ((r = progress_look(progress, 0)) == 0 &&
	    (r = search_begin(&run, s, view, &q->program)) == 0)
		r = search_all(run, progress, 0, found);
	progress->before += view_count(view);
	saved = errno;
	search_free(&run);
	errno = saved;
	return r;
}

/* A mailbox that is not selected. One that went away meanwhile is passed over. */
static int
search_place(struct session *s, const struct command *c,
    struct search_request *q, const struct place *place,
    struct progress *progress)
{
	struct found	 found = { .at = NULL };
	struct view	*view = NULL;
	struct diag	 why;
	int		 r, saved;

	if (view_open(&view, place->store, place->folder, true, &why) == -1)
		return errno == ENOENT ? 0 : -1;
	if ((r = search_view(s, q, view, progress, &found)) == 0)
		r = say_found(s, c, q, view, place, &found);
	saved = errno;
	free(found.at);
	view_close(&view);
	errno = saved;
	return r;
}

/* The selected mailbox: its result may also be kept. */
static int
search_here(struct session *s, struct command *c, struct search_request *q,
    struct progress *progress)
{
	struct found	 found = { .at = NULL };
	struct place	 place;
	int		 r;

	selected_place(s, &place);
	if ((r = search_view(s, q, s->view, progress, &found)) == 0)
		r = search_save(s, q, &found);
	if (r == 0)
		r = say_found(s, c, q, s->view, &place, &found);
	if (r == 0)
		context_add(s, c, q, NULL, &found, true);
	free(found.at);
	return r;
}

/* What is kept is kept of the selected mailbox alone; up to date as well, whatever else is searched (RFC 7377 2.2). */
static bool
is_possible(struct session *s, struct command *c,
    const struct search_request *q, const struct sources *sources)
{
	bool	here = sources->selected && sources->n == 0;

	if (!here && (q->ret.want & RETURN_SAVE) != 0) {
		command_bad(c, "SAVE is for the selected mailbox alone");
		return false;
	}
	if (s->state != S_SELECTED && (q->ret.want & RETURN_UPDATE) != 0) {
		command_bad(c, "UPDATE is for the selected mailbox");
		return false;
	}
	if (!here && q->program.has_result) {
		command_bad(c, "$ is of the selected mailbox");
		return false;
	}
	return context_check(s, c, q);
}

static bool
esearch_args(struct session *s, struct command *c, struct search_request *q,
    struct sources *sources)
{
	const char	*why = NULL;

	if (!sources_parse(s, c, sources))
		return false;
	if (!search_return_parse(&c->args, &s->memory, &q->ret, &why)) {
		command_bad(c, "%s", why);
		return false;
	}
	if (q->ret.want == 0)
		q->ret.want = RETURN_GIVEN | RETURN_ALL;
	return search_request(s, c, q, false, true) &&
	    is_possible(s, c, q, sources);
}

enum state
cmd_esearch(struct session *s, struct command *c)
{
	struct search_request	 q;
	struct sources		 sources;
	struct source		*source;
	struct progress		 progress;
	int			 r = 0;

	if (!esearch_args(s, c, &q, &sources))
		return s->state;
	c->uid = true;
	progress_begin(&progress, s, c->tag, 0);
	if (sources.selected)
		r = search_here(s, c, &q, &progress);
	for (source = sources.list; r == 0 && source != NULL;
	    source = source->next)
		if (!view_is_of(s->view, source->place.store,
		    source->place.folder))
			r = search_place(s, c, &q, &source->place, &progress);
		else if (!sources.selected) {
			r = search_here(s, c, &q, &progress);
			sources.selected = true;
		}
	if (r == 0 && !sources.selected)
		context_add(s, c, &q, NULL, NULL, true);
	if (r == -1)
		search_failed(s, c, &q);
	else
		command_ok(c, NULL, "Search completed");
	return s->state;
}

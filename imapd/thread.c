/* imapd/thread.c - THREAD and UID THREAD (RFC 5256). Run by the session. */
#include <errno.h>
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/search_request.h"
#include "imapd/threading.h"

#define ANSWER_MAX	(64u << 20)

static const struct {
	const char	*name;
	enum thread_how	 how;
} algorithms[] = {
	{ "ORDEREDSUBJECT", THREAD_ORDEREDSUBJECT },
	{ "REFERENCES", THREAD_REFERENCES },
	{ "REFS", THREAD_REFS },
};

static bool
algorithm_take(struct command *c, enum thread_how *how)
{
	struct str	name;
	size_t		i;

	if (imap_atom(&c->args, &name) && imap_sp(&c->args))
		for (i = 0; i < nitems(algorithms); i++)
			if (str_eq_nocase(name,
			    str_from(algorithms[i].name))) {
				*how = algorithms[i].how;
				return true;
			}
	command_bad(c, "Threading algorithm not known");
	return false;
}

static int
say_threads(struct session *s, struct command *c, const struct found *found,
    enum thread_how how)
{
	struct progress	progress;
	struct threads	t;
	struct buf	b;
	int		r, saved;

	progress_begin(&progress, s, c->tag, found->n);
	buf_init(&b, ANSWER_MAX);
	buf_adds(&b, "* THREAD");
	r = threads_make(&t, s->view, found, how, &progress);
	/* what was found may be gone by now */
	if (r == 0 && t.nodes[0].first != THREAD_NONE)
		r = buf_addc(&b, ' ');
	if (r == 0)
		r = threads_put(&b, &t, s->view, c->uid);
	if (r == 0)
		r = buf_adds(&b, "\r\n");
	if (r == 0)
		say_buf(s, &b);
	saved = errno;
	threads_free(&t);
	buf_free(&b);
	errno = saved;
	return r;
}

enum state
cmd_thread(struct session *s, struct command *c)
{
	struct search_request	q = { .ret = { .want = 0 } };
	struct found		found;
	enum thread_how		how;

	if (!algorithm_take(c, &how) ||
	    !search_request(s, c, &q, true, true) ||
	    !search_selected(s, c, &q, true, &found))
		return s->state;
	if (say_threads(s, c, &found, how) == -1)
		search_failed(s, c, &q);
	else
		command_ok(c, NULL, "Thread completed");
	free(found.at);
	return s->state;
}

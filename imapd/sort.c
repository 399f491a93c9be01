/* imapd/sort.c - SORT and UID SORT (RFC 5256, RFC 5957), also with RETURN (RFC 5267 3). Run by the session. */
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/search_context.h"
#include "imapd/search_request.h"
#include "imapd/sorting.h"

static bool
sort_args(struct session *s, struct command *c, struct search_request *q,
    struct sort_order *order)
{
	const char	*why = NULL;

	if (!search_return_parse(&c->args, &s->memory, &q->ret, &why)) {
		command_bad(c, "%s", why);
		return false;
	}
	if (!sort_order_parse(&c->args, order) || !imap_sp(&c->args)) {
		command_bad(c, "Sort criteria not understood");
		return false;
	}
	return search_request(s, c, q, true, true) && context_check(s, c, q);
}

enum state
cmd_sort(struct session *s, struct command *c)
{
	struct search_request	 q;
	struct sort_order	 order;
	struct progress		 progress;
	struct found		 found;
	int			 r;

	if (!sort_args(s, c, &q, &order) ||
	    !search_selected(s, c, &q, true, &found))
		return s->state;
	progress_begin(&progress, s, c->tag, found.n);
	if ((r = sort_found(s->view, &order, &found, &progress)) == 0)
		r = search_save(s, &q, &found);
	if (r == 0)
		r = q.ret.want != 0 ? search_say(s, c, &q, &found) :
		    search_say_plain(s, c, &q, &found, "SORT");
	if (r == -1) {
		search_failed(s, c, &q);
	} else {
		context_add(s, c, &q, &order, &found, false);
		command_ok(c, NULL, "Sort completed");
	}
	free(found.at);
	return s->state;
}

/* imapd/search.c - SEARCH and UID SEARCH (RFC 3501 6.4.4, RFC 9051 6.4.4, RFC 4731). Run by the session. */
#include <stdlib.h>

#include "imapd/commands.h"
#include "imapd/limit.h"
#include "imapd/search_context.h"
#include "imapd/search_request.h"

enum state
cmd_search(struct session *s, struct command *c)
{
	struct search_request	 q;
	struct found		 found;
	const char		*why = NULL;
	int			 r;

	if (!search_return_parse(&c->args, &s->memory, &q.ret, &why)) {
		command_bad(c, "%s", why);
		return s->state;
	}
	/* With IMAP4rev2 the answer is always an ESEARCH (RFC 9051 6.4.4). */
	if (q.ret.want == 0 && session_enabled(s, ENABLED_REV2))
		q.ret.want = RETURN_GIVEN | RETURN_ALL;
	if (!search_request(s, c, &q, false, true) ||
	    !context_check(s, c, &q) || !search_selected(s, c, &q, false, &found))
		return s->state;
	r = search_save(s, &q, &found);
	if (r == 0)
		r = q.ret.want != 0 ? search_say(s, c, &q, &found) :
		    search_say_plain(s, c, &q, &found, "SEARCH");
	if (r == -1) {
		search_failed(s, c, &q);
	} else {
		context_add(s, c, &q, NULL, &found, false);
		limit_ok(s, c, found.limited, NULL, "Search completed");
	}
	free(found.at);
	return s->state;
}

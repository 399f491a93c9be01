/* imapd/search_request.h - what SEARCH, SORT, THREAD and ESEARCH have in common: their arguments, and what becomes of the result. */
#ifndef IMAPD_SEARCH_REQUEST_H
#define IMAPD_SEARCH_REQUEST_H

#include "imapd/search_answer.h"
#include "imapd/search_run.h"

struct search_request {
	struct search_return	 ret;
	struct str		 charset;	/* as the client named it; empty: not at all */
	struct str		 keys;		/* the program as it came */
	struct search_program	 program;
};

/*
 * From the charset to the end of the command, behind RETURN and what else is in front. must_charset: it is there in any case (RFC 5256).
 * numbers: sequence numbers may be used. False: the command has its reply.
 */
bool	search_request(struct session *, struct command *, struct search_request *, bool must_charset, bool numbers);
/* Runs it over the selected mailbox. whole: if a limit allows only some of it, it is refused. False: the command has its reply. free found->at. */
bool	search_selected(struct session *, struct command *, struct search_request *, bool whole, struct found *);
/* The reply to a command that could not be done, after errno. */
void	search_failed(struct session *, struct command *, const struct search_request *);

/* What the client calls these messages: UIDs or sequence numbers. In the arena of the command; NULL: no memory. */
uint32_t *search_numbers(struct session *, const struct view *, const struct found *, bool uid);
/* The largest modification sequence of those of the result that the answer speaks of (RFC 7162 3.1.5, 3.1.10). 0: it is not asked for. */
uint64_t search_modseq(const struct view *, const struct search_request *, const struct found *);
/* SAVE (RFC 5182): "$" becomes the result, or what of it is spoken of. -1: ENOMEM. */
int	search_save(struct session *, const struct search_request *, const struct found *) must_check;
/* Writes the ESEARCH response of the selected mailbox, if there is something to say. */
int	search_say(struct session *, const struct command *, const struct search_request *, const struct found *) must_check;
/* The same as SEARCH or SORT without RETURN; from the highest down if not all were looked at. */
int	search_say_plain(struct session *, const struct command *, const struct search_request *, const struct found *, const char *name) must_check;

#endif

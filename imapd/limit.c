/* imapd/limit.c - MESSAGELIMIT and SAVELIMIT (RFC 9738). */
#include "imapd/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CODE_MAX	64

static void
put_code(char *code, uint64_t most, uint32_t lowest)
{
	if (lowest != 0)
		snprintf(code, CODE_MAX, "MESSAGELIMIT %" PRIu64 " %" PRIu32,
		    most, lowest);
	else
		snprintf(code, CODE_MAX, "MESSAGELIMIT %" PRIu64, most);
}

uint64_t
limit_messages(const struct session *s)
{
	return (uint64_t)s->set->imap.message_limit;
}

uint32_t
limit_take(const struct session *s, size_t *at, size_t *n)
{
	uint64_t	most = limit_messages(s);

	if (most == 0 || *n <= most)
		return 0;
	memmove(at, at + (*n - most), most * sizeof(*at));
	*n = most;
	return view_message(s->view, at[0])->uid;
}

void
limit_refuse(struct command *c, uint64_t most, uint32_t lowest)
{
	char	code[CODE_MAX];

	put_code(code, most, lowest);
	command_no(c, code, "too many messages for one command");
}

bool
limit_save_ok(struct session *s, struct command *c, uint64_t n,
    const size_t *at)
{
	uint64_t	most = limit_messages(s);

	if (most == 0)
		most = (uint64_t)s->set->imap.save_limit;
	if (most == 0 || n <= most)
		return true;
	limit_refuse(c, most, at == NULL ? 0 :
	    view_message(s->view, at[n - most])->uid);
	return false;
}

void
limit_say(struct session *s, uint32_t lowest)
{
	char	code[CODE_MAX];

	if (lowest == 0)
		return;
	put_code(code, limit_messages(s), lowest);
	say(s, "NO [%s] not all of the messages", code);
}

void
limit_ok(struct session *s, struct command *c, uint32_t lowest,
    const char *code, const char *text)
{
	char	own[CODE_MAX];

	if (lowest != 0 && code == NULL) {
		put_code(own, limit_messages(s), lowest);
		command_ok(c, own, "%s in part", text);
		return;
	}
	limit_say(s, lowest);
	command_ok(c, code, "%s", text);
}

/* imapd/store.c - to come. */
#include "imapd/commands.h"

enum state
cmd_store(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_expunge(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

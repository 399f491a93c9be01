/* imapd/append.c - to come. */
#include "imapd/commands.h"

enum state
cmd_append(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_replace(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

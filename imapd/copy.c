/* imapd/copy.c - to come. */
#include "imapd/commands.h"

enum state
cmd_copy(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_move(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

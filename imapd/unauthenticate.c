/* imapd/unauthenticate.c - to come. */
#include "imapd/commands.h"

enum state
cmd_unauthenticate(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

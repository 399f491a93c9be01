/* imapd/status.c - to come. */
#include "imapd/commands.h"

enum state
cmd_status(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

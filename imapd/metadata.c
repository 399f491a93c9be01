/* imapd/metadata.c - to come. */
#include "imapd/commands.h"

enum state
cmd_getmetadata(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_setmetadata(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

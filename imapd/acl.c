/* imapd/acl.c - to come. */
#include "imapd/commands.h"

enum state
cmd_setacl(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_deleteacl(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_getacl(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_listrights(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_myrights(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

/* imapd/mailbox.c - to come. */
#include "imapd/commands.h"

enum state
cmd_create(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_delete(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_rename(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_subscribe(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_unsubscribe(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

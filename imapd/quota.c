/* imapd/quota.c - to come. */
#include "imapd/commands.h"

enum state
cmd_getquota(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_getquotaroot(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_setquota(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

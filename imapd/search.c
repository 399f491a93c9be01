/* imapd/search.c - to come. */
#include "imapd/commands.h"

enum state
cmd_search(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_sort(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_thread(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_esearch(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

enum state
cmd_cancelupdate(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

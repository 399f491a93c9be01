/* imapd/notify.c - to come. */
#include "imapd/notify.h"

#include "imapd/commands.h"
#include "imapd/updates.h"

bool
notify_is_on(const struct session *s)
{
	return s->notify != NULL;
}

void
notify_selected(struct session *s, bool at_will)
{
	if (at_will)
		updates_send(s, true);
}

void
notify_send(struct session *s)
{
	(void)s;
}

int
notify_wait_fd(struct session *s)
{
	(void)s;
	return -1;
}

void
notify_clear(struct session *s)
{
	(void)s;
}

void
notify_end(struct session *s)
{
	(void)s;
}

enum state
cmd_notify(struct session *s, struct command *c)
{
	command_bad(c, "not here yet");
	return s->state;
}

/* imapd/contexts.c - to come. */
#include "imapd/contexts.h"

void
contexts_expunged(struct session *s, const struct view_change *change)
{
	(void)s;
	(void)change;
}

void
contexts_changed(struct session *s)
{
	(void)s;
}

void
contexts_clear(struct session *s)
{
	(void)s;
}

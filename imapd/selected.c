/* imapd/selected.c - rights in the selected mailbox: asked anew each time, because others may change them. */
#include "imapd/selected.h"

#include "imapd/place.h"

bool
selected_right(struct session *s, struct command *c, unsigned need)
{
	if ((place_selected_rights(s) & need) == need)
		return true;
	command_no(c, "NOPERM", "You have no right to do this");
	return false;
}

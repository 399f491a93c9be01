/* imapd/selected.c - rights in the selected mailbox: asked anew each time, because others may change them. */
#include "imapd/selected.h"

#include "imapd/place.h"

bool
selected_right(struct session *s, struct command *c, unsigned need)
{
	const struct store	*here = view_store_of(s->view);
	unsigned		 i;

	for (i = 0; i < place_spaces(s); i++)
		if (place_store(s, i) == here && (place_rights(s, i,
		    view_folder(s->view)) & need) == need)
			return true;
	command_no(c, "NOPERM", "You have no right to do this");
	return false;
}

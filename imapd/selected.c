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

void
selected_place(const struct session *s, struct place *place)
{
	unsigned	space;

	*place = (struct place){ .store = view_store_of(s->view) };
	for (space = 0; space < place_spaces(s); space++)
		if (place_store(s, space) == place->store)
			place->name_space = space;
	if (str_copy(place->folder, sizeof(place->folder),
	    str_from(view_folder(s->view))) == -1)
		place->folder[0] = '\0';	/* none is so long */
}

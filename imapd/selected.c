/* imapd/selected.c - rights in the selected mailbox: asked anew each time, because others may change them. */
#include "imapd/selected.h"

#include <stdlib.h>

#include "imapd/place.h"
#include "imapd/updates.h"

struct rights_seen {
	unsigned	 rights;
	struct acl_stamp list;		/* that they come from */
};

bool
selected_right(struct session *s, struct command *c, unsigned need)
{
	if ((place_selected_rights(s) & need) == need)
		return true;
	command_no(c, "NOPERM", "You have no right to do this");
	return false;
}

/* The stamp first: what changes after it is seen the next time. What nobody can say now is as it was, and asked for again. */
static bool
look(struct session *s, struct rights_seen *now)
{
	place_acl_stamp(s, SPACE_SHARED, view_folder(s->view), &now->list);
	if (s->rights != NULL &&
	    place_acl_same(&now->list, &s->rights->list))
		return false;
	return place_selected_look(s, &now->rights) == 0;
}

static void
revoked(struct session *s)
{
	say(s, "BYE [NOPERM] the mailbox may not be read any more");
	s->end = "no right to read the mailbox";
}

bool
selected_readable(struct session *s)
{
	struct rights_seen	now;
	bool			tell;

	if (s->state != S_SELECTED ||
	    place_selected_space(s) != SPACE_SHARED || !look(s, &now))
		return true;
	if ((now.rights & RIGHT_READ) == 0) {
		revoked(s);
		return false;
	}
	tell = s->rights != NULL && s->rights->rights != now.rights;
	if (s->rights == NULL &&
	    (s->rights = malloc(sizeof(*s->rights))) == NULL)
		return true;	/* and asked for again */
	*s->rights = now;
	if (tell)
		updates_flags(s, true);
	return true;
}

void
selected_forget(struct session *s)
{
	free(s->rights);
	s->rights = NULL;
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

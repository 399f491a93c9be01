/* common/store/view_status.c - numbers of a folder that nobody has opened (STATUS). */
#include <errno.h>
#include <string.h>

#include "common/store/view_impl.h"

static int
add_size(struct view *v, size_t i, struct view_status *s)
{
	uint64_t	wire;

	if (view_size(v, i, &wire) == -1)
		return errno == ENOENT ? 0 : -1;
	s->size += wire;
	if ((view_at(v, i)->flags & VIEW_DELETED) != 0)
		s->deleted_size += wire;
	return 0;
}

int
view_status(struct store *store, const char *folder, unsigned want,
    struct view_status *s, struct diag *why)
{
	struct view	*v;
	size_t		 i;
	int		 r = 0;

	*s = (struct view_status){ .messages = 0 };
	if (view_open_quick(&v, store, folder, true, why) == -1)
		return -1;
	s->messages = (uint32_t)v->n;
	s->recent = (uint32_t)v->recent;
	s->uidnext = view_uidnext(v);
	s->uidvalidity = v->validity;
	s->highest_modseq = view_highest_told(v);
	if (strlcpy(s->mailbox_id, view_mailbox_id(v),
	    sizeof(s->mailbox_id)) >= sizeof(s->mailbox_id))
		s->mailbox_id[0] = '\0';
	s->unseen = (uint32_t)v->x.unseen;
	s->deleted = (uint32_t)v->x.deleted;
	s->unsure = view_unsure(v);
	if ((want & VIEW_STATUS_SIZE) != 0)
		r = view_complete(v);
	for (i = 0; (want & VIEW_STATUS_SIZE) != 0 && r == 0 && i < v->n; i++)
		r = add_size(v, i, s);
	if (r == -1)
		diag_errno(why, "read a message");
	view_close(&v);
	return r;
}

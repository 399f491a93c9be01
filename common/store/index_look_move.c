/* common/store/index_look_move.c - messages that have come: new/NAME becomes cur/NAME:2, (maildir(5)). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/store/index_look.h"
#include "common/store/rename_new.h"

/* Its name in cur/. */
static bool
name_in_cur(const struct listing *l, const struct listed *e,
    char name[MAILDIR_NAME_MAX + 1])
{
	struct str	base = listing_base(l, e), info = listing_info(l, e);

	if (info.n < 3 || memcmp(info.p, ":2,", 3) != 0)
		info = STR(":2,");
	return snprintf(name, MAILDIR_NAME_MAX + 1, "%.*s%.*s", STR_ARG(base),
	    STR_ARG(info)) <= MAILDIR_NAME_MAX;
}

int
look_relist(struct look *k, struct listed *e, const char *name)
{
	struct listing	*l = &k->names;
	size_t		 n = strlen(name), at = l->text.n;

	if (at > UINT32_MAX || buf_add(&l->text, name, n + 1) == -1)
		return -1;
	e->at = (uint32_t)at;
	e->info_len = (uint8_t)(n - e->base_len);
	e->is_new = false;
	return 0;
}

static int
move(struct look *k, struct listed *e)
{
	const struct maildir	*m = k->x->dir;
	const struct index_row	*r;
	char			 name[MAILDIR_NAME_MAX + 1];

	if (!name_in_cur(&k->names, e, name))
		return 0;
	if (rename_new(m->new, listing_name(&k->names, e), m->cur,
	    name) == -1) {
		if (errno == ENOENT) {
			/* somebody was faster: the next look finds it */
			k->waiting = true;
			e->taken = true;
			return 0;
		}
		return errno == EEXIST ? 0 : -1;
	}
	k->moved = true;
	e->moved = true;
	if (look_relist(k, e, name) == -1)
		return -1;
	if (!e->taken)
		return 0;
	r = index_row(k->x, e->number);
	return index_set(k->x, e->number, r->flags & INDEX_SYSTEM,
	    r->keywords, r->modseq, listing_info(&k->names, e)) == -1 ? -1 :
	    index_note_recent(k->x, r->uid);
}

int
look_move(struct look *k)
{
	size_t	i;

	if ((k->how & INDEX_KEEP_NEW) != 0)
		return 0;
	if (k->x->lock == -1) {
		k->x->stuck = true;
		return 0;
	}
	for (i = 0; i < k->names.n; i++)
		if (k->names.names[i].is_new &&
		    move(k, &k->names.names[i]) == -1) {
			/* they stay where they are */
			if (errno == ENOMEM || errno == EMSGSIZE)
				return -1;
			break;
		}
	k->x->stuck = k->x->new > 0;
	return k->moved ? index_flush_moves(k->x) : 0;
}

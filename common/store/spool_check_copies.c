/*
 * common/store/spool_check_copies.c - messages that lie in two places: which
 * of the two counts, and whether they are the same at all. Run as ph-queue.
 */
#include <string.h>

#include "common/base/fdio.h"
#include "common/store/spool_check_impl.h"

/* What a user wrote is no copy of ours, whatever it says: he may have seen ours. */
static bool
may_be_copies(const struct spool *s, const struct envelope *x,
    const struct envelope *y)
{
	return x->owner == y->owner ||
	    (!spool_is_users(s, x) && !spool_is_users(s, y));
}

static bool
same_mail(const struct spool *s, struct id id, enum spool_place a,
    enum spool_place b)
{
	struct envelope	x, y;
	struct diag	why;
	int		f = spool_file(s, a, id, false);
	int		g = spool_file(s, b, id, false);
	bool		same = false;

	if (f != -1 && g != -1 && envelope_load(f, &x, &why) == 0) {
		if (envelope_load(g, &y, &why) == 0) {
			/* the queue may have put lines in front */
			same = may_be_copies(s, &x, &y) &&
			    strcmp(x.simple, y.simple) == 0 &&
			    str_eq(x.sender, y.sender) &&
			    envelope_verify(f, &x, &why) == 0;
			envelope_free(&y);
		}
		envelope_free(&x);
	}
	fdio_close(&f);
	fdio_close(&g);
	return same;
}

/* In hold lies what a user may not send: the name is his choice, and tells nothing of a message of ours. */
static bool
is_users(const struct spool *s, enum spool_place place, struct id id)
{
	struct envelope	env;
	struct diag	why;
	int		fd = spool_file(s, place, id, false);
	bool		his = false;

	if (fd != -1 && envelope_load(fd, &env, &why) == 0) {
		his = spool_is_users(s, &env);
		envelope_free(&env);
	}
	fdio_close(&fd);
	return his;
}

/* keep is the place that counts. */
static void
second(const struct looking *l, struct id id, enum spool_place keep,
    enum spool_place other, const char *other_name)
{
	struct looking	at = { l->s, l->c, other, other_name, "" };
	char		name[ID_SIZE];
	int		r = 0;

	if (!spool_has(l->s, other, id) || !spool_has(l->s, keep, id))
		return;
	id_format(id, name);
	if (same_mail(l->s, id, keep, other)) {
		if (l->c->repair)
			r = spool_forget(l->s, other, id);
		spool_check_done(&at, name, r,
		    "is a copy of the later one in another place", "removed");
		return;
	}
	if (l->c->repair)
		r = spool_move(l->s, id, other, SPOOL_CORRUPT);
	spool_check_done(&at, name, r, "is another message of the same name "
	    "as one in another place", "moved to corrupt");
}

/* Held by somebody's will, or waiting, comes before what has just arrived. */
int
spool_check_copies(void *arg, const struct id *id, const char *name,
    int64_t mtime)
{
	const struct looking	*l = arg;

	(void)name;
	(void)mtime;
	if (id == NULL)
		return 0;
	if (l->place == SPOOL_HOLD && is_users(l->s, SPOOL_HOLD, *id)) {
		second(l, *id, SPOOL_QUEUE, SPOOL_HOLD, "hold");
		second(l, *id, SPOOL_INCOMING, SPOOL_HOLD, "hold");
		second(l, *id, SPOOL_HOLD, SPOOL_DROP, "drop/new");
		return 0;
	}
	if (l->place == SPOOL_HOLD) {
		second(l, *id, SPOOL_HOLD, SPOOL_QUEUE, "queue");
		second(l, *id, SPOOL_HOLD, SPOOL_DROP, "drop/new");
	}
	second(l, *id, l->place, SPOOL_INCOMING, "incoming/new");
	return 0;
}

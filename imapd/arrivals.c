/* imapd/arrivals.c - attributes of new messages. Run by the session. */
#include "imapd/arrivals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "imapd/contexts.h"
#include "imapd/fetch.h"
#include "imapd/notify.h"
#include "imapd/search_context.h"

#define LISTS	(1 + CONTEXTS_MAX)	/* that of NOTIFY comes first */

struct own_messages {
	uint32_t	*uids;
	size_t		 n;
};

struct news {
	struct session	*s;
	struct str	 lists[LISTS];
	size_t		 n;
	uint32_t	 mask;		/* of the lists that are in fetch */
	struct fetch_list *fetch;	/* NULL: each alone, together they are too much */
};

/* False: nobody asks for anything. */
static bool
find_lists(struct news *w, struct session *s)
{
	size_t	contexts;

	*w = (struct news){ .s = s };
	w->lists[0] = notify_attributes(s);
	contexts = contexts_atts(s, w->lists + 1);
	w->n = 1 + contexts;
	return w->lists[0].n > 0 || contexts > 0;
}

static bool
is_own(const struct session *s, uint32_t uid)
{
	const struct own_messages	*o = s->own;
	size_t				 low = 0, high = o == NULL ? 0 : o->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (o->uids[mid] == uid)
			return true;
		if (o->uids[mid] < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static uint32_t
wanted_by(struct news *w, size_t at)
{
	uint32_t	mask = w->lists[0].n > 0;
	size_t		i;

	for (i = 1; i < w->n; i++)
		if (w->lists[i].n > 0 && contexts_want(w->s, i - 1, at))
			mask |= UINT32_C(1) << i;
	return mask;
}

/* All lists of the mask together. -1: errno. */
static int
use(struct news *w, uint32_t mask)
{
	struct str	lists[LISTS];
	size_t		i, n = 0;

	if (w->mask == mask)
		return 0;
	fetch_list_end(&w->fetch);
	for (i = 0; i < w->n; i++)
		if ((mask >> i & 1) != 0)
			lists[n++] = w->lists[i];
	w->mask = mask;
	return fetch_list_begin(&w->fetch, w->s, lists, n);
}

static int
say_each(struct news *w, uint32_t mask, size_t at)
{
	struct fetch_list	*list;
	size_t			 i;
	int			 r = 0;

	for (i = 0; i < w->n && r == 0; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		r = fetch_list_begin(&list, w->s, &w->lists[i], 1);
		if (r == 0)
			r = fetch_list_say(list, at);
		fetch_list_end(&list);
	}
	return r;
}

static int
tell(struct news *w, size_t at)
{
	uint32_t	mask = wanted_by(w, at);

	if (mask == 0)
		return 0;
	if (use(w, mask) == -1 && errno != EINVAL) {
		w->mask = 0;
		return -1;
	}
	return w->fetch != NULL ? fetch_list_say(w->fetch, at) :
	    say_each(w, mask, at);
}

static void
log_unread(const struct session *s)
{
	int	error = errno;
	char	user[LOG_SAFE_MAX];

	log_warn("notify user=%s why=\"%s\"", log_safe(user, sizeof(user),
	    str_from(s->user)), strerror(error));
}

void
arrivals_tell(struct session *s, uint32_t uid)
{
	struct news	w;
	size_t		at;

	if (find_lists(&w, s))
		for (at = view_find(s->view, uid);
		    at < view_count(s->view) && s->end == NULL; at++)
			if (!is_own(s, view_message(s->view, at)->uid) &&
			    tell(&w, at) == -1)
				log_unread(s);
	fetch_list_end(&w.fetch);
	arrivals_forget(s);
}

static void
remember(struct session *s, const uint32_t *uids, size_t n)
{
	struct own_messages	*o = s->own;
	uint32_t		*more;

	if (o == NULL && (o = s->own = calloc(1, sizeof(*o))) == NULL)
		return;
	if ((more = reallocarray(o->uids, o->n + n, sizeof(*more))) == NULL)
		return;		/* it will be told, which is no harm */
	memcpy(more + o->n, uids, n * sizeof(*more));
	o->uids = more;
	o->n += n;
}

void
arrivals_own(struct session *s, const struct place *p, const uint32_t *uids,
    size_t n)
{
	struct news	w;

	notify_own(s, p, NOTIFY_NEW, n);
	if (n > 0 && view_is_of(s->view, p->store, p->folder) &&
	    find_lists(&w, s))
		remember(s, uids, n);
}

void
arrivals_forget(struct session *s)
{
	if (s->own == NULL)
		return;
	free(s->own->uids);
	free(s->own);
	s->own = NULL;
}

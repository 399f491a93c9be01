/* route/hop_outbox.c - answers that queue has no room for at the moment. */
#include "route/hop_outbox.h"

#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>

#include "common/base/now.h"

#define PAUSE_MS	5

struct letter {
	TAILQ_ENTRY(letter)	 link;
	struct peer		*peer;
	struct buf		 rec;
};
TAILQ_HEAD(letter_list, letter);

struct hop_outbox {
	struct letter_list	 letters;
	size_t			 n, bytes;
	int64_t			 progress;	/* when one was sent, or the first one came */
	struct event		*timer;
};

static void
discard(struct hop_outbox *o, struct letter *l)
{
	TAILQ_REMOVE(&o->letters, l, link);
	o->n--;
	o->bytes -= l->rec.n;
	buf_free(&l->rec);
	free(l);
}

static int
pause_for(struct hop_outbox *o)
{
	static const struct timeval	pause = { 0, PAUSE_MS * 1000 };

	return evtimer_add(o->timer, &pause);
}

static void
again(evutil_socket_t fd, short what, void *arg)
{
	struct hop_outbox	*o = arg;
	struct letter		*l;

	(void)fd;
	(void)what;
	while ((l = TAILQ_FIRST(&o->letters)) != NULL) {
		if (peer_send(l->peer, &l->rec) == 0) {
			discard(o, l);
			o->progress = now_ms();
		} else if (errno == EAGAIN &&
		    now_ms() - o->progress < HOP_OUTBOX_MS &&
		    pause_for(o) == 0)
			return;
		else
			peer_drop(l->peer);	/* which calls forget */
	}
}

int
hop_outbox_new(struct hop_outbox **out, struct event_base *base)
{
	struct hop_outbox	*o;

	*out = NULL;
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return -1;
	TAILQ_INIT(&o->letters);
	if ((o->timer = evtimer_new(base, again, o)) == NULL) {
		free(o);
		return -1;
	}
	*out = o;
	return 0;
}

void
hop_outbox_free(struct hop_outbox **op)
{
	struct hop_outbox	*o = *op;

	if (o == NULL)
		return;
	hop_outbox_forget(o, NULL);
	event_free(o->timer);
	free(o);
	*op = NULL;
}

static int
keep(struct hop_outbox *o, struct peer *peer, const struct buf *rec)
{
	struct letter	*l;

	if (o->n >= HOP_OUTBOX_MAX || o->bytes + rec->n > HOP_OUTBOX_BYTES ||
	    (l = calloc(1, sizeof(*l))) == NULL)
		return -1;
	l->peer = peer;
	buf_init(&l->rec, rec->max);
	if (buf_addstr(&l->rec, buf_view(rec)) == -1) {
		free(l);
		return -1;
	}
	if (o->n == 0)
		o->progress = now_ms();
	TAILQ_INSERT_TAIL(&o->letters, l, link);
	o->n++;
	o->bytes += rec->n;
	return pause_for(o);
}

int
hop_outbox_send(struct hop_outbox *o, struct peer *peer, const struct buf *rec)
{
	if (o->n == 0) {
		if (peer_send(peer, rec) == 0)
			return 0;
		if (errno != EAGAIN)
			return -1;
	}
	return keep(o, peer, rec);
}

void
hop_outbox_forget(struct hop_outbox *o, const struct peer *peer)
{
	struct letter	*l, *next;

	for (l = TAILQ_FIRST(&o->letters); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (peer == NULL || l->peer == peer)
			discard(o, l);
	}
}

/*
 * queue/schedule_away.c - jobs that cannot go now are sent away for a time, and
 * called when their destination has room, or lives again. Pure but for its
 * memory.
 */
#include "queue/schedule_impl.h"

#define SOON_MS		5000	/* beyond the time when a dead one is tried */
#define ROOM_MS		15000	/* the least for want of room: when there is some it is called */

static int64_t
until_alive(struct schedule *s, struct schedule_dest *d, int64_t now)
{
	int64_t	from = d->dead_until > now ? d->dead_until : now;

	/* One comes back at once to try; what it finds out is for all. */
	if (!d->booked && !d->probing) {
		d->booked = true;
		return from;
	}
	return from + SOON_MS + d->back_off / 2 +
	    schedule_random(s, d->back_off / 2);
}

static int64_t
until_room(struct schedule *s, const struct schedule_dest *d, int64_t now)
{
	int64_t	jobs = (int64_t)(d->queued + d->active) + 1;
	int64_t	ms = dest_backlog(d, now) / jobs *
		    (jobs + (int64_t)d->away);

	if (ms < ROOM_MS)
		ms = ROOM_MS;
	if (ms > s->limits.retry_max)
		ms = s->limits.retry_max;
	return now + ms + schedule_random(s, ms / 4);
}

/* Out of the lists already. */
void
schedule_send_away(struct schedule *s, struct schedule_dest *d,
    struct schedule_job *j, int64_t now)
{
	j->dead = d->failures > 0;
	j->until = j->dead ? until_alive(s, d, now) : until_room(s, d, now);
	j->dest = d;
	d->away++;
	d->given_back++;
	TAILQ_INSERT_TAIL(&s->refused, j, link);
}

void
schedule_take_back(struct schedule *s, struct schedule_job *j)
{
	TAILQ_REMOVE(&s->refused, j, link);
	j->dest->given_back--;
}

struct schedule_job *
schedule_refused(struct schedule *s)
{
	struct schedule_job	*j = TAILQ_FIRST(&s->refused);

	if (j != NULL) {
		schedule_take_back(s, j);
		dest_place(s, j->dest, j->dest->used_at);
	}
	return j;
}

void
dest_want(struct schedule *s, struct schedule_dest *d)
{
	size_t	share = schedule_share(s), some = 4 * dest_allowed(d);

	if (d->away == 0)
		return;
	d->want = share > some ? share : some;
	if (!d->hurries) {
		d->hurries = true;
		TAILQ_INSERT_TAIL(&s->wanting, d, wanting);
	}
}

uint32_t
schedule_tag(const struct schedule_dest *d)
{
	return (uint32_t)d->hash;
}

bool
schedule_hurries(const struct schedule *s)
{
	return !TAILQ_EMPTY(&s->wanting);
}

bool
schedule_hurry(struct schedule *s, uint32_t tag)
{
	struct schedule_dest	*d = s->by_hash[tag % DEST_BUCKETS];

	while (d != NULL && (uint32_t)d->hash != tag)
		d = d->same;
	if (d == NULL || !d->hurries)
		return false;
	if (d->want == 0) {
		d->seen++;
		return false;
	}
	d->want--;
	return true;
}

void
schedule_hurried(struct schedule *s)
{
	struct schedule_dest	*d;

	while ((d = TAILQ_FIRST(&s->wanting)) != NULL) {
		TAILQ_REMOVE(&s->wanting, d, wanting);
		d->hurries = false;
		d->away = d->seen;
		d->want = d->seen = 0;
	}
}

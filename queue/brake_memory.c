/*
 * queue/brake_memory.c - the accounts in memory, and in state/brake below the
 * spool: written anew and renamed, so that a crash leaves the old file or the
 * new one.
 */
#include "queue/brake_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"

#define FILE_MAX	(128u << 20)
#define SAVE_MS		300000
#define LOOK_MAX	100u	/* accounts that are looked at to find one that may go */

int
brake_user_cmp(const struct brake_user *a, const struct brake_user *b)
{
	return str_cmp(a->r.name, b->r.name);
}

RB_GENERATE(brake_tree, brake_user, link, brake_user_cmp)

struct brake_user *
brake_find(struct brake *b, struct str name)
{
	char			 lower[BRAKE_NAME_MAX + 1];
	struct brake_user	 key = { .r = { .name = { lower, name.n } } };

	if (str_lower(lower, sizeof(lower), name) == -1)
		return NULL;
	return RB_FIND(brake_tree, &b->users, &key);
}

void
brake_touch(struct brake *b, struct brake_user *u)
{
	TAILQ_REMOVE(&b->ages, u, age);
	TAILQ_INSERT_TAIL(&b->ages, u, age);
}

/*
 * Room for one more. Of those who were idle longest one goes that would be
 * judged as a stranger, or if there is none the first that is not held.
 */
static int
make_room(struct queue *q)
{
	struct brake_limits	 l = brake_limits(q->settings);
	struct brake_user	*u, *worst = NULL;
	size_t			 i = 0;

	TAILQ_FOREACH(u, &q->brake->ages, age) {
		if (u->r.since != 0)
			continue;
		if (worst == NULL)
			worst = u;
		if (i++ == LOOK_MAX)
			break;
		if (!brake_rate_matters(&u->r.rate, &l,
		    u->r.rate.hour * 3600)) {
			worst = u;
			break;
		}
	}
	if (worst == NULL) {
		errno = ENOSPC;
		return -1;
	}
	brake_remove(q->brake, worst);
	return 0;
}

struct brake_user *
brake_add(struct queue *q, struct str name)
{
	struct brake		*b = q->brake;
	struct brake_user	*u;
	char			*mem;

	if ((b->n >= BRAKE_USERS && make_room(q) == -1) ||
	    (u = calloc(1, sizeof(*u) + name.n + 1)) == NULL)
		return NULL;
	mem = (char *)(u + 1);
	if (str_lower(mem, name.n + 1, name) == -1) {
		free(u);
		return NULL;
	}
	u->r.name = (struct str){ mem, name.n };
	RB_INSERT(brake_tree, &b->users, u);
	TAILQ_INSERT_TAIL(&b->ages, u, age);
	b->n++;
	return u;
}

void
brake_remove(struct brake *b, struct brake_user *u)
{
	RB_REMOVE(brake_tree, &b->users, u);
	TAILQ_REMOVE(&b->ages, u, age);
	b->n--;
	b->on -= u->r.since != 0;
	free(u->r.known);
	free(u);
}

struct brake_limits
brake_limits(const struct settings *st)
{
	const struct brake_settings	*s = &st->brake;

	return (struct brake_limits){ .factor = (uint32_t)s->factor, .free = {
		[BRAKE_MESSAGES] = (uint32_t)s->messages,
		[BRAKE_RCPTS] = (uint32_t)s->recipients,
		[BRAKE_NEW] = (uint32_t)s->new_recipients,
		[BRAKE_BOUNCES] = (uint32_t)s->bounces
	} };
}

/* ---- the file */

static int
put_all(const struct queue *q, struct buf *out, int64_t now)
{
	struct brake_limits	 l = brake_limits(q->settings);
	struct brake_user	*u;

	brake_file_head(out, now);
	RB_FOREACH(u, brake_tree, &q->brake->users)
		if (u->r.since != 0 ||
		    brake_rate_matters(&u->r.rate, &l, now / 1000))
			brake_file_add(out, &u->r);
	return buf_ok(out) ? 0 : -1;
}

void
brake_save(struct queue *q, int64_t now)
{
	struct brake	*b = q->brake;
	struct buf	 text;

	b->save_due = now + SAVE_MS;
	buf_init(&text, FILE_MAX);
	/* next time, if it fails */
	b->dirty = true;
	if (put_all(q, &text, now) == 0 &&
	    spool_state_write(&q->spool, "brake", buf_view(&text)) == 0)
		b->dirty = false;
	else
		intake_complain(q, "brake", "");
	buf_free(&text);
}

static int
take(void *arg, struct brake_record *r)
{
	struct queue		*q = arg;
	struct brake		*b = q->brake;
	struct brake_user	*u = brake_find(b, r->name);
	struct str		 name;

	/* twice, or none of ours */
	if (u != NULL || memchr(r->name.p, '\0', r->name.n) != NULL) {
		free(r->known);
		return 0;
	}
	if ((u = brake_add(q, r->name)) == NULL) {
		free(r->known);
		return -1;
	}
	name = u->r.name;
	u->r = *r;
	u->r.name = name;
	b->on += r->since != 0;
	if (r->since != 0 && !r->told)
		b->tell_due = 1;	/* at once */
	return 0;
}

static void
load(struct queue *q)
{
	struct brake	*b = q->brake;
	struct buf	 text;
	struct diag	 why = { "" };
	int64_t		 saved;

	buf_init(&text, FILE_MAX);
	if (spool_state_read(&q->spool, "brake", &text) == -1)
		diag_errno(&why, "state/brake");
	else if (text.n > 0 && brake_file_read(buf_view(&text), &saved, take,
	    q, &why) == 0 && saved <= now_real_ms())
		b->counted_ms = saved;
	buf_free(&text);
	/* What could be read of it counts. */
	if (why.text[0] != '\0')
		log_error("brake state=unreadable why=\"%s\"", why.text);
}

int
brake_new(struct queue *q)
{
	if ((q->brake = calloc(1, sizeof(*q->brake))) == NULL)
		return -1;
	RB_INIT(&q->brake->users);
	TAILQ_INIT(&q->brake->ages);
	q->brake->began_ms = now_real_ms();
	load(q);
	return 0;
}

void
brake_free(struct queue *q)
{
	struct brake_user	*u, *next;

	if (q->brake == NULL)
		return;
	if (q->brake->dirty)
		brake_save(q, now_real_ms());
	RB_FOREACH_SAFE(u, brake_tree, &q->brake->users, next)
		brake_remove(q->brake, u);
	free(q->brake);
	q->brake = NULL;
}

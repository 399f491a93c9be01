/*
 * queue/brake.c - which accounts are held, and which messages of theirs. Only
 * those who were active in the last hours, or whose habits matter, cost memory.
 */
#include "queue/brake.h"

#include <sys/tree.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "queue/brake_memory.h"

#define TELL_MS		60000	/* a few more samples */
#define SAVE_MS		300000	/* counts that a crash may take */
#define SWEEP_MS	600000

static const char *const	names[BRAKE_KINDS] = {
	"messages", "recipients", "new recipients", "failed recipients"
};

static bool
is_watching(const struct queue *q)
{
	return strcmp(q->settings->brake.mode, "watch") == 0;
}

static bool
is_subject(const struct queue *q, struct str name)
{
	const struct brake_settings	*s = &q->settings->brake;
	size_t				 i;

	if (q->brake == NULL || name.n == 0 || name.n > BRAKE_NAME_MAX ||
	    strcmp(s->mode, "no") == 0)
		return false;
	for (i = 0; i < s->exempt.n; i++)
		if (str_eq_nocase(name, str_from(s->exempt.items[i].text)))
			return false;
	return true;
}

void
brake_reason(const struct brake_record *r, struct buf *out)
{
	buf_addf(out, "%u %s within an hour, its limit is %u", r->seen,
	    names[r->what], r->limit);
}

static void
move(const struct queue *q, struct brake_record *r, int64_t now_s)
{
	struct brake_limits	l = brake_limits(q->settings);

	brake_rate_move(&r->rate, &l, now_s, r->since != 0 ? LEARN_NOTHING :
	    is_watching(q) ? LEARN_ALL : LEARN_SLOWLY);
}

/* NULL: there is no memory, and nobody is held. */
static struct brake_user *
account(struct queue *q, struct str name, int64_t now)
{
	struct brake		*b = q->brake;
	struct brake_user	*u = brake_find(b, name);

	if (u == NULL && (u = brake_add(q, name)) == NULL) {
		intake_complain(q, "brake", "");
		return NULL;
	}
	brake_touch(b, u);
	move(q, &u->r, now / 1000);
	return u;
}

/* ---- the brake goes on */

static void
log_state(const struct brake_record *r, const char *state)
{
	struct buf	why;
	char		user[LOG_SAFE_MAX];

	buf_init(&why, 256);
	brake_reason(r, &why);
	log_warn("brake user=%s state=%s why=\"%.*s\"",
	    log_safe(user, sizeof(user), r->name), state,
	    STR_ARG(buf_view(&why)));
	buf_free(&why);
}

static void
tell_at(struct brake *b, int64_t due)
{
	if (b->tell_due == 0 || due < b->tell_due)
		b->tell_due = due;
}

static void
judge(struct queue *q, struct brake_user *u, int64_t now)
{
	struct brake_limits	 l = brake_limits(q->settings);
	struct brake_record	*r = &u->r;
	enum brake_kind		 what;

	q->brake->dirty = true;
	if (r->since != 0 ||
	    !brake_rate_exceeds(&r->rate, &l, now / 1000, &what))
		return;
	r->what = what;
	r->seen = brake_rate_hour(&r->rate, what, now / 1000);
	r->limit = brake_rate_limit(&r->rate, &l, what);
	if (is_watching(q)) {
		if (u->watched != r->rate.hour)
			log_state(r, "watched");
		u->watched = r->rate.hour;
		return;
	}
	r->since = now;
	r->held = r->nsamples = 0;
	r->told = false;
	q->brake->on++;
	tell_at(q->brake, now + TELL_MS);
	log_state(r, "on");
	/* so that it is on after a crash, too */
	brake_save(q, now);
}

/* As long as an account sends little, nobody needs to be known to it. */
static void
count_new(struct brake_user *u, const struct envelope *env,
    const struct brake_limits *l, int64_t now_s)
{
	struct brake_record	*r = &u->r;
	uint32_t		 n = 0;
	size_t			 i;

	if (l->free[BRAKE_NEW] == 0)
		return;
	if (r->known == NULL && brake_rate_hour(&r->rate, BRAKE_RCPTS,
	    now_s) > l->free[BRAKE_NEW] / 8)
		r->known = calloc(1, sizeof(*r->known));
	for (i = 0; i < env->nrcpts; i++)
		n += r->known == NULL ||
		    brake_known_add(r->known, env->rcpts[i].addr);
	brake_rate_add(&r->rate, BRAKE_NEW, n, now_s);
}

static void
count(struct queue *q, struct brake_user *u, const struct envelope *env,
    int64_t now)
{
	struct brake_limits	l = brake_limits(q->settings);
	struct brake_rate	*r = &u->r.rate;

	/* found again at the start, and counted before */
	if (env->arrival_ms < q->brake->counted_ms)
		return;
	brake_rate_add(r, BRAKE_MESSAGES, 1, now / 1000);
	brake_rate_add(r, BRAKE_RCPTS, (uint32_t)env->nrcpts, now / 1000);
	count_new(u, env, &l, now / 1000);
	judge(q, u, now);
}

static void
hold(struct queue *q, struct brake_record *r, const struct message *m,
    int64_t now)
{
	struct buf	why, text;

	if (r->nsamples < BRAKE_SAMPLES) {
		r->samples[r->nsamples++] = m->id;
		/* enough to show */
		if (r->nsamples == BRAKE_SAMPLES)
			tell_at(q->brake, now);
	}
	r->held++;
	buf_init(&why, 256);
	buf_init(&text, 512);
	brake_reason(r, &why);
	buf_addf(&text, "held by the brake: %.*s", STR_ARG(buf_view(&why)));
	outcome_note(q, m, &m->env.rcpts[0], "4.7.1", buf_view(&text));
	buf_reset(&text);
	buf_addf(&text, "the brake: %.*s", STR_ARG(buf_view(&why)));
	if (buf_cstr(&text) != NULL)
		settle_hold(q, m, buf_cstr(&text));
	buf_free(&why);
	buf_free(&text);
}

/* Another process judged it before the brake went on, and was killed over it. */
static bool
went_before(const struct brake *b, const struct brake_record *r, struct id id)
{
	int64_t	at = (int64_t)(id.time_us / 1000);

	if (at >= b->began_ms)
		return false;
	return r->nsamples > 0 ? id_cmp(&id, &r->samples[0]) < 0 :
	    at < r->since;
}

bool
brake_holds(struct queue *q, struct message *m)
{
	int64_t			 now = now_real_ms();
	struct brake_user	*u;

	if (!is_subject(q, m->env.auth) || m->env.nrcpts == 0 ||
	    (u = account(q, m->env.auth, now)) == NULL)
		return false;
	count(q, u, &m->env, now);
	if (u->r.since == 0 || is_watching(q) ||
	    went_before(q->brake, &u->r, m->id))
		return false;
	hold(q, &u->r, m, now);
	return true;
}

void
brake_failed(struct queue *q, const struct message *m)
{
	int64_t			 now = now_real_ms();
	struct brake_user	*u;

	if (!is_subject(q, m->env.auth) ||
	    (u = account(q, m->env.auth, now)) == NULL)
		return;
	brake_rate_add(&u->r.rate, BRAKE_BOUNCES, 1, now / 1000);
	judge(q, u, now);
}

/* ---- and off */

bool
brake_off(struct queue *q, struct str name, bool right)
{
	struct brake_user	*u;

	if (q->brake == NULL || (u = brake_find(q->brake, name)) == NULL ||
	    u->r.since == 0)
		return false;
	move(q, &u->r, now_real_ms() / 1000);
	if (right)
		brake_rate_accept(&u->r.rate);
	else
		brake_rate_forget(&u->r.rate);
	log_state(&u->r, right ? "released" : "dropped");
	u->r.since = 0;
	q->brake->on--;
	brake_save(q, now_real_ms());
	return true;
}

void
brake_say(const struct queue *q, void (*fn)(void *, const char *line),
    void *arg)
{
	struct brake_user	*u;
	struct buf		 line;

	if (q->brake == NULL)
		return;
	buf_init(&line, 1024);
	RB_FOREACH(u, brake_tree, &q->brake->users) {
		if (u->r.since == 0)
			continue;
		buf_reset(&line);
		buf_addf(&line, "%lld %.*s held=%llu ",
		    (long long)(u->r.since / 1000), STR_ARG(u->r.name),
		    (unsigned long long)u->r.held);
		brake_reason(&u->r, &line);
		if (buf_cstr(&line) != NULL)
			fn(arg, buf_cstr(&line));
	}
	buf_free(&line);
}

size_t
brake_count(const struct queue *q)
{
	return q->brake == NULL ? 0 : q->brake->on;
}

/* ---- from time to time */

/* Those who send little are forgotten when their hours are over. */
static void
sweep(struct queue *q, int64_t now_s)
{
	struct brake_limits	 l = brake_limits(q->settings);
	struct brake_user	*u, *next;

	RB_FOREACH_SAFE(u, brake_tree, &q->brake->users, next) {
		move(q, &u->r, now_s);
		if (u->r.since == 0 && !brake_rate_matters(&u->r.rate, &l,
		    now_s) && brake_rate_hour(&u->r.rate, BRAKE_MESSAGES,
		    now_s) == 0)
			brake_remove(q->brake, u);
	}
}

/* Soon, but with some messages to show; the clock may have been put back. */
static bool
is_to_tell(const struct brake_record *r, int64_t now)
{
	return r->nsamples >= BRAKE_SAMPLES || now >= r->since + TELL_MS ||
	    now < r->since;
}

static void
tell(struct queue *q, int64_t now)
{
	struct brake		*b = q->brake;
	struct brake_user	*u;

	b->tell_due = 0;
	RB_FOREACH(u, brake_tree, &b->users) {
		if (u->r.since == 0 || u->r.told)
			continue;
		if (!is_to_tell(&u->r, now))
			tell_at(b, u->r.since + TELL_MS);
		else if (brake_tell(q, &u->r) == 0) {
			u->r.told = true;
			brake_save(q, now);
		} else {
			intake_complain(q, "notice", "");
			tell_at(b, now + TELL_MS);
		}
	}
}

void
brake_work(struct queue *q)
{
	struct brake	*b = q->brake;
	int64_t		 now = now_real_ms();

	if (b == NULL)
		return;
	if (b->tell_due != 0 &&
	    (now >= b->tell_due || b->tell_due > now + TELL_MS))
		tell(q, now);
	/* a clock that was put back must not stop this */
	if (now >= b->sweep_due || b->sweep_due > now + SWEEP_MS) {
		b->sweep_due = now + SWEEP_MS;
		sweep(q, now / 1000);
	}
	if (b->dirty && (now >= b->save_due || b->save_due > now + SAVE_MS))
		brake_save(q, now);
}

int64_t
brake_wait(const struct queue *q)
{
	const struct brake	*b = q->brake;
	int64_t			 now = now_real_ms();

	if (b == NULL || b->tell_due == 0)
		return -1;
	return b->tell_due > now ? b->tell_due - now : 0;
}

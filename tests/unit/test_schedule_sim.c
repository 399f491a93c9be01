/*
 * tests/unit/test_schedule_sim.c [SEED] - a week of the scheduler in seconds: a
 * million messages to ten thousand destinations, some of which are slow, away for
 * hours, gone for good, limited in connections or rate. What must hold all the
 * time is looked at all the time. The same seed gives the same week; one that
 * fails is printed and can be given as the argument.
 */
#include "queue/schedule.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/waiting.h"

#define MINUTE		INT64_C(60000)
#define HOUR		(60 * MINUTE)
#define DAY		(24 * HOUR)
#define WEEK		(7 * DAY)
#define LIFETIME	(2 * DAY)
#define RATE_MAX	200

#define NDESTS		10000u
#define WORKERS		100u
#define RUNNING		600u
#define CONCURRENCY	10u
#define JOBS_MAX	8u		/* of a message, at one destination */
#define RETRY_FIRST	(5 * MINUTE)
#define RETRY_MAX	(4 * HOUR)
#define IDLE_MS		2000
#define BURST		40000u
#define KEPT		(9 * HOUR)	/* longer than so the scheduler need not know */

static uint64_t	seed;
static size_t	nmessages = 1000000;

/* ck_assert writes to a file each time. */
#define must(cond, ...) do { \
	if (!(cond)) { \
		printf("seed %" PRIu64 " at %" PRId64 " ms: ", seed, now); \
		printf(__VA_ARGS__); \
		printf("\n"); \
		fflush(stdout); \
		ck_abort_msg("seed %" PRIu64 ": %s", seed, #cond); \
	} \
} while (0)

enum nature { HEALTHY, SLOW, GONE, AWAY, STRICT, PACED };

struct place {		/* a destination as the world has it */
	enum nature	nature;
	int64_t		takes;		/* ms for a job */
	int64_t		away[4];	/* from, to; from, to */
	size_t		takes_conns;	/* STRICT: refuses more */
	struct schedule_rules rules;
	int64_t		*starts;	/* PACED: the last rate of them */
	size_t		at;
	size_t		open, active, attempts, failures;
	bool		suspect;	/* the last that was heard is a failure */
	int64_t		heard;
};

struct mail {
	int64_t		arrival;
	uint16_t	dest, sender;
	uint8_t		class, njobs, left, again;
	bool		burst, later, ended;
};

struct work {		/* a job under way or waiting for its turn */
	struct schedule_job sj;
	uint32_t	mail;
	TAILQ_ENTRY(work) link;
};

struct conn {
	struct schedule_dest *dest;
	uint16_t	place;
	struct work	*work;
	int64_t		begun, ends, idle;
	size_t		used;
};

static struct place	places[NDESTS];
static struct mail	*mails;
static struct conn	conns[WORKERS];
static struct work	pool[RUNNING * JOBS_MAX];
static TAILQ_HEAD(, work) unused;
static struct schedule	*s;
static struct waiting_heap waiting;
static int64_t		now;
static size_t		nrunning, nretries, nopen, started, done, expired,
			arrived, fresh_next, most_dests;
static int64_t		worst_small, worst_any, hurried_at;
static uint64_t		state;

static uint64_t
rnd(uint64_t most)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % most;
}

static void
make_place(struct place *p)
{
	uint64_t	x = rnd(1000);

	memset(p, 0, sizeof(*p));
	p->takes = 20 + (int64_t)(rnd(30) * rnd(30));
	p->nature = x < 20 ? SLOW : x < 50 ? GONE : x < 100 ? AWAY :
	    x < 120 ? STRICT : x < 140 ? PACED : HEALTHY;
	switch (p->nature) {
	case SLOW:
		p->takes = 20000 + (int64_t)rnd(100000);
		break;
	case AWAY:
		p->away[0] = (int64_t)rnd(3 * DAY);
		p->away[1] = p->away[0] + 1000 + (int64_t)rnd(12 * HOUR);
		p->away[2] = p->away[1] + (int64_t)rnd(DAY);
		p->away[3] = p->away[2] + 1000 + (int64_t)rnd(10 * MINUTE);
		break;
	case STRICT:
		p->takes_conns = 1 + rnd(3);
		break;
	case PACED:
		p->rules.rate = 1 + rnd(RATE_MAX);
		p->rules.connections = 1 + rnd(20);
		p->starts = malloc(RATE_MAX * sizeof(*p->starts));
		for (x = 0; x < RATE_MAX; x++)
			p->starts[x] = INT64_MIN / 2;
		break;
	case HEALTHY:
	case GONE:
		break;
	}
}

/* Few are popular. */
static uint16_t
some_place(void)
{
	uint64_t	span = UINT64_C(1) << rnd(14);

	return (uint16_t)rnd(span < NDESTS ? span : NDESTS);
}

static int
by_arrival(const void *x, const void *y)
{
	const struct mail	*a = x, *b = y;

	return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

static void
make_mails(void)
{
	int64_t	burst_at = 0;
	size_t	i;

	mails = calloc(nmessages, sizeof(*mails));
	for (i = 0; i < nmessages; i++) {
		struct mail	*m = &mails[i];

		/* each fifth burst-sized piece comes at once, from one sender */
		m->burst = (i / BURST) % 5 == 4;
		if (m->burst && i % BURST == 0)
			burst_at = (int64_t)rnd(6 * DAY);
		m->arrival = m->burst ? burst_at + (int64_t)rnd(MINUTE) :
		    (int64_t)rnd(WEEK - DAY);
		m->dest = some_place();
		m->sender = m->burst ? (uint16_t)(60000 + i / BURST) :
		    (uint16_t)rnd(2000);
		m->class = m->burst ? SCHEDULE_BULK :
		    (uint8_t)rnd(SCHEDULE_CLASSES);
		m->njobs = rnd(100) == 0 ? (uint8_t)(1 + rnd(JOBS_MAX)) : 1;
	}
	qsort(mails, nmessages, sizeof(*mails), by_arrival);
}

static bool
is_away(const struct place *p)
{
	return p->nature == GONE || (p->nature == AWAY &&
	    ((now >= p->away[0] && now < p->away[1]) ||
	    (now >= p->away[2] && now < p->away[3])));
}

static struct id
id_of(size_t i)
{
	return (struct id){ .time_us = i, .random = 0 };
}

static void
mail_waits(size_t i, int64_t due, uint32_t tag)
{
	must(waiting_add(&waiting, (struct waiting){
	    .id = id_of(i), .due = due, .dest = tag }) == 0, "memory");
}

/* All jobs of the message are over for this time. */
static void
mail_rests(size_t i, bool failed, int64_t later, uint32_t tag)
{
	struct mail	*m = &mails[i];
	int64_t		 age = now - m->arrival;

	nrunning--;
	if (m->again > 0)
		nretries--;
	if (m->again < 255)
		m->again++;
	if (m->njobs == 0) {
		m->ended = true;
		done++;
		return;
	}
	if (age > LIFETIME) {
		m->ended = true;
		expired++;
		return;
	}
	if (failed && later == 0)
		mail_waits(i, now + waiting_delay(age, RETRY_FIRST, RETRY_MAX,
		    (uint32_t)rnd(UINT32_MAX)), 0);
	else
		mail_waits(i, later, tag);
}

/* What it still has to say when its last job ends: the earliest of what was sent away, or that it failed. */
static int64_t	*later_of;
static uint32_t	*tag_of;

static void
job_over(struct work *w, bool ok, int64_t later)
{
	struct mail	*m = &mails[w->mail];

	if (ok)
		m->njobs--;
	if (later != 0 && (later_of[w->mail] == 0 ||
	    later < later_of[w->mail])) {
		later_of[w->mail] = later;
		tag_of[w->mail] = schedule_tag(w->sj.dest);
	}
	TAILQ_INSERT_HEAD(&unused, w, link);
	if (--m->left > 0)
		return;
	mail_rests(w->mail, true, later_of[w->mail], tag_of[w->mail]);
	later_of[w->mail] = 0;
}

static void
mail_starts(size_t i)
{
	struct mail	*m = &mails[i];
	struct place	*p = &places[m->dest];
	char		 key[32];
	struct work	*w;
	uint8_t		 k, n = m->njobs;
	int		 r;

	started++;
	nrunning++;
	if (m->again > 0)
		nretries++;
	snprintf(key, sizeof(key), "smtp:mx.d%u.test", m->dest);
	m->left = n;
	for (k = 0; k < n; k++) {
		w = TAILQ_FIRST(&unused);
		must(w != NULL, "more jobs than there may be");
		TAILQ_REMOVE(&unused, w, link);
		memset(&w->sj, 0, sizeof(w->sj));
		w->mail = (uint32_t)i;
		w->sj.sender = m->sender;
		w->sj.class = (enum schedule_class)m->class;
		w->sj.hosts = m->dest;
		w->sj.first = k == 0;
		r = schedule_add(s, &w->sj, str_from(key), &p->rules,
		    RUNNING - nrunning, now);
		must(r != -1, "memory");
		if (r == 1) {
			must(w->sj.until > now || !w->sj.dead ||
			    w->sj.until >= now, "back before now");
			job_over(w, false, w->sj.until);
		}
	}
}

static void
check_start(struct place *p)
{
	size_t	most = p->rules.connections != 0 ? p->rules.connections :
		    CONCURRENCY;

	must(p->open <= most, "%zu connections, not %zu", p->open, most);
	must(nopen <= WORKERS, "%zu workers", nopen);
	/* what cannot be reached is tried by one alone */
	must(!p->suspect || p->active == 1 || now - p->heard > KEPT,
	    "%zu at a dead one", p->active);
	p->attempts++;
	if (p->rules.rate == 0)
		return;
	must(now - p->starts[p->at] >= MINUTE, "more than %zu a minute",
	    p->rules.rate);
	p->starts[p->at] = now;
	p->at = (p->at + 1) % p->rules.rate;
}

static void
conn_begin(struct conn *c, struct schedule_job *sj, bool fresh)
{
	struct work	*w = (struct work *)sj;
	struct place	*p = &places[mails[w->mail].dest];

	c->work = w;
	c->dest = sj->dest;
	c->place = mails[w->mail].dest;
	c->begun = now;
	if (fresh) {
		c->used = 0;
		p->open++;
		nopen++;
	}
	p->active++;
	check_start(p);
	if (is_away(p))		/* refused at once, or silence */
		c->ends = now + (c->place % 2 == 0 ? 30 : 60000);
	else if (fresh && p->nature == STRICT && p->open > p->takes_conns)
		c->ends = -(now + 30);		/* told to go */
	else
		c->ends = now + 1 + p->takes / 2 +
		    (int64_t)rnd((uint64_t)p->takes);
}

static void
conn_close(struct conn *c)
{
	schedule_closed(s, c->dest);
	places[c->place].open--;
	nopen--;
	c->dest = NULL;
}

static void
delivered(const struct mail *m, const struct place *p)
{
	int64_t	age = now - m->arrival;

	if (p->nature == AWAY && m->arrival < p->away[3] && now > p->away[3])
		must(now - p->away[3] < 2 * RETRY_MAX, "%zu was back for "
		    "%" PRId64 " s", (size_t)m->dest,
		    (now - p->away[3]) / 1000);
	if (p->nature != HEALTHY)
		return;
	if (age > worst_any)
		worst_any = age;
	if (m->class == SCHEDULE_SMALL && age > worst_small)
		worst_small = age;
}

static void
conn_ended(struct conn *c)
{
	struct place	*p = &places[c->place];
	struct work	*w = c->work;
	bool		 told = c->ends < 0, ok = !told && !is_away(p);

	/* what went away meanwhile does not answer either */
	c->work = NULL;
	c->ends = 0;
	c->idle = now;
	c->used++;
	p->active--;
	p->heard = now;
	schedule_ended(s, c->dest, c->place, ok ? SCHEDULE_DONE :
	    SCHEDULE_FAILED, STR("no answer"), c->begun, now);
	if (ok)
		delivered(&mails[w->mail], p);
	else
		p->failures++;
	p->suspect = !ok && p->active == 0 && p->nature != STRICT;
	job_over(w, ok, 0);
	if (!ok)
		conn_close(c);
}

static void
conn_goes_on(struct conn *c)
{
	struct schedule_job	*sj;
	bool			 yield;

	sj = schedule_again(s, c->dest, c->used, now, &yield);
	if (sj != NULL)
		conn_begin(c, sj, false);
	else if (yield || now - c->idle >= IDLE_MS)
		conn_close(c);
}

static void
open_more(void)
{
	struct schedule_job	*sj;
	struct conn		*c;
	size_t			 i;

	for (;;) {
		for (i = 0; i < WORKERS && schedule_is_full(s); i++)
			if (conns[i].dest != NULL && conns[i].work == NULL) {
				conn_close(&conns[i]);
				break;
			}
		if ((sj = schedule_next(s, now)) == NULL)
			return;
		for (c = conns; c->dest != NULL; c++)
			must(c < conns + WORKERS - 1, "no worker is free");
		conn_begin(c, sj, true);
	}
}

static void
hurry(void)
{
	size_t	i;

	if (!schedule_hurries(s) || now - hurried_at < 200)
		return;
	hurried_at = now;
	for (i = 0; i < waiting.n; i++)
		if (waiting.w[i].dest != 0 && waiting.w[i].due > now &&
		    schedule_hurry(s, waiting.w[i].dest))
			waiting.w[i].due = now;
	schedule_hurried(s);
	waiting_order(&waiting);
}

static void
take_mail(void)
{
	size_t	i;

	while (arrived < nmessages && mails[arrived].arrival <= now)
		arrived++;
	while (fresh_next < arrived && nrunning < RUNNING)
		mail_starts(fresh_next++);
	while (waiting.n > 0 && waiting.w[0].due <= now &&
	    nrunning < RUNNING && nretries <= RUNNING * 3 / 4) {
		i = (size_t)waiting.w[0].id.time_us;
		waiting_remove(&waiting, 0);
		mail_starts(i);
	}
}

static void
step(void)
{
	struct schedule_job	*sj;
	size_t			 i;
	int64_t			 end;

	for (i = 0; i < WORKERS; i++) {
		end = conns[i].ends < 0 ? -conns[i].ends : conns[i].ends;
		if (conns[i].work != NULL && end <= now)
			conn_ended(&conns[i]);
	}
	take_mail();
	for (i = 0; i < WORKERS; i++)
		if (conns[i].dest != NULL && conns[i].work == NULL)
			conn_goes_on(&conns[i]);
	open_more();
	schedule_shed(s, RUNNING - nrunning, now);
	while ((sj = schedule_refused(s)) != NULL)
		job_over((struct work *)sj, false, sj->until);
	hurry();
	take_mail();
	open_more();
}

/* When does something happen by itself? -1: never. */
static int64_t
next_time(void)
{
	int64_t	t = INT64_MAX, at;
	size_t	i;

	if (arrived < nmessages)
		t = mails[arrived].arrival;
	if (waiting.n > 0 && waiting.w[0].due < t && nrunning < RUNNING &&
	    nretries <= RUNNING * 3 / 4)
		t = waiting.w[0].due;
	for (i = 0; i < WORKERS; i++) {
		if (conns[i].dest == NULL)
			continue;
		at = conns[i].work == NULL ? conns[i].idle + IDLE_MS :
		    conns[i].ends < 0 ? -conns[i].ends : conns[i].ends;
		if (at < t)
			t = at;
	}
	if ((at = schedule_wait(s, now)) != -1 && now + at < t)
		t = now + at;
	if (schedule_hurries(s) && hurried_at + 200 < t)
		t = hurried_at + 200;
	return t == INT64_MAX ? -1 : t <= now ? now + 1 : t;
}

static void
look(void)
{
	struct schedule_counts	c;

	schedule_count(s, &c);
	must(c.flows <= c.queued, "%zu flows for %zu jobs", c.flows, c.queued);
	must(c.open == nopen, "%zu open, not %zu", c.open, nopen);
	must(c.queued + c.active <= RUNNING * JOBS_MAX, "%zu jobs", c.queued);
	must(nrunning <= RUNNING, "%zu under way", nrunning);
	if (c.dests > most_dests)
		most_dests = c.dests;
}

static void
check_end(void)
{
	struct schedule_counts	c;
	size_t			i, tries = 0, gone = 0;

	schedule_count(s, &c);
	must(c.queued == 0 && c.active == 0 && c.flows == 0 && c.open == 0,
	    "%zu queued, %zu active, %zu open", c.queued, c.active, c.open);
	must(done + expired == nmessages, "%zu done, %zu expired", done,
	    expired);
	for (i = 0; i < nmessages; i++)
		must(mails[i].njobs == 0 ||
		    places[mails[i].dest].nature == GONE ||
		    places[mails[i].dest].nature == SLOW ||
		    places[mails[i].dest].nature == PACED,
		    "mail %zu to %u (nature %d) was given up", i,
		    mails[i].dest, places[mails[i].dest].nature);
	for (i = 0; i < NDESTS; i++)
		if (places[i].nature == GONE) {
			gone++;
			tries += places[i].attempts;
			/* back-off: some at first, then one in three hours */
			must(places[i].attempts < 10 + 9 * DAY / (3 * HOUR),
			    "%zu attempts at %zu, which is gone",
			    places[i].attempts, i);
		}
	must(worst_small < 10 * MINUTE, "a small one took %" PRId64 " s",
	    worst_small / 1000);
	must(worst_any < 6 * HOUR, "one took %" PRId64 " s", worst_any / 1000);
	must(started < 12 * nmessages, "%zu loads", started);
	must(most_dests <= NDESTS, "%zu destinations", most_dests);
	printf("# seed %" PRIu64 ": %zu done, %zu expired, %zu loads, worst "
	    "%" PRId64 " s (small %" PRId64 " s), %zu attempts at %zu gone\n",
	    seed, done, expired, started, worst_any / 1000, worst_small / 1000,
	    tries, gone);
}

static void
week(void)
{
	static const struct schedule_limits limits = { .workers = WORKERS,
	    .concurrency = CONCURRENCY, .running = RUNNING,
	    .dests = NDESTS / 2, .retry_first = RETRY_FIRST,
	    .retry_max = RETRY_MAX };
	size_t	i, steps = 0;

	state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	TAILQ_INIT(&unused);
	for (i = 0; i < nitems(pool); i++)
		TAILQ_INSERT_TAIL(&unused, &pool[i], link);
	for (i = 0; i < NDESTS; i++)
		make_place(&places[i]);
	make_mails();
	later_of = calloc(nmessages, sizeof(*later_of));
	tag_of = calloc(nmessages, sizeof(*tag_of));
	ck_assert_int_eq(schedule_new(&s, &limits, seed + 1), 0);
	for (now = 0; now != -1; now = next_time()) {
		step();
		if (++steps % 4096 == 0)
			look();
		must(now < 30 * DAY, "no end: %zu running, %zu wait", nrunning,
		    waiting.n);
	}
	check_end();
	schedule_free(&s);
	waiting_free(&waiting);
	for (i = 0; i < NDESTS; i++)
		free(places[i].starts);
	free(mails);
	free(later_of);
	free(tag_of);
}

START_TEST(weeks)
{
	seed = (uint64_t)_i;
	week();
}
END_TEST

int
main(int argc, char *argv[])
{
	const char	*mode = getenv("PH_MODE"), *few = getenv("PH_MESSAGES");
	bool		 is_long = mode != NULL && strcmp(mode, "long") == 0;
	Suite		*suite = suite_create("schedule_sim");
	TCase		*tc = tcase_create("schedule_sim");
	SRunner		*sr;
	int		 failed;

	if (few != NULL)
		nmessages = (size_t)strtoul(few, NULL, 10);
#ifdef PH_SANITIZE
	nmessages = nmessages > 100000 ? 100000 : nmessages;
#endif
	tcase_set_timeout(tc, 600);
	if (argc > 1)
		tcase_add_loop_test(tc, weeks, atoi(argv[1]),
		    atoi(argv[1]) + 1);
	else
		tcase_add_loop_test(tc, weeks, 1, is_long ? 41 : 4);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * tests/unit/test_queue.c - queue's state on a real spool, with a route and
 * agents of its own: what waits, what is taken over, what becomes of it.
 */
#include "queue/queue.h"

#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "queue/brake_memory.h"
#include "queue/control.h"
#include "queue/entry.h"

static char		dir[40];
static struct queue	q;

/* ---- in place of router.c, agents.c, closer.c and server.c */

static const char	*route_says, *agent_says;
static const char	*agent_then;	/* says this after the next one */
static unsigned		delivered, kicks;

static struct str
final_of(struct task *t, const char *user)
{
	struct final	f = { .kind = FINAL_USER, .user = str_from(user),
			    .ext = STR(""), .addr = STR("a@x.test"),
			    .arg = STR("") };
	struct buf	b;
	struct str	s = { "", 0 };

	buf_init(&b, 1024);
	final_encode(&b, &f);
	ck_assert_int_eq(arena_dup(&t->m->mem, buf_view(&b), &s), 0);
	buf_free(&b);
	return s;
}

static struct task_list	wanted;

/* As the real one: nothing is answered from within. */
void
router_ask(struct queue *queue, struct task *t)
{
	(void)queue;
	TAILQ_INSERT_TAIL(&wanted, t, link);
}

/* So many users whom nobody else means. */
static void
answer_many(struct task *t, size_t n)
{
	char	name[32];

	t->finals = arena_get(&t->m->mem, n * sizeof(*t->finals));
	ck_assert_ptr_nonnull(t->finals);
	while (t->nfinals < n) {
		snprintf(name, sizeof(name), "u%zu.%zu", t->rcpt, t->nfinals);
		t->finals[t->nfinals++] = final_of(t, name);
	}
}

/* "550", or names of users: "bob" or "bob ann", or a number of them: "#50". */
static void
answer(struct task *t)
{
	struct message	*m = t->m;
	char		 names[64], *p = names, *name;

	m->routing--;
	if (route_says[0] == '4' || route_says[0] == '5') {
		m->pending++;
		task_done(&q, t, route_says, STR("route said so"));
		m->pending--;
	} else if (route_says[0] == '#')
		answer_many(t, strtoul(route_says + 1, NULL, 10));
	else {
		strlcpy(names, route_says, sizeof(names));
		t->finals = arena_get(&m->mem, 8 * sizeof(*t->finals));
		ck_assert_ptr_nonnull(t->finals);
		while ((name = strsep(&p, " ")) != NULL)
			t->finals[t->nfinals++] = final_of(t, name);
	}
	if (m->routing == 0)
		message_routed(&q, m);
}

static void
answer_all(void)
{
	struct task	*t;

	while ((t = TAILQ_FIRST(&wanted)) != NULL) {
		TAILQ_REMOVE(&wanted, t, link);
		answer(t);
	}
}

static void
scan(void)
{
	intake_work(&q);
	answer_all();
}

static void
schedule(void)
{
	message_schedule(&q);
	answer_all();
}

static void
poke(enum spool_place place, struct id id)
{
	intake_poked(&q, place, id);
	answer_all();
}

void
agents_deliver(struct queue *queue, struct task *t)
{
	const char	*now = agent_says;

	delivered++;
	if (agent_then != NULL)
		agent_says = agent_then;
	if (now[0] == 'L')
		task_later(queue, t, now_real_ms() + 1000, 4711,
		    STR("not its turn"));
	else
		task_done(queue, t, now, STR("agent\nsaid so"));
}

size_t
agents_count(const struct queue *queue)
{
	(void)queue;
	return 0;
}

void
queue_kick(struct queue *queue)
{
	(void)queue;
	kicks++;
}

void
closer_add(struct queue *queue, int *fd)
{
	(void)queue;
	fdio_close(fd);
}

/* ---- the spool */

static void
setup(void)
{
	static const char *const parts[] = { "incoming", "incoming/tmp",
	    "incoming/new", "drop", "drop/tmp", "drop/new", "queue", "status",
	    "tmp", "hold", "corrupt", "state" };
	struct diag	why;
	size_t		i;
	int		fd;

	strlcpy(dir, "/tmp/test_queue.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_ne(fd = fdio_opendir(AT_FDCWD, dir), -1);
	for (i = 0; i < nitems(parts); i++)
		ck_assert_int_eq(mkdirat(fd, parts[i], 0700), 0);
	memset(&q, 0, sizeof(q));
	ck_assert_int_eq(spool_open(&q.spool, fd, DURABLE_STRICT, &why), 0);
	close(fd);
	TAILQ_INIT(&q.running);
	ck_assert_msg(settings_parse(STR("hostname mx.test\n"
	    "domain x.test\nqueue.retry-first 60s\nqueue.retry-max 1h\n"),
	    "t", &q.settings, &why) == 0, "%s", why.text);
	q.settings->smtp.recipients = 3;
	q.settings->smtp.message_size = 1 << 20;
	route_says = "bob";
	agent_says = "2.0.0";
	agent_then = NULL;
	TAILQ_INIT(&wanted);
	delivered = kicks = 0;
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), "queue");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
teardown(void)
{
	message_free_all(&q);
	brake_free(&q);
	waiting_free(&q.waiting);
	waiting_free(&q.fresh);
	spool_close(&q.spool);
	settings_free(&q.settings);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int	ahead;		/* seconds of the clock, while a message is made */

static struct id
put(const char *place, struct envelope *env, const char *text)
{
	struct spool_in	in;
	struct draft	d;
	struct timespec	ts = now_real();
	struct id	id;
	char		path[64];
	int		fd;

	ts.tv_sec += ahead;
	id = id_make(&ts);
	snprintf(path, sizeof(path), "%s/%s", dir, place);
	ck_assert_int_ne(fd = fdio_opendir(AT_FDCWD, path), -1);
	ck_assert_int_eq(spool_in_open(&in, fd, DURABLE_STRICT), 0);
	in.spread = false;
	close(fd);
	id_format(id, env->id);
	if (env->arrival_ms == 0)
		env->arrival_ms = now_real_ms();
	ck_assert_int_eq(draft_begin(&in, &d, env), 0);
	ck_assert_int_eq(draft_write(&d, text, strlen(text)), 0);
	ck_assert_int_eq(draft_commit(&in, &d), 0);
	spool_in_close(&in);
	return id;
}

static struct envelope_rcpt	two[2];

static struct id
incoming(size_t nrcpts, int64_t arrival)
{
	struct envelope	env = { .sender = STR("s@y.test"), .rcpts = two,
			    .nrcpts = nrcpts, .arrival_ms = arrival };

	two[0] = two[1] = (struct envelope_rcpt){ .addr = STR("a@x.test"),
	    .state = RCPT_WAITING };
	two[1].addr = STR("b@x.test");
	return put("incoming", &env, "A: b\r\n\r\nc\r\n");
}

static int
count_one(void *arg, const struct id *id, const char *name, int64_t due)
{
	size_t	*n = arg;

	(void)id;
	(void)name;
	(void)due;
	(*n)++;
	return 0;
}

static void
check_places(size_t in_incoming, size_t in_queue, size_t held, size_t corrupt)
{
	const size_t	want[] = { in_incoming, in_queue, held, corrupt };
	const enum spool_place at[] = { SPOOL_INCOMING, SPOOL_QUEUE,
			    SPOOL_HOLD, SPOOL_CORRUPT };
	size_t		i, n;

	for (i = 0; i < 4; i++) {
		n = 0;
		ck_assert_int_eq(spool_scan(&q.spool, at[i], count_one, &n), 0);
		ck_assert_msg(n == want[i], "place %zu: %zu, not %zu", i, n,
		    want[i]);
	}
}

static void
check_states(enum spool_place place, struct id id, const char *want)
{
	struct envelope	env;
	struct diag	why = { "" };
	char		got[16] = "";
	size_t		i;
	int		fd = spool_file(&q.spool, place, id, false);

	ck_assert_int_ne(fd, -1);
	ck_assert_msg(envelope_load(fd, &env, &why) == 0, "%s", why.text);
	ck_assert_int_eq(envelope_verify(fd, &env, &why), 0);
	for (i = 0; i < env.nrcpts; i++)
		got[i] = env.rcpts[i].state;
	ck_assert_str_eq(got, want);
	envelope_free(&env);
	close(fd);
}

/* ---- waiting.c */

START_TEST(heap)
{
	struct waiting_heap	h = { NULL, 0, 0 };
	struct id		id = { .time_us = 0, .random = 0 };
	int64_t			last = -1;
	size_t			i, n = 5000;
	uint32_t		x = 12345;

	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		id.time_us = i;
		ck_assert_int_eq(waiting_add(&h, (struct waiting){
		    .id = id, .due = x % 700 }), 0);
	}
	id.time_us = 4321;
	ck_assert_uint_lt(i = waiting_find(&h, id), n);
	ck_assert_uint_eq(h.w[i].id.time_us, 4321);
	waiting_remove(&h, i);
	ck_assert_uint_eq(waiting_find(&h, id), h.n);
	for (i = 0; i < 1000; i++)	/* from the middle, too */
		waiting_remove(&h, (i * 7919) % h.n);
	ck_assert_uint_eq(h.n, n - 1001);
	while (h.n > 0) {
		ck_assert_int_ge(h.w[0].due, last);
		last = h.w[0].due;
		waiting_remove(&h, 0);
	}
	ck_assert_uint_le(h.cap, 200);	/* the memory is given back */
	waiting_free(&h);
	ck_assert_ptr_null(h.w);
}
END_TEST

static const struct { int64_t age, first, max; uint32_t chance; int64_t want; } delays[] = {
	{ 0, 60000, 3600000, 0, 60000 },
	{ -5, 60000, 3600000, 0, 60000 },	/* a clock that went back */
	{ 100000, 60000, 3600000, 0, 100000 },
	{ INT64_MAX, 60000, 3600000, 0, 3600000 },
	{ 0, 60000, 3600000, UINT32_MAX, 66000 },
	{ 0, 60000, 3600000, UINT32_MAX / 2, 62999 },
	{ INT64_MAX, 60000, INT64_C(31536000000), UINT32_MAX,
	    INT64_C(34689600000) },
	{ 0, 5, 9, UINT32_MAX, 5 },
};

START_TEST(delay)
{
	ck_assert_int_eq(waiting_delay(delays[_i].age, delays[_i].first,
	    delays[_i].max, delays[_i].chance), delays[_i].want);
}
END_TEST

/* ---- intake.c, message.c, outcome.c and settle.c */

static const struct {
	const char	*route, *agent, *states;
	size_t		 queue, hold, waiting;
	unsigned	 deliveries;
} fates[] = {
	{ "bob",	"2.0.0", NULL,	0, 0, 0, 2 },
	{ "bob",	"4.2.2", "ww",	1, 0, 1, 2 },
	{ "bob",	"5.2.2", NULL,	1, 0, 1, 2 },	/* its report */
	{ "bob",	"?",	 "ww",	1, 0, 1, 2 },	/* as good as temporary */
	{ "550",	"2.0.0", NULL,	1, 0, 1, 0 },
	{ "450",	"2.0.0", "ww",	1, 0, 1, 0 },
	/* each recipient means two places; the second means the same again */
	{ "bob ann",	"2.0.0", NULL,	0, 0, 0, 2 },
	{ "bob ann",	"4.0.0", "ww",	1, 0, 1, 2 },
	{ "bob bob",	"5.0.0", NULL,	1, 0, 1, 1 },
};

/* The one message that waits is a report to the sender, and what it was about has gone. */
static void
check_report(struct id about, const char *action)
{
	struct envelope	env;
	struct diag	why;
	char		text[8192], name[ID_SIZE], want[64];
	ssize_t		n;
	int		fd;

	ck_assert(!spool_has(&q.spool, SPOOL_QUEUE, about));
	ck_assert(!spool_has(&q.spool, SPOOL_INCOMING, about));
	ck_assert_int_le(q.waiting.w[0].due, now_real_ms());
	fd = spool_file(&q.spool, SPOOL_QUEUE, q.waiting.w[0].id, false);
	ck_assert_int_eq(envelope_load(fd, &env, &why), 0);
	ck_assert_int_eq(envelope_verify(fd, &env, &why), 0);
	ck_assert(str_eq(env.sender, STR("")));
	ck_assert_uint_eq(env.nrcpts, 1);
	ck_assert(str_eq(env.rcpts[0].addr, STR("s@y.test")));
	ck_assert_int_eq(env.rcpts[0].state, RCPT_WAITING);
	ck_assert_int_gt(n = fdio_pread(fd, text, sizeof(text) - 1,
	    env.content_at), 0);
	text[n] = '\0';
	id_format(about, name);
	snprintf(want, sizeof(want), "X-Posthouse-Id: %s\r\n", name);
	ck_assert_ptr_nonnull(strstr(text, want));
	snprintf(want, sizeof(want), "Action: %s\r\n", action);
	ck_assert_ptr_nonnull(strstr(text, want));
	ck_assert_ptr_nonnull(strstr(text, "A: b\r\n\r\nc\r\n"));
	envelope_free(&env);
	close(fd);
}

static int
take_id(void *arg, const struct id *id, const char *name, int64_t due)
{
	(void)name;
	(void)due;
	*(struct id *)arg = *id;
	return 0;
}

/* A report that fails goes to the postmaster, and if that fails is held. */
START_TEST(reports_end)
{
	struct id	id = incoming(1, 0), held;

	agent_says = "5.0.0";
	poke(SPOOL_INCOMING, id);
	while (q.waiting.n > 0)
		schedule();
	ck_assert_uint_eq(delivered, 3);
	check_places(0, 0, 1, 0);
	ck_assert_int_eq(spool_scan(&q.spool, SPOOL_HOLD, take_id, &held), 0);
	check_states(SPOOL_HOLD, held, "f");
	ck_assert_uint_eq(q.held, 1);
}
END_TEST

static const struct {
	unsigned	 notify;
	const char	*agent, *kind;	/* kind: of the report, or NULL */
} notifies[] = {
	{ 0, "5.0.0", "failed" },
	{ NOTIFY_FAILURE, "5.0.0", "failed" },
	{ NOTIFY_FAILURE | NOTIFY_SUCCESS, "5.0.0", "failed" },
	{ NOTIFY_NEVER, "5.0.0", NULL },
	{ NOTIFY_SUCCESS, "5.0.0", NULL },
	{ NOTIFY_DELAY, "5.0.0", NULL },
	{ 0, "2.0.0", NULL },
	{ NOTIFY_FAILURE, "2.0.0", NULL },
	{ NOTIFY_SUCCESS, "2.0.0", "delivered" },
};

START_TEST(notify)
{
	struct envelope	env = { .sender = STR("s@y.test"), .rcpts = two,
			    .nrcpts = 1, .options = ENV_RET_FULL };
	struct id	id;

	two[0] = (struct envelope_rcpt){ .addr = STR("a@x.test"),
	    .notify = notifies[_i].notify, .state = RCPT_WAITING };
	id = put("incoming", &env, "A: b\r\n\r\nc\r\n");
	agent_says = notifies[_i].agent;
	poke(SPOOL_INCOMING, id);
	check_places(0, notifies[_i].kind != NULL, 0, 0);
	if (notifies[_i].kind != NULL && notifies[_i].agent[0] == '5')
		check_report(id, notifies[_i].kind);
}
END_TEST

/* Told once that it waits; then that it failed. */
START_TEST(late)
{
	struct id	id = incoming(1, now_real_ms() - 5 * 3600000);
	size_t		i;

	q.settings->queue.lifetime = INT64_MAX;
	agent_says = "4.0.0";
	poke(SPOOL_INCOMING, id);
	check_places(0, 2, 0, 0);
	check_states(SPOOL_QUEUE, id, "l");
	agent_says = "2.0.0";
	schedule();		/* the report is delivered */
	check_places(0, 1, 0, 0);
	agent_says = "4.0.0";
	for (i = 0; i < q.waiting.n; i++)
		q.waiting.w[i].due = 0;
	schedule();
	check_places(0, 1, 0, 0);
	check_states(SPOOL_QUEUE, id, "l");
	q.waiting.w[0].due = 0;
	agent_says = "5.0.0";
	agent_then = "4.0.0";		/* to its report */
	schedule();
	check_places(0, 1, 0, 0);
	q.waiting.w[0].due = 0;
	check_report(id, "failed");
}
END_TEST

START_TEST(fate)
{
	struct id	id = incoming(2, 0);
	struct stat	st;
	int		fd;

	route_says = fates[_i].route;
	agent_says = fates[_i].agent;
	q.incoming_more = true;
	scan();
	ck_assert(!q.incoming_more);
	ck_assert_uint_eq(q.taken, 1);
	ck_assert_uint_eq(delivered, fates[_i].deliveries);
	ck_assert_uint_eq(q.nrunning, 0);
	ck_assert_ptr_null(message_find(&q, id));
	check_places(0, fates[_i].queue, fates[_i].hold, 0);
	ck_assert_uint_eq(q.waiting.n, fates[_i].waiting);
	if (fates[_i].states != NULL)
		check_states(fates[_i].hold ? SPOOL_HOLD : SPOOL_QUEUE, id,
		    fates[_i].states);
	else if (fates[_i].waiting == 1)
		check_report(id, "failed");
	if (fates[_i].states == NULL)
		return;
	/* the next attempt is in the future, and in the file as well */
	ck_assert_int_gt(q.waiting.w[0].due, now_real_ms() + 20000);
	ck_assert_int_lt(q.waiting.w[0].due, now_real_ms() + 70000);
	fd = spool_file(&q.spool, SPOOL_QUEUE, id, false);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq((int64_t)st.st_mtim.tv_sec * 1000 +
	    st.st_mtim.tv_nsec / 1000000, q.waiting.w[0].due);
	close(fd);
	schedule();
	ck_assert_uint_eq(q.waiting.n, 1);	/* not due */
	agent_says = "2.0.0";
	route_says = "bob";
	q.waiting.w[0].due = now_real_ms();
	schedule();
	answer_all();
	ck_assert_uint_eq(q.waiting.n, 0);
	check_places(0, 0, 0, 0);
}
END_TEST

/* a and b mean so many each: what becomes of the message. */
static const struct { const char *each; size_t delivered, failed; } wide[] = {
	{ "#49999",	99998,	0 },
	{ "#50001",	50001,	1 },	/* all of a, nobody of b */
	{ "#100000",	0,	2 },
};

START_TEST(too_wide)
{
	route_says = wide[_i].each;
	poke(SPOOL_INCOMING, incoming(2, 0));
	ck_assert_uint_eq(delivered, wide[_i].delivered);
	ck_assert_uint_eq(q.failed, wide[_i].failed);
	ck_assert_uint_eq(q.deferred, 0);
	/* nothing is left but the report */
	check_places(0, wide[_i].failed > 0 ? 1 : 0, 0, 0);
	ck_assert_uint_eq(q.nrunning, 0);
}
END_TEST

START_TEST(turn)	/* one was tried, the other's turn comes soon: the first is not tried again then */
{
	struct id	id = incoming(2, 0);

	ck_assert_int_eq(recent_new(&q.recent), 0);
	agent_says = "4.2.2";
	agent_then = "L";
	poke(SPOOL_INCOMING, id);
	ck_assert_uint_eq(delivered, 2);
	ck_assert_uint_eq(q.waiting.n, 1);
	ck_assert_int_lt(q.waiting.w[0].due, now_real_ms() + 2000);
	ck_assert_uint_eq(q.waiting.w[0].dest, 4711);
	q.waiting.w[0].due = 0;
	agent_says = agent_then = "2.0.0";
	schedule();
	ck_assert_uint_eq(delivered, 3);
	check_states(SPOOL_QUEUE, id, "wd");
	ck_assert_int_gt(q.waiting.w[0].due, now_real_ms() + 20000);
	ck_assert_uint_eq(q.waiting.w[0].dest, 0);
	q.waiting.w[0].due = 0;
	recent_clear(q.recent);
	schedule();
	ck_assert_uint_eq(delivered, 4);
	check_places(0, 0, 0, 0);
	recent_free(&q.recent);
}
END_TEST

START_TEST(half_turn)	/* one has it, the other's turn comes: that is in the file in incoming */
{
	struct id	id = incoming(2, 0);

	agent_says = "2.0.0";
	agent_then = "L";
	poke(SPOOL_INCOMING, id);
	ck_assert_uint_eq(delivered, 2);
	check_states(SPOOL_INCOMING, id, "dw");
	agent_says = agent_then = "4.2.2";
	q.waiting.w[0].due = 0;
	schedule();
	ck_assert_uint_eq(delivered, 3);
	check_states(SPOOL_QUEUE, id, "dw");
	check_places(0, 1, 0, 0);
}
END_TEST

START_TEST(no_room)	/* what is new waits in its order, and a scan does not count it twice */
{
	struct id	ids[3];
	size_t		i;

	q.settings->queue.running = 0;
	for (i = 0; i < nitems(ids); i++)
		ids[i] = incoming(1, 0);
	poke(SPOOL_INCOMING, ids[1]);
	poke(SPOOL_INCOMING, ids[2]);
	ck_assert_uint_eq(q.fresh.n, 2);
	q.incoming_more = true;
	scan();
	ck_assert_uint_eq(q.fresh.n, 3);
	ck_assert(id_eq(q.fresh.w[0].id, ids[0]));
	ck_assert_uint_eq(delivered, 0);
	q.settings->queue.running = 100;
	scan();
	ck_assert_uint_eq(q.fresh.n, 0);
	ck_assert_uint_eq(delivered, 3);
	check_places(0, 0, 0, 0);
}
END_TEST

static const struct {
	int	ahead;
	bool	scanned, found;
} unpoked[] = {
	{ 0, false, true },
	{ 0, true, false },
	{ -15, true, true },
	{ 3600, true, true },		/* the clock was put back since */
};

START_TEST(no_poke)	/* loop: a scan finds what nobody told of, but for what is new */
{
	ahead = unpoked[_i].ahead;
	incoming(1, 0);
	ahead = 0;
	q.scanned = unpoked[_i].scanned;
	q.incoming_more = true;
	scan();
	ck_assert_uint_eq(delivered, unpoked[_i].found);
	ck_assert(q.scanned);
	check_places(!unpoked[_i].found, 0, 0, 0);
}
END_TEST

START_TEST(unreadable)	/* what could not be read at first is new when it can be */
{
	struct id	id = incoming(1, 0);
	int		there = q.spool.incoming;

	q.spool.incoming = -1;
	poke(SPOOL_INCOMING, id);
	ck_assert_uint_eq(q.taken, 0);
	ck_assert_uint_eq(q.waiting.n, 1);
	q.spool.incoming = there;
	q.waiting.w[0].due = 0;
	schedule();
	ck_assert_uint_eq(q.taken, 1);
	ck_assert_uint_eq(delivered, 1);
	check_places(0, 0, 0, 0);
}
END_TEST

START_TEST(many_pokes)	/* whoever may poke cannot make queue remember what is not there without end */
{
	struct id	id = incoming(1, 0);
	size_t		i, n;

	q.settings->queue.running = 0;
	for (i = 0; i < 150000; i++)
		intake_poked(&q, SPOOL_INCOMING, (struct id){ .time_us = i });
	n = q.fresh.n;
	ck_assert_uint_le(n, 100000);
	poke(SPOOL_INCOMING, id);
	q.incoming_more = true;
	scan();
	ck_assert_uint_eq(q.fresh.n, n + 1);
	q.settings->queue.running = 100;
	/* some in each turn, so that others are looked at in between */
	n = q.fresh.n;
	scan();
	ck_assert_uint_eq(q.fresh.n, n - TURN_MAX);
	ck_assert_int_gt(kicks, 0);
	while (q.fresh.n > 0)
		scan();
	ck_assert_uint_eq(q.fresh.n, 0);
	ck_assert_uint_eq(delivered, 1);
}
END_TEST

START_TEST(no_turn)	/* nobody was tried: it waits as long as it was told, and expires all the same */
{
	struct id	id = incoming(1, 0);

	agent_says = "L";
	poke(SPOOL_INCOMING, id);
	check_states(SPOOL_INCOMING, id, "w");
	ck_assert_uint_eq(q.postponed, 1);
	ck_assert_uint_eq(q.deferred, 0);
	ck_assert_uint_eq(q.waiting.w[0].dest, 4711);
	/* where it lies it is found again, and known */
	q.incoming_more = true;
	scan();
	ck_assert_uint_eq(delivered, 1);
	ck_assert_uint_eq(q.waiting.n, 1);
	ck_assert_uint_eq(q.fresh.n, 0);
	q.settings->queue.lifetime = -1;
	q.waiting.w[0].due = 0;
	schedule();
	check_report(id, "failed");
}
END_TEST

START_TEST(reorder)	/* what waits for a destination is called */
{
	struct waiting_heap	h = { NULL, 0, 0 };
	struct id		id = { .time_us = 0, .random = 0 };
	int64_t			last = -1;
	size_t			i;

	for (i = 0; i < 1000; i++) {
		id.time_us = i;
		ck_assert_int_eq(waiting_add(&h, (struct waiting){
		    .id = id, .due = 5000 - (int64_t)i,
		    .dest = i % 3 == 0 ? 7 : 0 }), 0);
	}
	for (i = 0; i < h.n; i++)
		if (h.w[i].dest == 7)
			h.w[i].due = 1;
	waiting_order(&h);
	for (i = 0; h.n > 0; i++) {
		ck_assert_int_ge(h.w[0].due, last);
		ck_assert((h.w[0].dest == 7) == (i < 334));
		last = h.w[0].due;
		waiting_remove(&h, 0);
	}
	waiting_free(&h);
}
END_TEST

START_TEST(too_old)
{
	struct id	id = incoming(1, 1000);

	agent_says = "4.0.0";
	poke(SPOOL_INCOMING, id);
	check_places(0, 1, 0, 0);
	check_report(id, "failed");
}
END_TEST

START_TEST(no_report)	/* loop: lifetimes; a report that cannot be written is tried again, but not for ever */
{
	int64_t		life = q.settings->queue.lifetime;
	struct id	id = incoming(1, now_real_ms() - _i * life - 1000);
	int		tmp = q.spool.tmp;

	q.spool.tmp = -1;
	agent_says = "4.0.0";
	poke(SPOOL_INCOMING, id);
	q.spool.tmp = tmp;
	check_places(0, _i < 2, _i >= 2, 0);
	check_states(_i < 2 ? SPOOL_QUEUE : SPOOL_HOLD, id, "f");
	ck_assert_uint_eq(q.waiting.n, _i < 2);
}
END_TEST

START_TEST(restart)	/* what waits is found again, with its time */
{
	struct id	id = incoming(1, 0);
	int64_t		due;

	agent_says = "4.0.0";
	poke(SPOOL_INCOMING, id);
	due = q.waiting.w[0].due;
	waiting_free(&q.waiting);
	ck_assert_int_eq(intake_start(&q), 0);
	ck_assert_uint_eq(q.waiting.n, 1);
	ck_assert_int_eq(q.waiting.w[0].due, due);
	ck_assert(id_eq(q.waiting.w[0].id, id));
}
END_TEST

START_TEST(corrupt)	/* loop: how */
{
	struct id	id = incoming(1, 0), other = id;
	char		name[ID_SIZE], as[ID_SIZE];
	int		fd;

	id_format(id, name);
	switch (_i) {
	case 0:		/* torn */
		fd = openat(q.spool.incoming, name, O_WRONLY);
		ck_assert_int_eq(ftruncate(fd, 100), 0);
		close(fd);
		break;
	case 1:		/* says it is another */
		other.random ^= 1;
		id_format(other, as);
		ck_assert_int_eq(renameat(q.spool.incoming, name,
		    q.spool.incoming, as), 0);
		break;
	case 2:		/* a trap */
		ck_assert_int_eq(unlinkat(q.spool.incoming, name, 0), 0);
		ck_assert_int_eq(symlinkat("/etc/passwd", q.spool.incoming,
		    name), 0);
		break;
	}
	if (_i == 1)
		id = other;
	poke(SPOOL_INCOMING, id);
	check_places(0, 0, 0, 1);
	ck_assert_uint_eq(q.corrupt, 1);
	ck_assert_uint_eq(delivered, 0);
	ck_assert_uint_eq(q.nrunning, 0);
}
END_TEST

START_TEST(left_over)	/* a crash left it in two places: that in queue is later */
{
	struct id	id = incoming(1, 0);
	char		name[ID_SIZE];
	int		fd;

	agent_says = "4.0.0";
	poke(SPOOL_INCOMING, id);
	id_format(id, name);
	fd = openat(q.spool.incoming, name, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ne(fd, -1);
	close(fd);
	poke(SPOOL_INCOMING, id);
	check_places(0, 1, 0, 0);
	check_states(SPOOL_QUEUE, id, "w");
	poke(SPOOL_INCOMING, id);	/* has gone: nothing */
	check_places(0, 1, 0, 0);
}
END_TEST

START_TEST(left_over_later)	/* it waits in incoming, and a disk that failed has left a later one in queue */
{
	struct id	id = incoming(1, 0);
	char		name[ID_SIZE], path[64], shard[8];

	agent_says = "L";
	poke(SPOOL_INCOMING, id);
	check_places(1, 0, 0, 0);
	id_format(id, name);
	id_shard(id, shard);
	ck_assert_int_eq(mkdirat(q.spool.queue, shard, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", shard, name);
	ck_assert_int_eq(linkat(q.spool.incoming, name, q.spool.queue, path,
	    0), 0);
	agent_says = "2.0.0";
	q.waiting.w[0].due = 0;
	schedule();
	schedule();
	check_places(0, 0, 0, 0);
	ck_assert_uint_eq(delivered, 2);
	ck_assert_uint_eq(q.waiting.n, 0);
}
END_TEST

START_TEST(left_over_in_hold)	/* loop: what was being held when the power failed is held */
{
	static const enum spool_place	places[] = { SPOOL_INCOMING,
	    SPOOL_QUEUE };
	struct id	id = incoming(1, 0);
	char		from[80], to[80], name[ID_SIZE], shard[SHARD_LEN + 1];

	id_format(id, name);
	id_shard(id, shard);
	if (places[_i] == SPOOL_QUEUE) {
		ck_assert_int_eq(spool_move(&q.spool, id, SPOOL_INCOMING,
		    SPOOL_QUEUE), 0);
		ck_assert_int_eq(intake_start(&q), 0);
		snprintf(from, sizeof(from), "%s/queue/%s/%s", dir, shard, name);
	} else
		snprintf(from, sizeof(from), "%s/incoming/new/%s", dir, name);
	snprintf(to, sizeof(to), "%s/hold/%s", dir, name);
	ck_assert_int_eq(link(from, to), 0);
	if (places[_i] == SPOOL_QUEUE)
		schedule();
	else
		poke(SPOOL_INCOMING, id);
	ck_assert_uint_eq(delivered, 0);
	ck_assert_uint_eq(q.waiting.n, 0);
	check_places(0, 0, 1, 0);
	check_states(SPOOL_HOLD, id, "w");
	/* a copy of no use to anybody but the one who made it */
	ck_assert_int_eq(spool_move(&q.spool, id, SPOOL_HOLD, SPOOL_INCOMING),
	    0);
	snprintf(from, sizeof(from), "%s/hold/other", dir);
	snprintf(to, sizeof(to), "%s/incoming/new/%s", dir, name);
	ck_assert_int_eq(link(to, from), 0);
	poke(SPOOL_INCOMING, id);
	ck_assert_uint_eq(delivered, 1);
}
END_TEST

/* ---- drop.c */

static void
check_new_content(const char *want)
{
	struct envelope	env;
	struct diag	why;
	char		text[1024], *p;
	ssize_t		n;
	int		fd = spool_file(&q.spool, SPOOL_QUEUE,
			    q.waiting.w[0].id, false);

	ck_assert_int_eq(envelope_load(fd, &env, &why), 0);
	ck_assert_int_eq(envelope_verify(fd, &env, &why), 0);
	ck_assert_int_gt(n = fdio_pread(fd, text, sizeof(text) - 1,
	    env.content_at), 0);
	ck_assert_int_lt(env.content_len, n);
	text[env.content_len] = '\0';
	ck_assert_int_eq(strncmp(text, "Received: by mx.test (Posthouse, from "
	    "userid ", 45), 0);
	ck_assert_ptr_nonnull(strstr(text, env.id));
	ck_assert_ptr_nonnull(strstr(text, want));
	/* there is one of each, ours or the writer's */
	ck_assert_ptr_nonnull(p = strstr(text, "\nDate:"));
	ck_assert_ptr_null(strstr(p + 2, "Date:"));
	ck_assert_ptr_nonnull(p = strstr(text, "essage-ID: <"));
	ck_assert_ptr_null(strstr(p + 1, "essage-ID"));
	/* nothing of the writer's is believed but who it was */
	ck_assert(str_eq(env.origin, STR("drop")));
	ck_assert(str_eq(env.client, STR("")) && str_eq(env.helo, STR("")));
	ck_assert_int_eq(strncmp(env.auth.p, "uid=", 4), 0);
	ck_assert(str_eq(env.rcpts[0].addr, STR("bob@x.test")));
	ck_assert(str_eq(env.rcpts[0].final, STR("")));
	ck_assert_int_eq(env.rcpts[0].state, RCPT_WAITING);
	ck_assert(str_eq(env.sender, STR("ann@x.test")));
	envelope_free(&env);
	close(fd);
}

static struct id
drop(size_t nrcpts, const char *rcpt, const char *text)
{
	static struct envelope_rcpt	r[5];
	struct envelope	env = { .sender = STR("ann"), .rcpts = r,
			    .nrcpts = nrcpts, .origin = STR("smtp"),
			    .client = STR("192.0.2.1"), .helo = STR("h"),
			    .auth = STR("root"), .arrival_ms = 5 };
	size_t		i;

	for (i = 0; i < nitems(r); i++)
		r[i] = (struct envelope_rcpt){ .addr = str_from(rcpt),
		    .state = RCPT_DELIVERED };
	return put("drop", &env, text);
}

START_TEST(dropped)
{
	static const char *const texts[] = { "A: b\r\n\r\nc\r\n",
	    "A: b\r\nDate: x\r\nmessage-ID: <y>\r\n\r\nc\r\n" };
	struct id	id = drop(1, "bob", texts[_i]);

	agent_says = "4.0.0";	/* so that it stays */
	poke(SPOOL_DROP, id);
	ck_assert_uint_eq(q.waiting.n, 1);
	ck_assert(!id_eq(q.waiting.w[0].id, id));	/* one of ours */
	check_new_content(texts[_i]);
	check_places(0, 1, 0, 0);
	ck_assert_int_eq(spool_file(&q.spool, SPOOL_DROP, id, false), -1);
}
END_TEST

static const struct { size_t n; const char *rcpt; size_t size; } refused[] = {
	{ 4, "bob", 10 }, { 1, "bob bob", 10 }, { 1, "bob@", 10 },
	{ 1, "|cmd /bin/sh", 10 }, { 1, "bob", (1 << 20) + 1 },
};

START_TEST(drop_refused)
{
	char		*text = malloc(refused[_i].size + 1);
	struct id	 id;

	memset(text, 'x', refused[_i].size);
	text[refused[_i].size] = '\0';
	id = drop(refused[_i].n, refused[_i].rcpt, text);
	poke(SPOOL_DROP, id);
	check_places(0, 0, 1, 0);
	ck_assert_uint_eq(delivered, 0);
	ck_assert_uint_eq(q.held, 1);
	free(text);
}
END_TEST

/* Whatever the user wrote of himself: what was refused is looked at again when it is released. */
START_TEST(drop_stuck)	/* what was taken and is still there is not taken again; when it has gone, its place is free */
{
	struct id	id = drop(1, "bob", "A: b\r\n\r\nc\r\n");
	size_t		i;

	for (i = 0; i < STUCK_MAX; i++)
		q.stuck[i] = (struct id){ .time_us = i + 1 };
	q.stuck[7] = id;
	q.nstuck = STUCK_MAX;
	poke(SPOOL_DROP, id);
	ck_assert_uint_eq(delivered, 0);
	q.drop_more = true;
	scan();
	ck_assert_uint_eq(q.nstuck, 0);
	ck_assert_uint_eq(delivered, 0);
	check_places(0, 0, 0, 0);
	ck_assert(!spool_has(&q.spool, SPOOL_DROP, id));
	id = drop(1, "bob", "A: b\r\n\r\nc\r\n");
	poke(SPOOL_DROP, id);
	ck_assert_uint_eq(delivered, 1);
}
END_TEST

START_TEST(drop_released)
{
	struct id	id = drop(4, "bob", "A: b\r\n\r\nc\r\n");
	struct buf	out;
	struct order	o = { .q = &q, .id = id, .out = &out };
	int		fd = spool_file(&q.spool, SPOOL_DROP, id, true);

	buf_init(&out, 1024);
	ck_assert_int_eq(fchown(fd, 12345, (gid_t)-1), 0);
	close(fd);
	poke(SPOOL_DROP, id);
	check_places(0, 0, 1, 0);
	ck_assert(!order_expire(&o));
	check_places(0, 0, 1, 0);
	ck_assert(order_release(&o));
	ck_assert(spool_has(&q.spool, SPOOL_DROP, id));
	check_places(0, 0, 0, 0);
	poke(SPOOL_DROP, id);
	check_places(0, 0, 1, 0);
	ck_assert_uint_eq(delivered, 0);
	buf_free(&out);
}
END_TEST

/* ---- entry.c */

START_TEST(entry)
{
	struct id	id = incoming(2, 7777);
	struct entry	e = { .id = id, .place = SPOOL_QUEUE, .due = -5 };
	struct filter	all = { .older_ms = 0 };
	struct buf	b, scratch;
	struct str	v;
	uint64_t	n;

	q.settings->queue.lifetime = INT64_MAX;
	q.settings->queue.delay_warning = 0;
	agent_says = "4.2.2";
	poke(SPOOL_INCOMING, id);
	buf_init(&b, ENTRY_SIZE_MAX);
	buf_init(&scratch, 1 << 20);
	ck_assert_int_eq(entry_read(&q.spool, &e, &all, &scratch, &b), 0);
	ck_assert(record_ok(buf_view(&b)));
	ck_assert(record_getu(buf_view(&b), ENTRY_ARRIVAL, INT64_MAX, &n));
	ck_assert_uint_eq(n, 7777);
	ck_assert(record_getu(buf_view(&b), ENTRY_DUE, INT64_MAX, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert(record_getu(buf_view(&b), ENTRY_NRCPTS, 9, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert(record_getu(buf_view(&b), ENTRY_SIZE, 99, &n));
	ck_assert_uint_eq(n, 11);
	ck_assert(record_get(buf_view(&b), ENTRY_RCPT, &v));
	ck_assert(str_eq(v, STR("a@x.test")));
	/* the last line of its status; what an agent says stays on its line */
	ck_assert(record_get(buf_view(&b), ENTRY_WHY, &v));
	ck_assert_ptr_nonnull(memmem(v.p, v.n,
	    "b@x.test 4.2.2 agent?said so", 28));
	buf_reset(&b);
	/* it was seen elsewhere, and has moved: its file knows when it is due */
	e.place = SPOOL_INCOMING;
	ck_assert_int_eq(entry_read(&q.spool, &e, &all, &scratch, &b), 0);
	ck_assert(record_get(buf_view(&b), ENTRY_PLACE, &v));
	ck_assert(str_eq(v, STR("waiting")));
	ck_assert(record_getu(buf_view(&b), ENTRY_DUE, INT64_MAX, &n));
	ck_assert_int_eq((int64_t)n, q.waiting.w[0].due);
	buf_reset(&b);
	/* but that is not what was asked for */
	strlcpy(all.place, "incoming", sizeof(all.place));
	ck_assert_int_eq(entry_read(&q.spool, &e, &all, &scratch, &b), 0);
	ck_assert_uint_eq(b.n, 0);
	*all.place = '\0';
	/* it is done with */
	ck_assert_int_eq(spool_remove(&q.spool, SPOOL_QUEUE, id), 0);
	ck_assert_int_eq(entry_read(&q.spool, &e, &all, &scratch, &b), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(b.n, 0);
	buf_free(&b);
	buf_free(&scratch);
}
END_TEST

/* ---- brake.c */

static struct id
from_user(const char *user, size_t nrcpts, int64_t arrival)
{
	struct envelope	env = { .sender = STR("s@y.test"), .rcpts = two,
			    .nrcpts = nrcpts, .arrival_ms = arrival,
			    .auth = str_from(user) };

	two[0] = two[1] = (struct envelope_rcpt){ .addr = STR("a@x.test"),
	    .state = RCPT_WAITING };
	two[1].addr = STR("b@x.test");
	return put("incoming", &env, "Subject: held\r\n\r\nc\r\n");
}

static void
brake_begin(void)
{
	q.settings->brake.messages = 3;
	q.settings->queue.running = 100;
	ck_assert_int_eq(brake_new(&q), 0);
	q.incoming_more = true;
}

static void
find_all(void)
{
	q.incoming_more = true;
	q.scanned = false;
	scan();
}

/* The fourth is held and so is the fifth, and nobody else's. */
START_TEST(brake_on)
{
	struct id	id;
	struct buf	text;
	size_t		i;

	brake_begin();
	/* one with two that mean several is one all the same */
	route_says = "bob ann";
	for (i = 0; i < 3; i++)
		from_user("bob", 2, 0);
	find_all();
	check_places(0, 0, 0, 0);
	ck_assert_uint_eq(brake_count(&q), 0);
	id = from_user("bob", 2, 0);
	find_all();
	from_user("bob", 1, 0);
	from_user("ann", 1, 0);
	incoming(1, 0);
	find_all();
	check_places(0, 0, 2, 0);
	check_states(SPOOL_HOLD, id, "ww");
	ck_assert_uint_eq(brake_count(&q), 1);
	ck_assert_uint_eq(q.held, 2);
	buf_init(&text, 4096);
	ck_assert_int_eq(spool_status_read(&q.spool, id, &text), 0);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&text), "held by the brake: 4 "
	    "messages within an hour, its limit is 3"));
	buf_free(&text);
	/* it is off, and on again only above what is usual now */
	ck_assert(!brake_off(&q, STR("ann"), true));
	ck_assert(brake_off(&q, STR("bob"), true));
	ck_assert(!brake_off(&q, STR("bob"), true));
	for (i = 0; i < 20; i++)
		from_user("bob", 1, 0);
	find_all();
	check_places(0, 0, 2, 0);
	from_user("bob", 1, 0);
	find_all();
	check_places(0, 0, 3, 0);
	ck_assert(brake_off(&q, STR("bob"), false));
	from_user("bob", 1, 0);
	find_all();
	check_places(0, 0, 3, 0);
}
END_TEST

/* What another process of the queue finds: the brake on, and nothing counted twice. */
START_TEST(brake_again)
{
	size_t	i;

	brake_begin();
	agent_says = "?";
	for (i = 0; i < 3; i++)
		from_user("ann", 1, 0);
	for (i = 0; i < 4; i++)
		from_user("bob", 1, 0);
	find_all();
	check_places(0, 6, 1, 0);
	ck_assert_uint_eq(brake_count(&q), 1);
	/* the next process */
	brake_free(&q);
	ck_assert_int_eq(brake_new(&q), 0);
	ck_assert_uint_eq(brake_count(&q), 1);
	ck_assert_int_eq(brake_wait(&q), 0);
	agent_says = "2.0.0";
	from_user("bob", 1, 0);
	/* those of ann are counted; this one was, too: its time is before */
	for (i = 0; i < 3; i++)
		from_user("ann", 1, now_real_ms() - 60000);
	find_all();
	check_places(0, 6, 2, 0);
	from_user("ann", 1, now_real_ms() + 1000);
	find_all();
	check_places(0, 6, 3, 0);
	ck_assert_uint_eq(brake_count(&q), 2);
}
END_TEST

/* One that was under way when the queue was killed had been judged: it goes on. */
START_TEST(brake_killed)
{
	struct id	before, after;

	brake_begin();
	before = from_user("bob", 1, 0);
	ck_assert_int_eq(spool_move(&q.spool, before, SPOOL_INCOMING,
	    SPOOL_CORRUPT), 0);
	for (after = before; brake_count(&q) == 0; find_all())
		after = from_user("bob", 1, 0);
	ck_assert(id_cmp(&before, &after) < 0);
	check_places(0, 0, 1, 1);
	after = from_user("bob", 1, 0);
	brake_free(&q);
	ck_assert_int_eq(brake_new(&q), 0);
	ck_assert_int_eq(spool_move(&q.spool, before, SPOOL_CORRUPT,
	    SPOOL_INCOMING), 0);
	find_all();
	check_places(0, 0, 2, 0);
	ck_assert(spool_has(&q.spool, SPOOL_HOLD, after));
}
END_TEST

static size_t
notices(const char *to)
{
	struct envelope	env;
	struct diag	why;
	size_t		i, n = 0;
	int		fd;

	for (i = 0; i < q.waiting.n; i++) {
		fd = spool_file(&q.spool, SPOOL_QUEUE, q.waiting.w[i].id,
		    false);
		ck_assert_int_eq(envelope_load(fd, &env, &why), 0);
		n += str_eq(env.rcpts[0].addr, str_from(to)) &&
		    env.sender.n == 0 && env.auth.n == 0 &&
		    str_eq(env.origin, STR("brake"));
		ck_assert_int_eq(envelope_verify(fd, &env, &why), 0);
		envelope_free(&env);
		close(fd);
	}
	return n;
}

/* With the fifth that is held, once; of a local user the postmaster alone. */
START_TEST(brake_told)
{
	static const char *const users[] = { "bob", "uid=33" };
	size_t	i;

	brake_begin();
	for (i = 0; i < 7; i++)
		from_user(users[_i], 1, 0);
	find_all();
	check_places(0, 0, 4, 0);
	brake_work(&q);
	ck_assert_uint_eq(q.waiting.n, 0);
	ck_assert_int_gt(brake_wait(&q), 50000);
	from_user(users[_i], 1, 0);
	find_all();
	ck_assert_int_eq(brake_wait(&q), 0);
	brake_work(&q);
	ck_assert_uint_eq(notices("postmaster@x.test"), 1);
	ck_assert_uint_eq(notices("bob@x.test"), _i == 0);
	ck_assert_uint_eq(q.waiting.n, _i == 0 ? 2 : 1);
	ck_assert_int_eq(brake_wait(&q), -1);
	from_user(users[_i], 1, 0);
	find_all();
	brake_work(&q);
	/* and not after a restart */
	brake_free(&q);
	ck_assert_int_eq(brake_new(&q), 0);
	brake_work(&q);
	ck_assert_uint_eq(q.waiting.n, _i == 0 ? 2 : 1);
}
END_TEST

/* More accounts than are kept: who sends little and is idle goes, who is held or sends much does not. */
START_TEST(brake_many)
{
	struct brake_user	*u;
	char			 name[32];
	size_t			 i;

	brake_begin();
	for (i = 0; i < 4; i++)
		from_user("Bob", 1, 0);
	find_all();
	ck_assert_uint_eq(brake_count(&q), 1);
	for (i = 0; i < BRAKE_USERS + 1000; i++) {
		snprintf(name, sizeof(name), "user%zu", i);
		u = brake_add(&q, str_from(name));
		ck_assert_ptr_nonnull(u);
		if (i == 0)
			u->r.rate.usual[BRAKE_MESSAGES] = 5000000;
		ck_assert_uint_le(q.brake->n, BRAKE_USERS);
	}
	ck_assert_ptr_nonnull(brake_find(q.brake, STR("BOB")));
	ck_assert_ptr_nonnull(brake_find(q.brake, STR("user0")));
	ck_assert_ptr_null(brake_find(q.brake, STR("user1")));
	ck_assert_ptr_nonnull(brake_find(q.brake, str_from(name)));
	ck_assert(brake_off(&q, STR("bOB"), true));
	/* the file has those that matter */
	brake_free(&q);
	ck_assert_int_eq(brake_new(&q), 0);
	ck_assert_uint_eq(q.brake->n, 2);
}
END_TEST

/* What cannot be read, or cannot be written, is no reason to hold anybody, or to let anybody go. */
START_TEST(brake_file_lost)
{
	char	path[128];
	int	fd;
	size_t	i;

	snprintf(path, sizeof(path), "%s/state/brake", dir);
	ck_assert_int_ne(fd = open(path, O_WRONLY | O_CREAT, 0600), -1);
	ck_assert_int_eq(fdio_write(fd, "V1:1,\nT1:0,\nnonsense", 21), 0);
	close(fd);
	brake_begin();
	snprintf(path, sizeof(path), "%s/state", dir);
	ck_assert_int_eq(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	for (i = 0; i < 5; i++)
		from_user("bob", 1, 0);
	find_all();
	check_places(0, 0, 2, 0);
	ck_assert_uint_eq(brake_count(&q), 1);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("queue");
	TCase	*tc = tcase_create("queue");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, heap);
	tcase_add_loop_test(tc, delay, 0, nitems(delays));
	tcase_add_loop_test(tc, fate, 0, nitems(fates));
	tcase_add_loop_test(tc, too_wide, 0, nitems(wide));
	tcase_add_test(tc, turn);
	tcase_add_test(tc, no_turn);
	tcase_add_test(tc, half_turn);
	tcase_add_test(tc, no_room);
	tcase_add_test(tc, many_pokes);
	tcase_add_test(tc, unreadable);
	tcase_add_loop_test(tc, no_poke, 0, nitems(unpoked));
	tcase_add_test(tc, reorder);
	tcase_add_test(tc, too_old);
	tcase_add_loop_test(tc, no_report, 1, 3);
	tcase_add_test(tc, restart);
	tcase_add_loop_test(tc, corrupt, 0, 3);
	tcase_add_test(tc, left_over);
	tcase_add_test(tc, left_over_later);
	tcase_add_loop_test(tc, left_over_in_hold, 0, 2);
	tcase_add_test(tc, reports_end);
	tcase_add_loop_test(tc, notify, 0, nitems(notifies));
	tcase_add_test(tc, late);
	tcase_add_loop_test(tc, dropped, 0, 2);
	tcase_add_loop_test(tc, drop_refused, 0, nitems(refused));
	tcase_add_test(tc, drop_stuck);
	if (geteuid() == 0)	/* who else can give files away? */
		tcase_add_test(tc, drop_released);
	tcase_add_test(tc, entry);
	tcase_add_test(tc, brake_on);
	tcase_add_test(tc, brake_again);
	tcase_add_test(tc, brake_killed);
	tcase_add_loop_test(tc, brake_told, 0, 2);
	tcase_add_test(tc, brake_many);
	tcase_add_test(tc, brake_file_lost);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

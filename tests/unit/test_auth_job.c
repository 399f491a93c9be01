/*
 * tests/unit/test_auth_job.c - logins under way: what the front hears and
 * when, and that nothing of them is left. Tables, workers, fronts and the
 * master are ours.
 */
#include "auth/auth.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/worker.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"

struct peer {		/* a front */
	void	*data;
	char	said[16];
	bool	dropped, deaf;
};

static struct auth	a;
static struct peer	fronts[4];
static int		master[2];
static struct { bool pending, ok; uint64_t id; } works[AUTH_WORKERS];
static bool		no_tables, no_mailbox, worker_breaks;

/* ---- in place of peers.c, worker.c, check.c and main.c */

void
peer_set(struct peer *p, void *data)
{
	p->data = data;
}

void *
peer_get(const struct peer *p)
{
	return p->data;
}

int
peer_send(struct peer *p, const struct buf *rec)
{
	ck_assert(record_ok(buf_view(rec)));
	ck_assert(record_gets(buf_view(rec), AUTH_VERB, p->said,
	    sizeof(p->said)));
	return p->deaf ? -1 : 0;
}

void
peer_drop(struct peer *p)
{
	p->dropped = true;
	job_peer_gone(&a, p);
}

/* The password says what the worker will answer. */
int
worker_ask(int fd, uint64_t id, struct str record, struct str password)
{
	if (worker_breaks) {
		errno = EPIPE;
		return -1;
	}
	ck_assert(!works[fd].pending);
	ck_assert(str_eq(record, STR("hash")));
	works[fd].pending = true;
	works[fd].id = id;
	works[fd].ok = str_eq(password, STR("right"));
	return 0;
}

int
worker_answer(int fd, struct buf *rec, uint64_t *id, bool *ok)
{
	(void)rec;
	if (!works[fd].pending)
		return 0;
	works[fd].pending = false;
	*id = works[fd].id;
	*ok = works[fd].ok;
	return works[fd].id == 0 ? -1 : 1;
}

int
check_prepare(struct auth *auth, struct job *j, const char **text)
{
	(void)auth;
	*text = "no tables";
	if (no_tables)
		return -1;
	j->known = strcmp(j->req.user, "nobody") != 0;
	j->user.uid = strcmp(j->req.user, "low") == 0 ? 10 : 61001;
	return buf_adds(&j->record, "hash");
}

int
check_session(struct auth *auth, struct job *j, struct buf *rec,
    const char **text)
{
	(void)auth;
	*text = "no mailbox";
	record_puts(rec, AUTH_VERB, "session");
	record_putu(rec, AUTH_TAG, j->id);
	record_put(rec, AUTH_PENDING, buf_view(&j->pending));
	return no_mailbox ? -1 : 0;
}

static int	stopped;	/* what auth_stop was told */

void
auth_stop(struct auth *auth, int status)
{
	(void)auth;
	stopped = status;
}

/* ---- */

static void
setup(void)
{
	struct diag	why;
	size_t		i;

	stopped = 0;
	memset(&a, 0, sizeof(a));
	memset(fronts, 0, sizeof(fronts));
	memset(works, 0, sizeof(works));
	no_tables = no_mailbox = worker_breaks = false;
	TAILQ_INIT(&a.jobs);
	ck_assert_int_eq(settings_parse(STR("hostname mx.test\n"
	    "pop3.login-delay 100ms\nlocal.min-uid 1000\n"), "t", &a.settings,
	    &why), 0);
	ck_assert_ptr_nonnull(a.base = event_base_new());
	buf_init(&a.rec, MSG_MAX);
	for (i = 0; i < AUTH_WORKERS; i++)
		a.workers[i] = (struct worker){ .fd = (int)i, .auth = &a };
	ck_assert_int_eq(msg_pair(master), 0);
	ck_assert_int_eq(fdio_nonblock(master[0], 1), 0);
	ck_assert_int_eq(dup2(master[1], FD_LINK), FD_LINK);
	log_open(-1, "auth");
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void
teardown(void)
{
	job_free_all(&a);
	ck_assert_uint_eq(a.njobs, 0);
	event_base_free(a.base);
	settings_free(&a.settings);
	buf_free(&a.rec);
	close(master[0]);
	close(master[1]);
	close(FD_LINK);
}

/* A front asks; the descriptor is the connection, of which it keeps a copy. */
static int
ask(struct peer *p, const char *user, const char *pass, size_t nfds)
{
	struct msg_fds	fds = { .n = 0 };
	struct buf	rec;
	int		r;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, AUTH_VERB, "login");
	record_puts(&rec, AUTH_SERVICE, "pop3");
	record_puts(&rec, AUTH_USER, user);
	record_puts(&rec, AUTH_PASS, pass);
	record_puts(&rec, AUTH_CLIENT, "192.0.2.1");
	record_puts(&rec, AUTH_PENDING, "STAT\r\n");
	while (fds.n < nfds)
		fds.fd[fds.n++] = open("/dev/null", O_RDONLY);
	r = job_packet(&a, p, &rec, &fds);
	/* of a password nothing is left in the packet */
	ck_assert(*pass == '\0' || memmem(rec.p, rec.cap, pass,
	    strlen(pass)) == NULL);
	msg_close_fds(&fds);
	buf_free(&rec);
	return r;
}

static void
work(size_t i)
{
	job_worker_readable((evutil_socket_t)i, EV_READ, &a.workers[i]);
}

/* Until the front hears something, or so long. */
static int64_t
wait_for(const struct peer *p, int64_t most)
{
	int64_t	begun = now_ms();

	while (p->said[0] == '\0' && now_ms() - begun < most) {
		ck_assert_int_ne(event_base_loop(a.base, EVLOOP_NONBLOCK), -1);
		usleep(1000);
	}
	return now_ms() - begun;
}

static void
master_says(const char *verb, uint64_t id)
{
	struct buf	b;

	buf_init(&b, 256);
	record_puts(&b, AUTH_VERB, verb);
	record_putu(&b, AUTH_TAG, id);
	job_master_said(&a, buf_view(&b));
	buf_free(&b);
}

static uint64_t
session_tag(void)
{
	struct msg_fds	fds;
	struct buf	b;
	struct str	pending;
	uint64_t	id = 0;

	buf_init(&b, MSG_MAX);
	ck_assert_int_eq(msg_recv(master[0], &b, &fds), 1);
	ck_assert_uint_eq(fds.n, 1);
	msg_close_fds(&fds);
	ck_assert(record_getu(buf_view(&b), AUTH_TAG, UINT64_MAX, &id));
	ck_assert(record_get(buf_view(&b), AUTH_PENDING, &pending));
	ck_assert(str_eq(pending, STR("STAT\r\n")));
	buf_free(&b);
	return id;
}

START_TEST(login)
{
	uint64_t	id;

	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	ck_assert_uint_eq(a.njobs, 1);
	work(0);
	id = session_tag();
	ck_assert_str_eq(fronts[0].said, "");
	master_says("ok", id + 1);		/* about another one */
	ck_assert_str_eq(fronts[0].said, "");
	master_says("ok", id);
	ck_assert_str_eq(fronts[0].said, "ok");
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_uint_eq(a.logins, 1);
	ck_assert_ptr_null(fronts[0].data);
	master_says("ok", id);			/* once more: nobody's */
	ck_assert_uint_eq(a.logins, 1);
}
END_TEST

START_TEST(no_session)	/* loop: the master refuses, no mailbox, no tables */
{
	no_mailbox = _i == 1;
	no_tables = _i == 2;
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	if (_i < 2)
		work(0);
	if (_i == 0)
		master_says("temp", session_tag());
	ck_assert_str_eq(fronts[0].said, "temp");
	ck_assert_uint_eq(a.temporary, 1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

static const struct { const char *user, *pass; } wrong[] = {
	{ "ann", "wrong" }, { "nobody", "right" }, { "nobody", "wrong" },
	{ "low", "right" }
};

/* All of them look the same from outside, the time included. */
START_TEST(failure)
{
	ck_assert_int_eq(ask(&fronts[0], wrong[_i].user, wrong[_i].pass, 1),
	    0);
	usleep(20000);		/* the check took some time */
	work(0);
	ck_assert_str_eq(fronts[0].said, "");	/* not at once */
	ck_assert_int_ge(wait_for(&fronts[0], 5000), 50);
	ck_assert_str_eq(fronts[0].said, "fail");
	ck_assert_uint_eq(a.failures, 1);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(who_guesses_waits)
{
	int	i;

	for (i = 0; i < AUTH_HELD_FROM; i++) {
		fronts[0].said[0] = '\0';
		ck_assert_int_eq(ask(&fronts[0], "ann", "wrong", 1), 0);
		work(0);
		wait_for(&fronts[0], 20000);
		ck_assert_str_eq(fronts[0].said, "fail");
	}
	fronts[0].said[0] = '\0';
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	ck_assert(!works[0].pending);		/* not even looked at */
	ck_assert_int_eq(TAILQ_FIRST(&a.jobs)->state, JOB_HELD);
	while (!works[0].pending) {
		ck_assert_int_ne(event_base_loop(a.base, EVLOOP_ONCE), -1);
	}
	work(0);
	master_says("ok", session_tag());
	ck_assert_str_eq(fronts[0].said, "ok");
}
END_TEST

START_TEST(more_than_workers)
{
	size_t	i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(ask(&fronts[i], "ann", "right", 1), 0);
	ck_assert(works[0].pending && works[1].pending);
	for (i = 0; i < 4; i++) {
		work(i % 2);
		master_says("ok", session_tag());
		ck_assert_str_eq(fronts[i].said, "ok");
	}
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

static const struct { const char *user; size_t nfds; } malformed[] = {
	{ "ann", 0 }, { "ann", 2 },
	{ "0123456789012345678901234567890123456789012345678901234567890123456"
	    "789012345678901234567890123456789012345678901234567890123456789012"
	    "345678901234567890123456789012345678901234567890123456789012345678"
	    "9012345678901234567890123456789012345678901234567890123456789", 1 }
};

START_TEST(nonsense)
{
	ck_assert_int_eq(ask(&fronts[0], malformed[_i].user, "right",
	    malformed[_i].nfds), -1);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_ptr_null(fronts[0].data);
}
END_TEST

START_TEST(one_at_a_time)
{
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), -1);
	ck_assert_uint_eq(a.njobs, 1);
}
END_TEST

/* The front goes while its password is checked. */
START_TEST(front_goes)
{
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	job_peer_gone(&a, &fronts[0]);
	ck_assert_uint_eq(a.njobs, 0);
	ck_assert_int_eq(ask(&fronts[1], "ann", "right", 1), 0);
	ck_assert(works[1].pending);	/* the first worker is still busy */
	work(0);			/* thrown away */
	ck_assert_str_eq(fronts[0].said, "");
	work(1);
	master_says("ok", session_tag());
	ck_assert_str_eq(fronts[1].said, "ok");
	job_peer_gone(&a, &fronts[1]);	/* nothing to do */
}
END_TEST

START_TEST(deaf_front)
{
	no_tables = true;
	fronts[0].deaf = true;
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	ck_assert(fronts[0].dropped);
	ck_assert_uint_eq(a.njobs, 0);
}
END_TEST

START_TEST(broken_worker)	/* loop: at the question, dead, another's answer */
{
	worker_breaks = _i == 0;
	ck_assert_int_eq(ask(&fronts[0], "ann", "right", 1), 0);
	if (_i == 0) {
		ck_assert_int_ne(stopped, 0);
		return;
	}
	ck_assert_int_eq(stopped, 0);
	works[0].id = _i == 1 ? 0 : works[0].id + 1;
	work(0);
	ck_assert_int_ne(stopped, 0);
	ck_assert_str_eq(fronts[0].said, "");	/* never "ok" */
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_job");
	TCase	*tc = tcase_create("auth_job");
	SRunner	*sr;
	int	 failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, login);
	tcase_add_loop_test(tc, no_session, 0, 3);
	tcase_add_loop_test(tc, failure, 0, nitems(wrong));
	tcase_add_test(tc, who_guesses_waits);
	tcase_add_test(tc, more_than_workers);
	tcase_add_loop_test(tc, nonsense, 0, nitems(malformed));
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, front_goes);
	tcase_add_test(tc, deaf_front);
	tcase_add_loop_test(tc, broken_worker, 0, 3);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

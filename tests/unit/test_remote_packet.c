/* tests/unit/test_remote_packet.c - what queue and remote say to each other. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_hop.h"
#include "common/proc/proto_remote.h"
#include "queue/remotes.h"

#define NRCPTS	100u

static struct message		m;
static struct envelope_rcpt	rcpts[NRCPTS];
static struct task		tasks[NRCPTS];
static struct str		finals[NRCPTS];
static struct buf		mem[NRCPTS], answer;
static struct job		j;

static void
setup(void)
{
	struct final	f = { .kind = FINAL_REMOTE, .user = STR(""),
			    .ext = STR(""), .addr = STR("x@a.test"),
			    .arg = STR("x@b.test") };
	struct buf	target;
	size_t		i;

	memset(&m, 0, sizeof(m));
	memset(&j, 0, sizeof(j));
	strlcpy(m.env.id, "cr90n3wee2b729s9a6ah", sizeof(m.env.id));
	m.env.sender = STR("s@c.test");
	m.env.envid = STR("q+2B1");
	m.env.options = ENV_SMTPUTF8 | ENV_8BITMIME | ENV_RET_HDRS;
	m.env.content_at = 300;
	m.env.content_len = 5000;
	m.env.rcpts = rcpts;
	m.env.nrcpts = NRCPTS;
	buf_init(&target, 100);
	record_puts(&target, TARGET_HOST, "mx.b.test");
	buf_init(&answer, 1000);
	record_puts(&answer, HOP_CODE, "250");
	record_puts(&answer, HOP_KEY, "smtp:mx.b.test");
	record_put(&answer, HOP_TARGET, buf_view(&target));
	buf_free(&target);
	ck_assert_ptr_nonnull(j.hop = hop_new(buf_view(&answer), 1));
	j.m = &m;
	TAILQ_INIT(&j.tasks);
	for (i = 0; i < NRCPTS; i++) {
		rcpts[i] = (struct envelope_rcpt){ .addr = STR("x@a.test"),
		    .orcpt = i == 1 ? STR("rfc822;x+2B@a.test") : STR(""),
		    .notify = i == 0 ? 0 : i == 1 ? NOTIFY_SUCCESS |
		    NOTIFY_FAILURE | NOTIFY_DELAY : NOTIFY_NEVER };
		buf_init(&mem[i], 1000);
		final_encode(&mem[i], &f);
		finals[i] = buf_view(&mem[i]);
		tasks[i] = (struct task){ .m = &m, .rcpt = i,
		    .finals = &finals[i], .nfinals = 1 };
	}
}

static void
teardown(void)
{
	size_t	i;

	for (i = 0; i < NRCPTS; i++)
		buf_free(&mem[i]);
	hop_release(&j.hop);
	buf_free(&answer);
}

static void
check_field(struct str rec, char tag, const char *want)
{
	struct str	v;

	ck_assert(record_get(rec, tag, &v) == (want != NULL));
	if (want != NULL)
		ck_assert_msg(str_eq(v, str_from(want)), "%c: %.*s", tag,
		    STR_ARG(v));
}

START_TEST(deliver)
{
	static const char *const orcpts[] = { NULL, "rfc822;x+2B@a.test", NULL },
	    *const notifies[] = { NULL, "SUCCESS,FAILURE,DELAY", "NEVER" },
	    *const numbers[] = { "0", "1", "2" };
	struct cur	c;
	struct field	f;
	struct buf	out;
	size_t		i, n = 0;

	for (i = 0; i < 3; i++)
		TAILQ_INSERT_TAIL(&j.tasks, &tasks[i], link);
	buf_init(&out, MSG_MAX);
	remote_packet_put(&j, &out);
	ck_assert(buf_ok(&out) && record_ok(buf_view(&out)));
	check_field(buf_view(&out), REMOTE_VERB, "deliver");
	check_field(buf_view(&out), REMOTE_ID, m.env.id);
	check_field(buf_view(&out), REMOTE_OFFSET, "300");
	check_field(buf_view(&out), REMOTE_LENGTH, "5000");
	check_field(buf_view(&out), REMOTE_SENDER, "s@c.test");
	check_field(buf_view(&out), REMOTE_BODY, "8bitmime");
	check_field(buf_view(&out), REMOTE_UTF8, "");
	check_field(buf_view(&out), REMOTE_RET, "HDRS");
	check_field(buf_view(&out), REMOTE_ENVID, "q+2B1");
	c = cur_from(buf_view(&out));
	while (record_next(&c, &f)) {
		if (f.tag == REMOTE_HOP)
			ck_assert(str_eq(f.value, buf_view(&answer)));
		if (f.tag != REMOTE_RCPT)
			continue;
		check_field(f.value, RCPT_NUMBER, numbers[n]);
		check_field(f.value, RCPT_ADDR, "x@b.test");
		check_field(f.value, RCPT_ORCPT, orcpts[n]);
		check_field(f.value, RCPT_NOTIFY, notifies[n]);
		n++;
	}
	ck_assert_uint_eq(n, 3);
	buf_free(&out);
}
END_TEST

START_TEST(plain)	/* what the client did not say is not said */
{
	struct buf	out;

	m.env.options = 0;
	m.env.envid = m.env.sender = STR("");
	buf_init(&out, MSG_MAX);
	remote_packet_put(&j, &out);
	check_field(buf_view(&out), REMOTE_SENDER, "");
	check_field(buf_view(&out), REMOTE_BODY, "");
	check_field(buf_view(&out), REMOTE_UTF8, NULL);
	check_field(buf_view(&out), REMOTE_RET, NULL);
	check_field(buf_view(&out), REMOTE_ENVID, NULL);
	buf_free(&out);
}
END_TEST

START_TEST(sizes)	/* what was counted is enough for what is written */
{
	struct buf	out;
	size_t		i, room = remote_packet_head(&m.env, j.hop);

	buf_init(&out, MSG_MAX);
	for (i = 0; i < NRCPTS; i++) {
		room += remote_packet_size(&rcpts[i], STR("x@b.test"));
		TAILQ_INSERT_TAIL(&j.tasks, &tasks[i], link);
	}
	remote_packet_put(&j, &out);
	ck_assert(buf_ok(&out));
	ck_assert_uint_le(out.n, room);
	buf_free(&out);
}
END_TEST

static const struct {
	const char	*n, *status, *host;
	bool		 ok, said, dsn;
} results[] = {
	{ "0", "2.0.0", "mx[192.0.2.1]:25", true, true, true },
	{ "99", "4.4.1", NULL, true, false, false },
	{ "7", "5.1.1", "", true, true, false },
	{ "100001", "5.1.1", "", false, false, false },
	{ "-1", "5.1.1", "", false, false, false },
	{ NULL, "5.1.1", "", false, false, false },
	{ "1", "3.0.0", "", false, false, false },
	{ "1", "", "", false, false, false },
	{ "1", NULL, "", false, false, false },
	{ "1", "5.1111111111111.1", "", false, false, false },
};

START_TEST(result)
{
	struct verdict	v;
	struct buf	rec;
	uint64_t	n;

	buf_init(&rec, 10000);
	record_puts(&rec, REMOTE_VERB, "result");
	if (results[_i].n != NULL)
		record_puts(&rec, REMOTE_NUMBER, results[_i].n);
	if (results[_i].status != NULL)
		record_puts(&rec, REMOTE_STATUS, results[_i].status);
	if (results[_i].host != NULL)
		record_puts(&rec, REMOTE_HOST, results[_i].host);
	if (results[_i].said)
		record_puts(&rec, REMOTE_SAID, "");
	if (results[_i].dsn)
		record_puts(&rec, REMOTE_DSN, "");
	record_putf(&rec, REMOTE_TEXT, "%05000d", 0);
	ck_assert(remote_packet_result(buf_view(&rec), &n, &v) ==
	    results[_i].ok);
	if (results[_i].ok) {
		ck_assert_uint_eq(n, (uint64_t)atoi(results[_i].n));
		ck_assert_str_eq(v.status, results[_i].status);
		ck_assert(str_eq(v.host, str_from(results[_i].host)));
		ck_assert(v.said == results[_i].said);
		ck_assert(v.dsn == results[_i].dsn);
		ck_assert(v.remote);
		ck_assert_uint_eq(v.text.n, 1000);
		ck_assert_uint_eq(v.tls.n, 0);
	}
	buf_free(&rec);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("remote_packet");
	TCase	*tc = tcase_create("remote_packet");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, deliver);
	tcase_add_test(tc, plain);
	tcase_add_test(tc, sizes);
	tcase_add_loop_test(tc, result, 0, nitems(results));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

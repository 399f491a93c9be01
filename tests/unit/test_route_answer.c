/* tests/unit/test_route_answer.c - questions and answers as records: a new case is a row. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_route.h"
#include "route/answer.h"

#define ASK(verb)	"V4:" verb ",\nr1:a,\n"
#define SENDER		"V6:sender,\nu3:bob,\n"

static const struct { const char *in; enum route_role role; bool ok; } rows[] = {
	{ ASK("rcpt"), ROLE_SMTP, true },
	{ ASK("vrfy"), ROLE_SMTP, true },
	{ ASK("expn"), ROLE_SMTP, true },
	{ "V5:final,\nr1:a,\n", ROLE_QUEUE, true },
	/* smtpd must not learn which commands run */
	{ "V5:final,\nr1:a,\n", ROLE_SMTP, false },
	{ ASK("rcpt"), ROLE_QUEUE, false },
	{ ASK("vrfy"), ROLE_QUEUE, false },
	{ ASK("none"), ROLE_SMTP, false },
	{ "r1:a,\n", ROLE_SMTP, false },
	{ "V4:rcpt,\n", ROLE_SMTP, false },
	{ "", ROLE_SMTP, false },
	{ ASK("rcpt") "x", ROLE_SMTP, false },
	{ ASK("rcpt") "c9:192.0.2.1,\n", ROLE_SMTP, true },
	{ ASK("rcpt") "c9:192.0.2.x,\n", ROLE_SMTP, false },
	{ ASK("rcpt") "k1:7,\n", ROLE_SMTP, true },
	{ ASK("rcpt") "k1:x,\n", ROLE_SMTP, false },
	{ ASK("rcpt") "k10:4294967296,\n", ROLE_SMTP, false },
	{ ASK("rcpt") "?1:x,\n", ROLE_SMTP, false },
	{ ASK("rcpt") "Z1:x,\n", ROLE_SMTP, true },
	{ ASK("rcpt") "i65:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaa,\n", ROLE_SMTP, false },
};

START_TEST(questions)
{
	struct question	q;

	ck_assert_int_eq(question_parse(str_from(rows[_i].in), rows[_i].role,
	    &q), rows[_i].ok);
	if (rows[_i].ok)
		ck_assert(str_eq(q.ask.rcpt, STR("a")));
}
END_TEST

START_TEST(sender_questions)
{
	struct question	q;

	ck_assert(question_parse(STR(SENDER "s0:,\n"), ROLE_SMTP, &q));
	ck_assert_uint_eq(q.ask.sender.n, 0);
	ck_assert(question_parse(STR(SENDER "s3:a@b,\n"), ROLE_SMTP, &q));
	ck_assert(str_eq(q.ask.sender, STR("a@b")));
	ck_assert(str_eq(q.ask.auth, STR("bob")));
	ck_assert(q.ask.verb == ENGINE_SENDER);
	ck_assert(!question_parse(STR(SENDER), ROLE_SMTP, &q));
	ck_assert(!question_parse(STR(SENDER "s3:a@b,\n"), ROLE_QUEUE, &q));
	ck_assert(!question_parse(STR("V6:sender,\nu0:,\ns3:a@b,\n"),
	    ROLE_SMTP, &q));
}
END_TEST

static struct decision	d;
static struct buf	answer;

static void
setup(void)
{
	decision_init(&d);
	buf_init(&answer, MSG_MAX);
	d.code = 250;
	d.status = "2.1.5";
	d.text = "recipient ok";
}

static void
teardown(void)
{
	decision_free(&d);
	buf_free(&answer);
}

static void
add_final(enum final_kind kind, const char *name)
{
	struct final	f = { .kind = kind, .user = str_from(name),
	    .arg = str_from(name), .addr = str_from(name), .ext = STR("") };
	struct buf	b;

	buf_init(&b, 4096);
	final_encode(&b, &f);
	record_put(&d.finals, ROUTE_FINAL, buf_view(&b));
	if (d.nfinals++ == 0)
		d.kind = kind;
	buf_free(&b);
}

static unsigned
count(char tag)
{
	struct cur	c = cur_from(buf_view(&answer));
	struct field	f;
	unsigned	n = 0;

	while (record_next(&c, &f))
		n += f.tag == tag;
	ck_assert(cur_done(&c));
	return n;
}

/* To smtpd goes one plain user and nothing else. */
START_TEST(what_smtpd_learns)
{
	struct question	q = { .ask.verb = ENGINE_RCPT, .tag = STR("x") };
	struct str	v;

	add_final(FINAL_USER, "alice");
	ck_assert(answer_build(&answer, &q, &d));
	ck_assert_uint_eq(count(ROUTE_FINAL), 1);
	ck_assert(record_get(buf_view(&answer), ROUTE_TAG, &v));
	ck_assert(str_eq(v, STR("x")));
	add_final(FINAL_USER, "bob");
	ck_assert(answer_build(&answer, &q, &d));
	ck_assert_uint_eq(count(ROUTE_FINAL), 0);
	buf_reset(&d.finals);
	d.nfinals = 0;
	add_final(FINAL_PIPE, "/bin/secret");
	ck_assert(answer_build(&answer, &q, &d));
	ck_assert_uint_eq(count(ROUTE_FINAL), 0);
	ck_assert_uint_eq(count(ROUTE_CODE), 1);
}
END_TEST

/* Many finals go in pages that fit; a client that knows no pages is told to try later. */
START_TEST(pages)
{
	struct question	q = { .ask.verb = ENGINE_FINAL };
	uint64_t	code, total;
	unsigned	i, seen = 0, asked = 0, n;
	char		name[64];

	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "member%u@far.test", i);
		add_final(FINAL_REMOTE, name);
	}
	ck_assert(answer_build(&answer, &q, &d));
	ck_assert(record_getu(buf_view(&answer), ROUTE_CODE, 999, &code));
	ck_assert_uint_eq(code, 451);
	ck_assert_uint_eq(count(ROUTE_FINAL), 0);
	q.paged = true;
	do {
		q.skip = seen;
		ck_assert(answer_build(&answer, &q, &d));
		ck_assert_uint_le(answer.n, MSG_MAX);
		n = count(ROUTE_FINAL);
		ck_assert_uint_gt(n, 0);
		seen += n;
		if (count(ROUTE_MORE) == 1) {
			ck_assert(record_getu(buf_view(&answer), ROUTE_MORE,
			    UINT32_MAX, &total));
			ck_assert_uint_eq(total, 5000);
		}
	} while (count(ROUTE_MORE) == 1 && ++asked < 100);
	ck_assert_uint_eq(seen, 5000);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("route_answer");
	TCase	*t = tcase_create("route_answer");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, questions, 0, nitems(rows));
	tcase_add_test(t, sender_questions);
	tcase_add_test(t, what_smtpd_learns);
	tcase_add_test(t, pages);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* tests/unit/test_remote_job.c - what queue sends, passwords, and addresses for servers without SMTPUTF8. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "deliver/remote_address.h"
#include "deliver/remote_job.h"
#include "deliver/remote_pass.h"

static const struct {
	const char	*addr;
	unsigned	 port;
	const char	*tls, *rcpt, *sender;
	bool		 ok;
} rows[] = {
	{ "192.0.2.1", 25, "off", "a@x", "", true },
	{ "2001:db8::1", 25, "verified", "\"a b\"@x", "s@x", true },
	{ "/run/lmtp", 0, NULL, "a@x", "s@x", true },
	{ "mx.example.org", 25, "off", "a@x", "", false },
	{ "192.0.2.1", 0, "off", "a@x", "", false },
	{ "192.0.2.1", 65536, "off", "a@x", "", false },
	{ "192.0.2.1", 25, "most-secret", "a@x", "", false },
	{ "192.0.2.1", 25, "off", "", "", false },
	{ "192.0.2.1", 25, "off", "a@x\r\nDATA", "", false },
	{ "192.0.2.1", 25, "off", "a@x", "s@x\n", false },
	{ "192.0.2.1", 25, "off", "\"a> b\\\"<\"@x", "\"> <\"@x", true },
	{ "192.0.2.1", 25, "off", "a@x> NOTIFY=NEVER", "s@x", false },
	{ "192.0.2.1", 25, "off", "a@x", "s@x>", false },
	{ "192.0.2.1", 25, "off", "\"a\\\"@x> b", "s@x", false },
};

static void
make(struct buf *rec, int i)
{
	struct buf	hop, sub;

	buf_init(&hop, 65536);
	buf_init(&sub, 65536);
	record_puts(&sub, TARGET_HOST, "mx.test");
	record_puts(&sub, TARGET_ADDR, rows[i].addr);
	record_putu(&sub, TARGET_PORT, rows[i].port);
	record_puts(&hop, HOP_KEY, "smtp:mx.test");
	if (rows[i].tls != NULL)
		record_puts(&hop, HOP_TLS, rows[i].tls);
	record_put(&hop, HOP_TARGET, buf_view(&sub));
	buf_reset(&sub);
	record_putu(&sub, RCPT_NUMBER, 7);
	record_puts(&sub, RCPT_ADDR, rows[i].rcpt);
	record_puts(rec, REMOTE_VERB, "deliver");
	record_puts(rec, REMOTE_ID, "ID");
	record_putu(rec, REMOTE_OFFSET, 10);
	record_putu(rec, REMOTE_LENGTH, 20);
	record_puts(rec, REMOTE_SENDER, rows[i].sender);
	record_put(rec, REMOTE_HOP, buf_view(&hop));
	record_put(rec, REMOTE_RCPT, buf_view(&sub));
	buf_free(&hop);
	buf_free(&sub);
}

START_TEST(parses)
{
	static struct job	j;
	struct buf		rec;

	buf_init(&rec, 65536);
	make(&rec, _i);
	ck_assert_int_eq(job_parse(buf_view(&rec), &j), rows[_i].ok);
	if (rows[_i].ok) {
		ck_assert_uint_eq(j.nrcpts, 1);
		ck_assert_uint_eq(j.rcpts[0].number, 7);
		ck_assert_uint_eq(j.hop.ntargets, 1);
		ck_assert_int_eq(j.hop.tls, rows[_i].tls == NULL ?
		    TLS_OPPORTUNISTIC : rows[_i].tls[0] == 'o' ? TLS_OFF :
		    TLS_PROVEN);
	}
	buf_free(&rec);
}
END_TEST

START_TEST(too_many)
{
	static struct job	j;
	struct buf		rec, one;
	unsigned		i;

	buf_init(&rec, 65536);
	buf_init(&one, 1024);
	make(&rec, 0);
	record_putu(&one, RCPT_NUMBER, 1);
	record_puts(&one, RCPT_ADDR, "b@x");
	for (i = 1; i < REMOTE_RCPTS; i++)
		record_put(&rec, REMOTE_RCPT, buf_view(&one));
	ck_assert(job_parse(buf_view(&rec), &j));
	record_put(&rec, REMOTE_RCPT, buf_view(&one));
	ck_assert(!job_parse(buf_view(&rec), &j));
	buf_free(&rec);
	buf_free(&one);
}
END_TEST

START_TEST(passwords)
{
	static const char	text[] = "# a comment\nmx.test:ann:se:cr et\r\n"
	    "mx.test:bob:\nother:ann:x\n[192.0.2.1]:ann:z\n"
	    "[2001:DB8:0::1]:ann:a:b\n[192.0.2.2:ann:q\nlast:ann:y";
	struct str		t = STR(text), p;

	ck_assert(passwords_find(t, STR("MX.test"), STR("ann"), &p));
	ck_assert(str_eq(p, STR("se:cr et")));
	ck_assert(!passwords_find(t, STR("mx.test"), STR("bob"), &p));
	ck_assert(!passwords_find(t, STR("mx.test"), STR("Ann"), &p));
	ck_assert(!passwords_find(t, STR("# a comment\nmx.test"), STR("ann"), &p));
	ck_assert(passwords_find(t, STR("last"), STR("ann"), &p));
	ck_assert(str_eq(p, STR("y")));
	ck_assert(!passwords_find(STR(""), STR("x"), STR("ann"), &p));
	ck_assert(passwords_find(t, STR("[192.0.2.1]"), STR("ann"), &p));
	ck_assert(str_eq(p, STR("z")));
	ck_assert(passwords_find(t, STR("[2001:db8::1]"), STR("ann"), &p));
	ck_assert(str_eq(p, STR("a:b")));
	ck_assert(!passwords_find(t, STR("[192.0.2.2]"), STR("ann"), &p));
	ck_assert(!passwords_find(t, STR("192.0.2.1"), STR("ann"), &p));
}
END_TEST

static const struct { const char *written, *host; bool ok; } hosts[] = {
	{ "mx.test", "MX.test", true },
	{ "mx.test", "", false },
	{ "[192.0.2.1]", "[192.0.2.1]", true },
	{ "[::ffff:192.0.2.1]", "[192.0.2.1]", true },
	{ "[IPv6:2001:db8:0::1]", "[2001:db8::1]", true },
	{ "[2001:db8::1]", "[2001:db8::2]", false },
	{ "[192.0.2.1]", "192.0.2.1", false },
};

START_TEST(auth_hosts)
{
	char			 written[64], user[] = "ann";
	struct setting_item	 item = { .text = written, .more = user };
	struct remote_settings	 s = { .auth = { &item, 1 } };
	const char		*got;

	strlcpy(written, hosts[_i].written, sizeof(written));
	got = auth_user(&s, hosts[_i].host);
	ck_assert_int_eq(got != NULL, hosts[_i].ok);
}
END_TEST

static const struct { const char *in; bool utf8; const char *out; } addresses[] = {
	{ "a@x.test", false, "a@x.test" },
	{ "", false, "" },
	{ "a@b\xc3\xbc" "cher.test", false, "a@xn--bcher-kva.test" },
	{ "a@b\xc3\xbc" "cher.test", true, "a@b\xc3\xbc" "cher.test" },
	{ "\xc3\xa4@x.test", false, NULL },
	{ "\xc3\xa4@x.test", true, "\xc3\xa4@x.test" },
	{ "a@\xff.test", false, NULL },
	{ "\xc3\xa4", false, NULL },
};

START_TEST(wire)
{
	struct buf	b;

	buf_init(&b, 1024);
	ck_assert_int_eq(address_wire(&b, str_from(addresses[_i].in),
	    addresses[_i].utf8), addresses[_i].out != NULL);
	if (addresses[_i].out != NULL)
		ck_assert(str_eq(buf_view(&b), str_from(addresses[_i].out)));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("remote_job");
	TCase	*t = tcase_create("remote_job");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, parses, 0, nitems(rows));
	tcase_add_loop_test(t, wire, 0, nitems(addresses));
	tcase_add_test(t, too_many);
	tcase_add_test(t, passwords);
	tcase_add_loop_test(t, auth_hosts, 0, nitems(hosts));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

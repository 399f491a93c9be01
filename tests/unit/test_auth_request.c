/* tests/unit/test_auth_request.c - a login as a front asks for it, which may be anything. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/request.h"
#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

#define HEAD	"V5:login,\nS4:pop3,\n"
#define SASL	"V4:sasl,\nS10:submission,\nC9:192.0.2.1,\n"
#define TLS	"E7:TLSv1.3,\n"
#define WHO	"U5:alice,\nP1:x,\n"
#define IN(s)	{ (s), sizeof(s) - 1 }

static const struct { struct str in; bool ok; } rows[] = {
	{ IN(HEAD WHO "C9:192.0.2.1,\n"), true },
	{ IN(HEAD WHO "C9:192.0.2.1,\nB4:QUIT,\n"), true },
	{ IN(HEAD "U0:,\nP0:,\nC0:,\n"), true },
	{ IN(HEAD "U3:a\0b,\nP3:a\0b,\nC0:,\n"), true },	/* refused later */
	{ IN(HEAD WHO), false },
	{ IN("S4:pop3,\n" WHO "C1:x,\n"), false },
	{ IN("V5:other,\nS4:pop3,\n" WHO "C1:x,\n"), false },
	{ IN("V5:login,\n" WHO "C1:x,\n"), false },
	{ IN(HEAD "P1:x,\nC1:x,\n"), false },
	{ IN(HEAD "U5:alice,\nC1:x,\n"), false },
	{ IN(HEAD WHO "C3:a\nb,\n"), false },
	{ IN(HEAD WHO "C3:a\x7f" "b,\n"), false },
	{ IN(HEAD WHO "C1:x,\nL3:a\nb,\n"), false },
	{ IN("V5:login,\nS4:po\n3,\n" WHO "C1:x,\n"), false },
	{ IN("V5:login,\nS4:pop4,\n" WHO "C1:x,\n"), false },
	{ IN("V5:login,\nS16:0123456789abcdef,\n" WHO "C1:x,\n"), false },
	{ IN(HEAD WHO "C1:x,\nrubbish"), false },
	{ IN(""), false },
	{ IN(SASL "H5:PLAIN,\n"), true },
	{ IN(SASL "H5:PLAIN,\nR0:,\n"), true },
	{ IN(SASL "H5:PLAIN,\nE0:,\n"), true },
	{ IN(SASL "H5:PLAIN,\n" TLS "X4:abcd,\nY4:abcd,\nZ4:cert,\n"), true },
	{ IN(SASL "H5:PLAIN,\nX4:abcd,\n"), false },	/* without TLS */
	{ IN(SASL "H5:PLAIN,\nY4:abcd,\n"), false },
	{ IN(SASL "H5:PLAIN,\nZ4:cert,\n"), false },
	{ IN(SASL "H5:PLAIN,\nE3:a\nb,\n"), false },
	{ IN(SASL), false },
	{ IN("V4:sasl,\nS4:pop3,\nH5:PLAIN,\n"), false },
	{ IN("V4:step,\nR0:,\n"), true },
	{ IN("V4:step,\n"), false },
	{ IN("V6:cancel,\n"), true },
	{ IN("V4:take,\n"), true },
	{ IN("V4:take,\nB4:STAT,\n"), true },
	{ IN("V4:take,\nB4:STAT\n"), false },
};

START_TEST(records)
{
	struct request	r;

	ck_assert_int_eq(request_parse(rows[_i].in, &r), rows[_i].ok);
}
END_TEST

static const struct { const char *rest; char tag; size_t most; } bounds[] = {
	{ HEAD WHO "C1:x,\n", AUTH_USER, AUTH_USER_MAX },
	{ HEAD WHO "C1:x,\n", AUTH_PASS, AUTH_PASS_MAX },
	{ HEAD WHO "C1:x,\n", AUTH_CLIENT, REQUEST_TEXT_MAX },
	{ HEAD WHO "C1:x,\n", AUTH_LOCAL, REQUEST_TEXT_MAX },
	{ HEAD WHO "C1:x,\n", AUTH_TLS, REQUEST_TEXT_MAX },
	{ SASL TLS, AUTH_MECHANISM, AUTH_MECHANISM_MAX },
	{ SASL "H1:x,\n" TLS, AUTH_RESPONSE, AUTH_RESPONSE_MAX },
	{ SASL "H1:x,\n" TLS, AUTH_EXPORTER, REQUEST_BINDING_MAX },
	{ SASL "H1:x,\n" TLS, AUTH_END_POINT, REQUEST_BINDING_MAX },
	{ SASL "H1:x,\n" TLS, AUTH_CERT, REQUEST_CERT_MAX },
	{ "V4:step,\n", AUTH_RESPONSE, AUTH_RESPONSE_MAX },
	{ "V4:take,\n", AUTH_PENDING, REQUEST_PENDING_MAX },
	{ "V4:take,\n", AUTH_NOTE, AUTH_NOTE_MAX },
};

static bool
with(const char *rest, char tag, size_t size)
{
	struct request	r;
	struct buf	rec, big;
	bool		ok;
	size_t		i;

	buf_init(&rec, MSG_MAX);
	buf_init(&big, MSG_MAX);
	for (i = 0; i < size; i++)
		buf_addc(&big, 'a');
	record_put(&rec, tag, buf_view(&big));
	buf_adds(&rec, rest);
	ok = request_parse(buf_view(&rec), &r);
	buf_free(&rec);
	buf_free(&big);
	return ok;
}

START_TEST(lengths)
{
	ck_assert(with(bounds[_i].rest, bounds[_i].tag, bounds[_i].most));
	ck_assert(!with(bounds[_i].rest, bounds[_i].tag, bounds[_i].most + 1));
}
END_TEST

/* Whom failures are counted for: an IPv4 address, an IPv6 network. */
static const struct { const char *client, *unit; } units[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "", "local" },
	{ "somebody", "local" },
};

START_TEST(units_of_account)
{
	struct request	r;
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	buf_adds(&rec, HEAD WHO);
	record_puts(&rec, AUTH_CLIENT, units[_i].client);
	ck_assert(request_parse(buf_view(&rec), &r));
	ck_assert_str_eq(r.facts.unit, units[_i].unit);
	buf_free(&rec);
}
END_TEST

static const struct { const char *user, *domain, *local; } names[] = {
	{ "alice@example.test", "example.test", "alice" },
	{ "Alice@EXAMPLE.test", "example.test", "Alice" },
	{ "alice@example.org", "example.test", "" },
	{ "alice", "example.test", "" },
	{ "@example.test", "example.test", "" },
	{ "a@b@example.test", "example.test", "a@b" },
	{ "", "", "" },
};

START_TEST(local_names)
{
	char		out[AUTH_USER_MAX + 1], small[3];

	request_local_name(names[_i].user, names[_i].domain, out, sizeof(out));
	ck_assert_str_eq(out, names[_i].local);
	request_local_name(names[_i].user, names[_i].domain, small, sizeof(small));
	ck_assert_uint_lt(strlen(small), 3);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_request");
	TCase	*t = tcase_create("auth_request");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, records, 0, nitems(rows));
	tcase_add_loop_test(t, lengths, 0, nitems(bounds));
	tcase_add_loop_test(t, units_of_account, 0, nitems(units));
	tcase_add_loop_test(t, local_names, 0, nitems(names));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

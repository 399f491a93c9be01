/* tests/unit/test_route_sender.c - who may send as which address: a new case is a row. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "route/source.h"

static const char conf[] =
    "hostname mx.example.test\n"
    "domain example.test\n"
    "virtual-domain v.test w.test m\xc3\xbcnchen.test\n"
    "relay-domain backup.test\n"
    "users file /users\n"
    "aliases /a\n"
    "virtual /v\n"
    "senders /s\n"
    "catch-all w.test bob\n"
    "postmaster alice\n";

static const char aliases[] =
    "info: alice, bob\n"
    "nested: info\n"
    "bob: bob, carol\n"
    "prog: |alice\n"
    "away: alice@far.test\n"
    "carolx: \\carol\n";

static const char virtuals[] =
    "sales@v.test: alice@example.test, x@far.test\n"
    "deep@v.test: sales@v.test\n"
    "own@example.test: carol\n"
    "self@example.test: self@example.test, info\n"
    "@v.test: carol\n"
    "x@m\xc3\xbcnchen.test: dave@v.test\n";

static const char senders[] =
    "ann@far.test: alice, dave@v.test\n"
    "@firm.test: bob\n"
    "boss@firm.test: carol\n"
    "info@example.test: carol\n"
    "\"\\\"odd one\\\"@far.test\": bob\n"
    "@xn--mnchen-3ya.test: carol\n"
    "news@far.test: *\n"
    "*: robot\n";

static struct settings	*settings;
static struct site	 site;
static struct sources	 sources;
static struct engine	 engine;
static struct decision	 decision;

static void
add_user(const char *name)
{
	ck_assert_int_eq(memory_add(&sources.names, str_from(name),
	    STR("61001 users:1"), "users", 1), 0);
}

static void
setup(void)
{
	static const char *const users[] = {
		"alice", "bob", "carol", "robot", "dave@v.test"
	};
	struct diag	why;
	size_t		i;

	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(site_init(&site, settings, NULL, 0), 0);
	sources_init(&sources, &site);
	sources_text(&sources, "a", str_from(aliases), TABLE_ALIASES);
	sources_text(&sources, "v", str_from(virtuals), TABLE_VIRTUAL);
	sources_text(&sources, "s", str_from(senders), TABLE_SENDERS);
	for (i = 0; i < nitems(users); i++)
		add_user(users[i]);
	sources_sort(&sources);
	ck_assert_msg(sources.mistakes == 0, "%.*s", (int)sources.said.n,
	    sources.said.p);
	engine_init(&engine);
	decision_init(&decision);
}

static void
teardown(void)
{
	decision_free(&decision);
	engine_free(&engine);
	sources_free(&sources);
	site_free(&site);
	settings_free(&settings);
}

#define OWN	1u
#define TABLE	2u

static const struct { const char *user, *sender; unsigned by; } rows[] = {
	/* his name, in any case and with a sub-address */
	{ "alice", "alice@example.test", OWN },
	{ "alice", "ALICE@Example.TEST", OWN },
	{ "Alice", "alice+x@mx.example.test", OWN },
	{ "alice", "alice", OWN },
	{ "alice", "bob@example.test", 0 },
	{ "alice", "alicex@example.test", 0 },
	{ "alice", "alice@v.test", 0 },
	{ "alice", "alice@far.test", 0 },
	{ "alice", "alice@backup.test", 0 },
	{ "dave@v.test", "dave@v.test", OWN },
	{ "dave@v.test", "dave+x@v.test", OWN },
	{ "dave", "dave@v.test", 0 },
	/* an entry that names him */
	{ "alice", "info@example.test", OWN },
	{ "bob", "info@example.test", OWN },
	{ "bob", "info+x@example.test", OWN },
	{ "bob", "bob@example.test", OWN },
	{ "carol", "bob@example.test", OWN },
	{ "carol", "carolx@example.test", OWN },
	{ "alice", "sales@v.test", OWN },
	{ "alice", "sales+x@v.test", OWN },
	{ "dave@v.test", "x@m\xc3\xbcnchen.test", OWN },
	{ "dave@v.test", "x@xn--mnchen-3ya.test", OWN },
	{ "alice", "postmaster@example.test", OWN },
	{ "alice", "postmaster@v.test", OWN },
	/* one that names somebody else, or leads to him by another */
	{ "alice", "nested@example.test", 0 },
	{ "alice", "deep@v.test", 0 },
	{ "alice", "prog@example.test", 0 },
	{ "alice", "away@example.test", 0 },
	{ "alice", "own@example.test", 0 },
	{ "alice", "self@example.test", 0 },
	{ "robot", "bob@example.test", TABLE },
	/* what is left of a domain */
	{ "carol", "any@v.test", OWN },
	{ "carol", "sales@v.test", 0 },
	{ "bob", "any@w.test", OWN },
	{ "alice", "any@w.test", 0 },
	/* the table */
	{ "alice", "ann@far.test", TABLE },
	{ "dave@v.test", "Ann@FAR.test", TABLE },
	{ "alice", "ann+x@far.test", TABLE },
	{ "bob", "ann@far.test", 0 },
	{ "bob", "anybody@firm.test", TABLE },
	{ "bob", "boss@firm.test", TABLE },
	{ "carol", "boss@firm.test", TABLE },
	{ "carol", "clerk@firm.test", 0 },
	{ "bob", "x@sub.firm.test", 0 },
	{ "carol", "info@example.test", TABLE },
	{ "carol", "y@m\xc3\xbcnchen.test", TABLE },
	{ "bob", "\"odd one\"@far.test", TABLE },
	{ "alice", "news@far.test", TABLE },
	{ "robot", "whoever@where.test", TABLE },
	/* no user at all */
	{ "nobody", "nobody@example.test", 0 },
	{ "*", "ann@far.test", 0 },
};

static void
ask(const char *how, const char *user, const char *sender)
{
	struct engine_tables	tables = sources_tables(&sources);
	struct engine_ask	q = { .verb = ENGINE_SENDER,
	    .auth = str_from(user), .sender = str_from(sender),
	    .rcpt = STR("") };

	free(settings->submission_senders);
	ck_assert_ptr_nonnull(settings->submission_senders = strdup(how));
	engine_decide(&engine, &site, &tables, &q, &decision);
	ck_assert_uint_gt(decision.why.n, 0);
	ck_assert_uint_eq(decision.nfinals, 0);
	ck_assert_uint_eq(decision.finals.n, 0);
}

START_TEST(senders_of)
{
	static const struct { const char *how; unsigned by; } modes[] = {
		{ "own", OWN | TABLE }, { "table", TABLE },
		{ "any", OWN | TABLE }
	};
	bool	yes;
	size_t	i;

	for (i = 0; i < nitems(modes); i++) {
		yes = (rows[_i].by & modes[i].by) != 0 ||
		    strcmp(modes[i].how, "any") == 0;
		ask(modes[i].how, rows[_i].user, rows[_i].sender);
		ck_assert_msg(decision.code == (yes ? 250 : 553),
		    "%s: %s as %s: %u <%.*s>", modes[i].how, rows[_i].user,
		    rows[_i].sender, decision.code,
		    STR_ARG(buf_view(&decision.why)));
		ck_assert_str_eq(decision.status, yes ? "2.1.0" : "5.7.1");
	}
}
END_TEST

START_TEST(odd_senders)
{
	static const char *const	bad[] = { "a b", "@far.test", "x@", " " };
	size_t				i;

	ask("table", "alice", "");
	ck_assert_uint_eq(decision.code, 250);
	for (i = 0; i < nitems(bad); i++) {
		ask("any", "alice", bad[i]);
		ck_assert_uint_eq(decision.code, 553);
		ck_assert_str_eq(decision.status, "5.1.7");
	}
}
END_TEST

static int
no_look_up(void *arg, struct str key, struct str *value)
{
	(void)arg;
	(void)key;
	(void)value;
	errno = EIO;
	return -1;
}

static int
damaged(void *arg, struct str key, struct str *value)
{
	(void)arg;
	(void)key;
	*value = STR("L1:x,\nU5:ann");
	return 1;
}

/* What cannot be looked up is no refusal for ever. */
START_TEST(failures)
{
	struct engine_tables	tables = sources_tables(&sources);
	struct engine_ask	q = { .verb = ENGINE_SENDER,
	    .auth = STR("alice"), .sender = STR("x@example.test"),
	    .rcpt = STR("") };

	tables.sender = no_look_up;
	engine_decide(&engine, &site, &tables, &q, &decision);
	ck_assert_uint_eq(decision.code, 451);
	tables.sender = damaged;
	engine_decide(&engine, &site, &tables, &q, &decision);
	ck_assert_uint_eq(decision.code, 451);
	tables = sources_tables(&sources);
	tables.alias = no_look_up;
	engine_decide(&engine, &site, &tables, &q, &decision);
	ck_assert_uint_eq(decision.code, 451);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("route_sender");
	TCase	*t = tcase_create("route_sender");
	SRunner	*sr;
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, senders_of, 0, (int)nitems(rows));
	tcase_add_test(t, odd_senders);
	tcase_add_test(t, failures);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

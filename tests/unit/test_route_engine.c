/* tests/unit/test_route_engine.c - where addresses go: a new case is a row. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/source.h"

static const char conf[] =
    "hostname mx.example.test\n"
    "domain example.test example.org\n"
    "virtual-domain v.test w.test\n"
    "relay-domain backup.test\n"
    "relay-from 192.0.2.0/24 2001:db8::/32\n"
    "users file /etc/posthouse/users\n"
    "aliases /a\n"
    "virtual /v\n"
    "catch-all w.test bob\n"
    "virtual-domain m\xc3\xbcnchen.test XN--KLN-SNA.test\n"
    "relay-domain stra\xc3\x9f" "e.test\n"
    "catch-all k\xc3\xb6ln.test carol\n"
    "postmaster alice\n"
    "transport .shut.test none\n"
    "transport open.shut.test smtp\n";

static const char aliases[] =
    "root: alice\n"
    "abuse: postmaster\n"
    "info: alice, bob,\n"
    "\talice, Bob\n"
    "team: info, carol, x@far.test\n"
    "prog: \"|cat > /x, y\"\n"
    "file: /var/mail/x\n"
    "\"odd name\": carol\n"
    "bob: bob, carol\n"
    "carolx: \\carol\n"
    "half: alice, nosuch\n"
    "ghosts: nosuch, nosuch2\n"
    "low: daemon\n"
    "loop1: loop2\n"
    "loop2: alice, loop1\n"
    "self: self\n"
    "owner-list: alice+lists\n"
    "mixed: |cmd, alice, x@far.test\n";

static const char virtuals[] =
    "info@v.test: alice\n"
    "sales@v.test: alice, x@far.test\n"
    "tag@v.test: carol+fix\n"
    "@v.test: nosuch@example.test\n"
    "kim@example.org: carol\n"
    "info@M\xc3\x9cNCHEN.test: alice\n"
    "mail@xn--mnchen-3ya.test: bob, info@m\xc3\xbcnchen.test\n"
    "way@m\xc3\xbcnchen.test: back@xn--mnchen-3ya.test\n"
    "back@m\xc3\xbcnchen.test: way@m\xc3\xbcnchen.test\n"
    "all@w.test: @v.test\n"
    "p@v.test: q@v.test\n"
    "q@v.test: p@v.test\n";

static struct settings	*settings;
static struct site	 site;
static struct sources	 sources;
static struct engine	 engine;
static struct decision	 decision;

static void
add_user(const char *name, const char *value)
{
	ck_assert_int_eq(memory_add(&sources.names, str_from(name),
	    str_from(value), "users", 1), 0);
}

static void
setup(void)
{
	struct diag	why;
	struct addr	own;

	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(addr_parse(STR("198.51.100.1"), &own), 0);
	ck_assert_int_eq(site_init(&site, settings, &own, 1), 0);
	sources_init(&sources, &site);
	sources_text(&sources, "a", str_from(aliases), TABLE_ALIASES);
	sources_text(&sources, "v", str_from(virtuals), TABLE_VIRTUAL);
	add_user("alice", "61001 users:1");
	add_user("bob", "61002 users:2");
	add_user("carol", "61003 users:3");
	add_user("daemon", "1 users:4");
	add_user("dave@v.test", "61004 users:5");
	add_user("dora@xn--mnchen-3ya.test", "61005 users:6");
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

/* "U alice +tag;R x@far.test;" or, for a list of names, "n <a@b>;". */
static void
describe(struct buf *out)
{
	struct cur	c = cur_from(buf_view(&decision.finals));
	struct field	f;
	struct final	r;

	buf_addf(out, "%u %s ", decision.code, decision.status);
	while (record_next(&c, &f)) {
		ck_assert(final_decode(f.value, &r));
		buf_addf(out, "%c %.*s", (char)r.kind, STR_ARG(r.kind ==
		    FINAL_USER ? r.user : r.arg));
		if (r.ext.n > 0)
			buf_addf(out, " +%.*s", STR_ARG(r.ext));
		buf_addc(out, ';');
	}
	c = cur_from(buf_view(&decision.names));
	while (record_next(&c, &f))
		buf_addf(out, "n %.*s;", STR_ARG(f.value));
	ck_assert(cur_done(&c));
}

static void
ask(enum engine_verb verb, const char *client, const char *auth,
    const char *rcpt)
{
	struct engine_tables	tables = sources_tables(&sources);
	struct engine_ask	q = { .verb = verb, .auth = str_from(auth),
	    .rcpt = str_from(rcpt) };

	if (client != NULL) {
		q.has_client = true;
		ck_assert_int_eq(addr_parse(str_from(client), &q.client), 0);
	}
	engine_decide(&engine, &site, &tables, &q, &decision);
}

#define STRANGER	"203.0.113.9"
#define FRIEND		"192.0.2.7"
#define OK		"250 2.1.5 "
#define UNKNOWN		"550 5.1.1 "
#define DENIED		"550 5.7.1 "

static const struct {
	enum engine_verb verb;
	const char	*client, *auth, *rcpt, *want;
} rows[] = {
	/* users, in any case, with a sub-address */
	{ ENGINE_RCPT, STRANGER, "", "alice@example.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "ALICE@Example.TEST", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "alice@example.org", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "alice@mx.example.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "alice@[198.51.100.1]", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "alice@[198.51.100.2]", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "alice+Tag@example.test",
	    OK "U alice +Tag;" },
	{ ENGINE_RCPT, STRANGER, "", "alice+a+b@example.test",
	    OK "U alice +a+b;" },
	{ ENGINE_RCPT, STRANGER, "", "alice+@example.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "+alice@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "nosuch@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "nosuch+x@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "daemon@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "alice%far.test@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "\"alice\"@example.test",
	    OK "U alice;" },
	/* U-labels and A-labels are one */
	{ ENGINE_RCPT, STRANGER, "", "info@xn--mnchen-3ya.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "info@m\xc3\xbcnchen.test",
	    OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "Info@M\xc3\x9cnchen.TEST",
	    OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "mail@m\xc3\xbcnchen.test",
	    OK "U bob;U carol;U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "dora@m\xc3\xbcnchen.test",
	    OK "U dora@xn--mnchen-3ya.test;" },
	{ ENGINE_RCPT, STRANGER, "", "nosuch@m\xc3\xbcnchen.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "any@k\xc3\xb6ln.test", OK "U carol;" },
	{ ENGINE_RCPT, STRANGER, "", "any@xn--kln-sna.test", OK "U carol;" },
	{ ENGINE_RCPT, STRANGER, "", "x@stra\xc3\x9f" "e.test",
	    OK "R x@stra\xc3\x9f" "e.test;" },
	{ ENGINE_RCPT, STRANGER, "", "x@XN--strae-oqa.test",
	    OK "R x@xn--strae-oqa.test;" },
	{ ENGINE_RCPT, STRANGER, "", "x@m\xc3\xbc" "nch.test", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "info@m\xcc\x88.test", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "way@xn--mnchen-3ya.test", "550 5.4.6 " },
	/* not addresses */
	{ ENGINE_RCPT, STRANGER, "", "", "553 5.1.3 " },
	{ ENGINE_RCPT, STRANGER, "", "a b@example.test", "553 5.1.3 " },
	{ ENGINE_RCPT, STRANGER, "", "a@b@example.test", "553 5.1.3 " },
	{ ENGINE_RCPT, STRANGER, "", "@example.test", "553 5.1.3 " },
	/* aliases */
	{ ENGINE_RCPT, STRANGER, "", "root@example.test", OK "U alice;" },
	{ ENGINE_FINAL, NULL, "", "info@example.test",
	    OK "U alice;U bob;U carol;" },
	{ ENGINE_FINAL, NULL, "", "team@example.test",
	    OK "U alice;U bob;U carol;R x@far.test;" },
	{ ENGINE_FINAL, NULL, "", "bob@example.test", OK "U bob;U carol;" },
	{ ENGINE_FINAL, NULL, "", "bob+x@example.test", OK "U bob;U carol;" },
	{ ENGINE_FINAL, NULL, "", "carolx@example.test", OK "U carol;" },
	{ ENGINE_FINAL, NULL, "", "\"Odd Name\"@example.test",
	    OK "U carol;" },
	{ ENGINE_FINAL, NULL, "", "prog@example.test",
	    OK "P cat > /x, y;" },
	{ ENGINE_FINAL, NULL, "", "file@example.test", OK "M /var/mail/x;" },
	{ ENGINE_FINAL, NULL, "", "owner-list@example.test",
	    OK "U alice +lists;" },
	{ ENGINE_FINAL, NULL, "", "mixed@example.test",
	    OK "P cmd;U alice;R x@far.test;" },
	/* who is unknown in a list becomes a user who is unknown */
	{ ENGINE_FINAL, NULL, "", "half@example.test",
	    OK "U alice;U nosuch;" },
	{ ENGINE_RCPT, STRANGER, "", "ghosts@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "low@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "self@example.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "loop1@example.test", "550 5.4.6 " },
	{ ENGINE_RCPT, STRANGER, "", "loop2@example.test", "550 5.4.6 " },
	{ ENGINE_RCPT, STRANGER, "", "p@v.test", "550 5.4.6 " },
	/* virtual domains */
	{ ENGINE_RCPT, STRANGER, "", "info@v.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "INFO+t@v.test", OK "U alice +t;" },
	{ ENGINE_RCPT, STRANGER, "", "tag+t@v.test", OK "U carol +fix;" },
	{ ENGINE_FINAL, NULL, "", "sales+t@v.test",
	    OK "U alice +t;R x@far.test;" },
	{ ENGINE_RCPT, STRANGER, "", "alice@v.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "root@v.test", UNKNOWN },
	{ ENGINE_RCPT, STRANGER, "", "dave@v.test", OK "U dave@v.test;" },
	{ ENGINE_RCPT, STRANGER, "", "Dave+q@V.test",
	    OK "U dave@v.test +q;" },
	{ ENGINE_RCPT, STRANGER, "", "all@w.test", UNKNOWN },
	{ ENGINE_FINAL, NULL, "", "zz@w.test", OK "U bob;U carol;" },
	{ ENGINE_RCPT, STRANGER, "", "kim@example.org", OK "U carol;" },
	{ ENGINE_RCPT, STRANGER, "", "kim@example.test", UNKNOWN },
	/* the postmaster of all our domains (RFC 5321 4.5.1) */
	{ ENGINE_RCPT, STRANGER, "", "postmaster", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "PostMaster@v.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "postmaster@w.test", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "abuse@example.org", OK "U alice;" },
	{ ENGINE_RCPT, STRANGER, "", "postmaster@far.test", DENIED },
	/* relay */
	{ ENGINE_RCPT, STRANGER, "", "x@far.test", DENIED },
	{ ENGINE_RCPT, FRIEND, "", "x@far.test", OK "R x@far.test;" },
	{ ENGINE_RCPT, "2001:db8::7", "", "x@far.test",
	    OK "R x@far.test;" },
	{ ENGINE_RCPT, "2001:db9::7", "", "x@far.test", DENIED },
	{ ENGINE_RCPT, "::ffff:192.0.2.7", "", "X@FAR.test",
	    OK "R X@far.test;" },
	{ ENGINE_RCPT, STRANGER, "ann", "x@far.test", OK "R x@far.test;" },
	/* transport none */
	{ ENGINE_RCPT, FRIEND, "", "x@a.SHUT.test", "550 5.4.4 " },
	{ ENGINE_RCPT, STRANGER, "", "x@a.shut.test", DENIED },
	{ ENGINE_RCPT, FRIEND, "", "x@open.shut.test",
	    OK "R x@open.shut.test;" },
	{ ENGINE_RCPT, FRIEND, "", "x@shut.test", OK "R x@shut.test;" },
	/* taken before; hop refuses it */
	{ ENGINE_FINAL, NULL, "", "x@a.shut.test", OK "R x@a.shut.test;" },
	{ ENGINE_RCPT, NULL, "", "x@far.test", OK "R x@far.test;" },
	{ ENGINE_RCPT, STRANGER, "", "u@backup.test",
	    OK "R u@backup.test;" },
	{ ENGINE_RCPT, STRANGER, "", "u%far.test@backup.test", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "far.test!u@backup.test", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "\"u@far.test\"@backup.test", DENIED },
	{ ENGINE_RCPT, FRIEND, "", "u%far.test@backup.test",
	    OK "R u%far.test@backup.test;" },
	{ ENGINE_RCPT, STRANGER, "", "x@sub.example.test", DENIED },
	{ ENGINE_RCPT, STRANGER, "", "x@xexample.test", DENIED },
	{ ENGINE_FINAL, NULL, "", "x@far.test", OK "R x@far.test;" },
	/* RFC 5321 3.5 */
	{ ENGINE_VRFY, STRANGER, "", "alice",
	    OK "U alice;n <alice@example.test>;" },
	{ ENGINE_VRFY, STRANGER, "", "nosuch", UNKNOWN },
	{ ENGINE_VRFY, STRANGER, "", "x@far.test", "252 2.0.0 " },
	{ ENGINE_EXPN, STRANGER, "", "team", OK "n <info@example.test>;"
	    "n <carol@example.test>;n <x@far.test>;" },
	{ ENGINE_EXPN, STRANGER, "", "prog", OK "n <prog@example.test>;" },
	{ ENGINE_EXPN, STRANGER, "", "carolx", OK "n <carol@example.test>;" },
	{ ENGINE_EXPN, STRANGER, "", "nosuch", UNKNOWN },
};

START_TEST(decisions)
{
	struct buf	got;
	const char	*text;

	buf_init(&got, 4096);
	ask(rows[_i].verb, rows[_i].client, rows[_i].auth, rows[_i].rcpt);
	describe(&got);
	text = buf_cstr(&got);
	ck_assert_ptr_nonnull(text);
	ck_assert_msg(strcmp(text, rows[_i].want) == 0, "%s is \"%s\", not "
	    "\"%s\"", rows[_i].rcpt, text, rows[_i].want);
	buf_free(&got);
}
END_TEST

static bool
said(const char *line)
{
	struct cur	c = cur_from(buf_view(&decision.why));
	struct field	f;

	while (record_next(&c, &f))
		if (str_eq(f.value, str_from(line)))
			return true;
	return false;
}

START_TEST(each_rule_has_its_place)
{
	ask(ENGINE_RCPT, STRANGER, "", "info+x@example.test");
	ck_assert(said("conf:2: domain example.test is local"));
	ck_assert(said("aliases: no info+x"));
	ck_assert(said("a:3: info+x@example.test is alice"));
	ck_assert(said("a:4: info+x@example.test is Bob"));
	ck_assert(said("users:1: user alice"));
	ask(ENGINE_RCPT, STRANGER, "", "zz@w.test");
	ck_assert(said("conf:9: catch-all of w.test is bob"));
	ask(ENGINE_RCPT, FRIEND, "", "x@far.test");
	ck_assert(said("conf:5: client 192.0.2.7 is in relay-from "
	    "192.0.2.0/24"));
	ask(ENGINE_RCPT, STRANGER, "", "u@backup.test");
	ck_assert(said("conf:4: relay-domain backup.test"));
	ask(ENGINE_RCPT, STRANGER, "", "daemon@example.test");
	ck_assert(said("users:4: user daemon is no recipient, its number 1 "
	    "is below local.min-uid"));
}
END_TEST

static int
broken(void *arg, struct str key, struct str *value)
{
	(void)arg;
	(void)key;
	(void)value;
	errno = EIO;
	return -1;
}

static int
garbage(void *arg, struct str key, struct str *value)
{
	(void)arg;
	(void)key;
	*value = STR("A5:alice");
	return 1;
}

static int
broken_user(void *arg, struct str key, uid_t *uid, struct buf *place)
{
	(void)arg;
	(void)key;
	(void)uid;
	(void)place;
	errno = EIO;
	return -1;
}

/* A failing look-up is temporary, and never "user unknown". */
START_TEST(failures_are_temporary)
{
	struct engine_tables	good = sources_tables(&sources);
	struct engine_tables	bad[4] = { good, good, good, good };
	struct engine_ask	q = { .verb = ENGINE_RCPT, .auth = STR(""),
	    .rcpt = STR("nosuch@example.test") };

	bad[0].alias = broken;
	bad[1].virtual_ = broken;
	bad[2].user = broken_user;
	bad[3].alias = garbage;
	engine_decide(&engine, &site, &bad[_i], &q, &decision);
	ck_assert_uint_eq(decision.code, 451);
	ck_assert_uint_eq(decision.nfinals, 0);
	q.rcpt = STR("postmaster");
	engine_decide(&engine, &site, &bad[_i], &q, &decision);
	ck_assert_uint_eq(decision.code, 451);
	engine_decide(&engine, &site, &good, &q, &decision);
	ck_assert_uint_eq(decision.code, 250);
}
END_TEST

/* One long chain and one wide list: bounds hold, nothing is forgotten. */
/* One more than a message can have, some of them named twice. */
START_TEST(too_wide)
{
	struct sources	s = sources;
	struct buf	text;
	unsigned	i;

	buf_init(&text, 8u << 20);
	buf_adds(&text, "most: alice, alice");
	for (i = 1; i < ROUTE_FINALS; i++)
		buf_addf(&text, ", m%u@far.test", i);
	buf_adds(&text, "\nmore: most, bob\nmost2: most, alice\n");
	sources_init(&sources, &site);
	sources_text(&sources, "wide", buf_view(&text), TABLE_ALIASES);
	sources_sort(&sources);
	memory_free(&sources.names);
	sources.names = s.names;
	ask(ENGINE_FINAL, NULL, "", "most2@example.test");
	ck_assert_uint_eq(decision.code, 250);
	ck_assert_uint_eq(decision.nfinals, ROUTE_FINALS);
	for (i = 0; i < 2; i++) {
		ask(i == 0 ? ENGINE_FINAL : ENGINE_RCPT, NULL, "",
		    "more@example.test");
		ck_assert_uint_eq(decision.code, 550);
		ck_assert_str_eq(decision.status, "5.2.4");
		ck_assert_uint_eq(decision.nfinals, 0);
	}
	sources.names = (struct memory){ .n = 0 };
	sources_free(&sources);
	sources = s;
	buf_free(&text);
}
END_TEST

START_TEST(depth_and_width)
{
	struct sources	s;
	struct buf	text;
	unsigned	i;

	buf_init(&text, 1u << 20);
	for (i = 0; i < ENGINE_DEPTH + 9; i++)
		buf_addf(&text, "d%u: d%u\n", i, i + 1);
	buf_addf(&text, "d%u: alice\nwide: ", i);
	for (i = 0; i < 3000; i++)
		buf_addf(&text, "%sm%u@far.test", i ? "," : "", i % 2000);
	buf_addc(&text, '\n');
	s = sources;
	sources_init(&sources, &site);
	sources_text(&sources, "deep", buf_view(&text), TABLE_ALIASES);
	sources_sort(&sources);
	memory_free(&sources.names);
	sources.names = s.names;
	ask(ENGINE_RCPT, STRANGER, "", "d0@example.test");
	ck_assert_str_eq(decision.status, "5.4.6");
	ask(ENGINE_RCPT, STRANGER, "", "d10@example.test");
	ck_assert_uint_eq(decision.code, 250);
	ask(ENGINE_FINAL, NULL, "", "wide@example.test");
	ck_assert_uint_eq(decision.nfinals, 2000);
	sources.names = (struct memory){ .n = 0 };
	sources_free(&sources);
	sources = s;
	buf_free(&text);
}
END_TEST

/* The postmaster is accepted even if nobody is there yet; the queue is told to wait. */
START_TEST(postmaster_without_mailbox)
{
	settings->postmaster[0] = 'z';	/* zlice */
	ask(ENGINE_RCPT, STRANGER, "", "postmaster@v.test");
	ck_assert_uint_eq(decision.code, 250);
	ck_assert_uint_eq(decision.nfinals, 0);
	ask(ENGINE_FINAL, NULL, "", "postmaster@v.test");
	ck_assert_uint_eq(decision.code, 451);
	ck_assert_str_eq(decision.status, "4.3.5");
	sources_text(&sources, "b", STR("postmaster: zlice\n"
	    "both: alice, postmaster\n"), TABLE_ALIASES);
	sources_sort(&sources);
	ask(ENGINE_RCPT, STRANGER, "", "postmaster");
	ck_assert_uint_eq(decision.code, 250);
	ask(ENGINE_FINAL, NULL, "", "postmaster");
	ck_assert_uint_eq(decision.code, 451);
	/* alice's copy waits with the postmaster's: none is lost */
	ask(ENGINE_FINAL, NULL, "", "both@example.test");
	ck_assert_uint_eq(decision.code, 451);
}
END_TEST

/* An alias that misses is no reason to tell the sender if the setting finds somebody. */
START_TEST(postmaster_by_setting)
{
	struct buf	got;

	buf_init(&got, 4096);
	sources_text(&sources, "b", STR("postmaster: nosuch\n"), TABLE_ALIASES);
	sources_sort(&sources);
	ask(ENGINE_FINAL, NULL, "", "postmaster");
	describe(&got);
	ck_assert(str_eq(buf_view(&got), STR(OK "U alice;")));
	buf_free(&got);
}
END_TEST

START_TEST(no_separator)
{
	settings->separator[0] = '\0';
	ask(ENGINE_RCPT, STRANGER, "", "alice+x@example.test");
	ck_assert_uint_eq(decision.code, 550);
	ask(ENGINE_RCPT, STRANGER, "", "info@v.test");
	ck_assert_uint_eq(decision.code, 250);
}
END_TEST

/*
 * What a domain is: its first meaning of local, virtual, relay. The host's
 * name is local only if nobody says otherwise.
 */
START_TEST(kinds_of_domains)
{
	static const struct { const char *name; enum site_kind kind; } want[] = {
		{ "a.test", SITE_LOCAL }, { "b.test", SITE_VIRTUAL },
		{ "c.test", SITE_RELAY }, { "mx.test", SITE_VIRTUAL },
		{ "d.test", SITE_FOREIGN }, { "a.tes", SITE_FOREIGN },
		{ "", SITE_FOREIGN }, { "[", SITE_FOREIGN },
		{ "[198.51.100.1]", SITE_LOCAL }, { "[x]", SITE_FOREIGN },
		{ "[ipv6:2001:db8::1]", SITE_LOCAL },
		{ "[::ffff:198.51.100.1]", SITE_LOCAL },
	};
	const struct site_domain	*d;
	struct settings			*st;
	struct site			 other;
	struct addr			 own[2];
	struct diag			 why;
	size_t				 i;

	ck_assert_msg(settings_parse(STR("hostname mx.test\ndomain A.test\n"
	    "virtual-domain b.test mx.test\nrelay-domain c.test\n"), "conf",
	    &st, &why) == 0, "%s", why.text);
	ck_assert_int_eq(addr_parse(STR("198.51.100.1"), &own[0]), 0);
	ck_assert_int_eq(addr_parse(STR("2001:db8::1"), &own[1]), 0);
	ck_assert_int_eq(site_init(&other, st, own, 2), 0);
	for (i = 0; i < nitems(want); i++) {
		d = site_find(&other, str_from(want[i].name));
		ck_assert_msg((d == NULL ? SITE_FOREIGN : d->kind) ==
		    want[i].kind, "%s", want[i].name);
	}
	site_free(&other);
	settings_free(&st);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("route_engine");
	TCase	*t = tcase_create("route_engine");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, decisions, 0, nitems(rows));
	tcase_add_test(t, each_rule_has_its_place);
	tcase_add_loop_test(t, failures_are_temporary, 0, 4);
	tcase_add_test(t, depth_and_width);
	tcase_add_test(t, too_wide);
	tcase_add_test(t, postmaster_without_mailbox);
	tcase_add_test(t, postmaster_by_setting);
	tcase_add_test(t, no_separator);
	tcase_add_test(t, kinds_of_domains);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

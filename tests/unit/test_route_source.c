/*
 * tests/unit/test_route_source.c - alias and virtual files as they are read
 * and proved: every mistake with its place. A new case is a row.
 */
#include <sys/stat.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"
#include "route/compile.h"
#include "route/value.h"

static const char conf[] =
    "hostname mx.example.test\n"
    "domain example.test\n"
    "virtual-domain v.test\n"
    "relay-domain backup.test\n"
    "users file /users\n"
    "aliases /a\n"
    "virtual /v\n"
    "postmaster alice\n"
    "expect to alice@example.test -> 250\n"
    "expect to alice@example.test -> 250 2.1.5\n"
    "expect to x@far.test -> 550 5.7.1\n"
    "expect client 127.0.0.1 from <> to x@far.test -> 250\n"
    "expect route info@example.test -> user alice\n"
    "expect route info@example.test -> remote x@far.test\n"
    "expect route info@example.test -> pipe /bin/cat -u\n"
    "expect route info@example.test -> file /var/x\n"
    "expect route nosuch@example.test -> unknown\n"
    "expect user alice from <> -> 250\n"
    "expect user alice from alice@example.test -> 250 2.1.0\n"
    "expect user bob from alice@example.test -> 553 5.7.1\n"
    "expect user alice from x@far.test -> 553\n"
    /* from here on none of them holds */
    "expect to alice@example.test -> 550\n"
    "expect to alice@example.test -> 250 2.0.0\n"
    "expect client 192.0.2.1 to x@far.test -> 250\n"
    "expect route info@example.test -> user bob\n"
    "expect route info@example.test -> pipe /bin/cat\n"
    "expect route alice@example.test -> unknown\n"
    "expect user alice from alice@example.test -> 553\n";
#define EXPECT_GOOD	13
#define EXPECT_ALL	20

static struct settings	*settings;
static struct site	 site;
static struct sources	 sources;
static char		 dir[] = "/tmp/posthouse-source.XXXXXX";

static void
setup(void)
{
	struct diag	why;

	ck_assert_msg(settings_parse(str_from(conf), "conf", &settings,
	    &why) == 0, "%s", why.text);
	ck_assert_int_eq(site_init(&site, settings, NULL, 0), 0);
	sources_init(&sources, &site);
	ck_assert_int_eq(memory_add(&sources.names, STR("alice"),
	    STR("61001 users:1"), "users", 1), 0);
	strlcpy(dir, "/tmp/posthouse-source.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
	static const char *const	names[] = { "one", "two", "loop" };
	char				path[64];
	size_t				i;

	for (i = 0; i < nitems(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	sources_free(&sources);
	site_free(&site);
	settings_free(&settings);
}

static void
check_said(const char *want)
{
	const char	*got = buf_cstr(&sources.said);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, want);
}

static const struct { enum table_kind kind; const char *in, *said; } mistakes[] = {
	{ TABLE_ALIASES, "", "" },
	{ TABLE_ALIASES, "a: alice\n\n# text\nb : \"alice\" , |c\n", "" },
	{ TABLE_ALIASES, "no colon\na:\nb: ,,\n",
	    "f:1:4: expected a name and a colon\n"
	    "f:2:1: no target, expected an address, |command, /file or "
	    ":include:/file\n"
	    "f:3:1: no target, expected an address, |command, /file or "
	    ":include:/file\n" },
	{ TABLE_ALIASES, "a: b c,\n  d@, \\, \"x\n", "f:1:4: this is no address, "
	    "expected name or name@domain\n"
	    "f:2:3: this is no address, expected name or name@domain\n"
	    "f:2:7: this is no address, expected name or name@domain\n"
	    "f:2:10: malformed target, expected an address, |command, /file "
	    "or :include:/file\n" },
	{ TABLE_ALIASES, "a: alice # me\n", "f:1:4: text after an address, expected a "
	    "comma or the end of the line (a comment has a line of its "
	    "own)\n" },
	{ TABLE_ALIASES, "a@b.test: alice\n", "f:1:1: an alias has no domain, "
	    "expected a name without @ (addresses stand in virtual "
	    "tables)\n" },
	{ TABLE_ALIASES, "a: @v.test\n", "f:1:4: this is no address, expected name "
	    "or name@domain\n" },
	{ TABLE_ALIASES, "a: alice\nB: alice\nA: alice\n", "f:3:1: this name is "
	    "there already, expected it once (see f:1)\n" },
	{ TABLE_ALIASES, "a: :include:/nonexistent/x, :include:x\n",
	    "f:1:4: :include:/nonexistent/x: No such file or directory\n"
	    "f:1:29: malformed target, expected an address, |command, /file "
	    "or :include:/file\n" },
	{ TABLE_VIRTUAL, "a@v.test: alice\nA@V.test: alice\n@v.test: @example.test\n",
	    "f:2:1: this name is there already, expected it once (see "
	    "f:1)\n" },
	{ TABLE_VIRTUAL, "a: alice\nx@far.test: alice\nx@backup.test: alice\n@: b\n",
	    "f:1:1: this is no address, expected name@domain or @domain\n"
	    "f:2:1: this domain is not ours, expected one of domain or "
	    "virtual-domain\n"
	    "f:3:1: this domain is not ours, expected one of domain or "
	    "virtual-domain\n"
	    "f:4:1: this is no address, expected name@domain or @domain\n" },
	{ TABLE_SENDERS, "a@far.test: alice, b@v.test, *\n@far.test: alice\n"
	    "*: alice\n", "" },
	{ TABLE_SENDERS, "a: alice\n@: alice\na@b: |c, /d, e f,\n*:\nA@B: alice\n",
	    "f:1:1: this is no address, expected name@domain or @domain\n"
	    "f:2:1: this is no address, expected name@domain or @domain\n"
	    "f:3:6: expected a user's name\n"
	    "f:3:10: expected a user's name\n"
	    "f:3:14: expected a user's name, or * for each of them\n"
	    "f:4:1: expected a user's name\n"
	    "f:5:1: this name is there already, expected it once (see "
	    "f:3)\n" },
	{ TABLE_VIRTUAL, "a@v.test: @\n", "f:1:11: expected a domain after the @\n" },
};

START_TEST(all_mistakes)
{
	sources_text(&sources, "f", str_from(mistakes[_i].in),
	    mistakes[_i].kind);
	sources_sort(&sources);
	check_said(mistakes[_i].said);
	ck_assert_int_eq(sources.mistakes > 0, mistakes[_i].said[0] != '\0');
}
END_TEST

static const struct { const char *in, *said; unsigned mistakes; } proofs[] = {
	{ "a: b\nb: alice\nalice: alice, \\alice\n", "", 0 },
	{ "b: a\na: b\n", "f:1:1: this address leads back to itself "
	    "(b@example.test leads back to itself)\n"
	    "f:2:1: this address leads back to itself "
	    "(a@example.test leads back to itself)\n", 2 },
	{ "z: alice, ghost\na: a\n\"x y\": \\ghost\n",
	    "f:1: warning: nobody is ghost@example.test, expected a "
	    "user or an alias\n"
	    "f:2: warning: nobody is a@example.test, expected a "
	    "user or an alias\n"
	    "f:3: warning: nobody is \"x y\"@example.test, expected a "
	    "user or an alias\n", 0 },
};

START_TEST(entries_are_proved)
{
	sources_text(&sources, "f", str_from(proofs[_i].in), TABLE_ALIASES);
	sources_sort(&sources);
	ck_assert_int_eq(sources_prove(&sources), 0);
	check_said(proofs[_i].said);
	ck_assert_uint_eq(sources.mistakes, proofs[_i].mistakes);
}
END_TEST

START_TEST(senders_are_proved)
{
	sources_text(&sources, "f", STR("x@far.test: alice, ghost\n*: *\n"),
	    TABLE_SENDERS);
	sources_sort(&sources);
	ck_assert_int_eq(sources_prove(&sources), 0);
	check_said("f:1: warning: there is no user ghost\n");
	ck_assert_uint_eq(sources.mistakes, 0);
}
END_TEST

START_TEST(open_relay)
{
	struct setting_item	items[] = {
		{ "192.0.2.0/24", NULL, NULL, "conf", 6 },
		{ "0.0.0.0/0", NULL, NULL, "conf", 7 },
		{ "::/0", NULL, NULL, "conf", 7 }
	};
	struct setting_list	before = settings->relay_from;

	settings->relay_from = (struct setting_list){ items, nitems(items) };
	sources_sort(&sources);
	ck_assert_int_eq(sources_prove(&sources), 0);
	settings->relay_from = before;
	check_said("conf:7: warning: relay-from 0.0.0.0/0 lets everybody send "
	    "to everybody through this host\n"
	    "conf:7: warning: relay-from ::/0 lets everybody send "
	    "to everybody through this host\n");
	ck_assert_uint_eq(sources.mistakes, 0);
}
END_TEST

START_TEST(nobody_gets_it)
{
	struct setting_item	item = { "v.test", "ghost", NULL, "conf", 7 };

	settings->postmaster[0] = 'z';
	settings->catch_all = (struct setting_list){ &item, 1 };
	sources_sort(&sources);
	ck_assert_int_eq(sources_prove(&sources), 0);
	settings->catch_all = (struct setting_list){ NULL, 0 };
	check_said("conf:7: warning: nobody is ghost, whom catch-all v.test "
	    "names\n"
	    "warning: nobody gets the postmaster's mail: \"postmaster zlice\" "
	    "is neither user nor alias\n");
}
END_TEST

static void
put_file(const char *name, const char *text, uid_t owner)
{
	char	path[64];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	if (owner != getuid())
		ck_assert_int_eq(chown(path, owner, (gid_t)-1), 0);
}

static void
include(const char *name)
{
	char	text[128];

	snprintf(text, sizeof(text), "list: :include:%s/%s\n", dir, name);
	sources_text(&sources, "f", str_from(text), TABLE_ALIASES);
	sources_sort(&sources);
}

/* Each target knows the file and line it came from. */
START_TEST(included_files)
{
	char		text[128];
	struct str	value, got = { "", 0 };
	struct cur	c;
	struct field	f;
	unsigned	n = 0;

	put_file("two", "# members\n\nx@far.test\n", getuid());
	snprintf(text, sizeof(text), "alice, bob\n:include:%s/two\n", dir);
	put_file("one", text, getuid());
	include("one");
	check_said("");
	ck_assert(memory_get(&sources.tables[TABLE_ALIASES], STR("list"), &value));
	c = cur_from(value);
	while (record_next(&c, &f)) {
		if (f.tag != VALUE_PLACE)
			n++;
		else
			got = f.value;
	}
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_gt(got.n, 5);
	ck_assert_msg(str_eq((struct str){ got.p + got.n - 5, 5 },
	    STR("two:3")), "%.*s", STR_ARG(got));
}
END_TEST

START_TEST(a_file_that_includes_itself)
{
	char	text[128], want[256];

	snprintf(text, sizeof(text), "alice\n:include:%s/loop\n", dir);
	put_file("loop", text, getuid());
	include("loop");
	snprintf(want, sizeof(want), "%s/loop:2:1: :include:%s/loop: this "
	    "file includes itself\n", dir, dir);
	check_said(want);
}
END_TEST

/* Whoever can write the file must not choose commands that others run. */
START_TEST(users_may_not_name_commands)
{
	char	want[256];

	if (getuid() != 0) {
		printf("skipped users_may_not_name_commands: needs root\n");
		return;
	}
	put_file("one", "alice\n|cmd\n", 61001);
	include("one");
	snprintf(want, sizeof(want), "%s/one:2:1: commands and files may "
	    "stand in files of root only, expected an address\n", dir);
	check_said(want);
}
END_TEST

/* A user's list that is a link to what only root can read is not read. */
START_TEST(links_to_secrets)
{
	char	target[64], path[64], want[256];

	if (getuid() != 0) {
		printf("skipped links_to_secrets: needs root\n");
		return;
	}
	put_file("two", "secret\n", 0);
	snprintf(target, sizeof(target), "%s/two", dir);
	snprintf(path, sizeof(path), "%s/one", dir);
	ck_assert_int_eq(chmod(target, 0600), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	include("one");
	snprintf(want, sizeof(want), "f:1:7: :include:%s/one: Too many levels "
	    "of symbolic links\n", dir);
	check_said(want);
}
END_TEST

START_TEST(expectations)
{
	struct engine	e;
	struct decision	d;
	size_t		i;
	bool		holds;

	sources_text(&sources, "f", STR("info: alice, x@far.test, "
	    "\"|/bin/cat -u\", /var/x\n"), TABLE_ALIASES);
	sources_sort(&sources);
	engine_init(&e);
	decision_init(&d);
	ck_assert_uint_eq(settings->expect.n, EXPECT_ALL);
	for (i = 0; i < settings->expect.n; i++) {
		holds = expect_holds(&sources, &e, &d,
		    &settings->expect.items[i]);
		ck_assert_msg(holds == (i < EXPECT_GOOD), "expect %s -> %s",
		    settings->expect.items[i].text,
		    settings->expect.items[i].more);
	}
	ck_assert_uint_eq(sources.mistakes, EXPECT_ALL - EXPECT_GOOD);
	ck_assert(str_starts_nocase(buf_view(&sources.said), STR("conf:22:1: "
	    "expect to alice@example.test -> 550 failed, it is 250 2.1.5 "
	    "recipient ok\n\t")));
	engine_free(&e);
	decision_free(&d);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("route_source");
	TCase	*t = tcase_create("route_source");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, all_mistakes, 0, nitems(mistakes));
	tcase_add_loop_test(t, entries_are_proved, 0, nitems(proofs));
	tcase_add_test(t, nobody_gets_it);
	tcase_add_test(t, senders_are_proved);
	tcase_add_test(t, open_relay);
	tcase_add_test(t, included_files);
	tcase_add_test(t, a_file_that_includes_itself);
	tcase_add_test(t, users_may_not_name_commands);
	tcase_add_test(t, links_to_secrets);
	tcase_add_test(t, expectations);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

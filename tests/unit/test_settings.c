/* tests/unit/test_settings.c - posthouse.conf: values, mistakes with their places, the parts of the programs. */
#include "common/proc/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"

static struct settings *
load(const char *text)
{
	struct settings	*s = NULL;
	struct diag	 why;

	ck_assert_msg(settings_parse(str_from(text), "t", &s, &why) == 0,
	    "%s", why.text);
	return s;
}

START_TEST(three_lines)
{
	struct settings	*s = load("hostname mx.example.test\n"
	    "domain example.test example.org\nusers file /etc/users\n");

	ck_assert_str_eq(s->hostname, "mx.example.test");
	ck_assert_uint_eq(s->domains.n, 2);
	ck_assert_str_eq(s->domains.items[1].text, "example.org");
	ck_assert_uint_eq(s->domains.items[1].line, 2);
	ck_assert_str_eq(s->domains.items[1].file, "t");
	ck_assert_str_eq(s->users.items[0].text, "file");
	ck_assert_str_eq(s->users.items[0].more, "/etc/users");
	ck_assert_uint_eq(s->smtp.in.listen.n, 1);
	ck_assert_str_eq(s->smtp.in.listen.items[0].text, "*:25");
	ck_assert_uint_eq(s->pop3.listen.n, 0);
	ck_assert_uint_eq(s->relay_from.n, 2);
	ck_assert_int_eq(s->smtp.message_size, 50ll << 20);
	ck_assert_int_eq(s->queue.lifetime, 5ll * 86400 * 1000);
	ck_assert(s->smtp.vrfy && !s->smtp.expn);
	settings_free(&s);
	ck_assert_ptr_null(s);
}
END_TEST

/* Also after a way through a memfd. */
START_TEST(several_sources_of_users)
{
	struct settings	*whole = load("users file /a scheme SSHA\nusers {\n"
	    "uid vmail\ngid 8\nhome /v/%d/%n\n}\nusers sqlite /b\n"
	    "users system\n"), *s;
	struct diag	 why;
	int		 fd = settings_export(whole, PROGRAM_ROUTE);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(settings_load_fd(fd, &s, &why), 0);
	close(fd);
	settings_free(&whole);
	ck_assert_uint_eq(s->users.n, 3);
	ck_assert_str_eq(s->users.items[0].last, "SSHA");
	ck_assert_str_eq(s->users.items[1].text, "sqlite");
	ck_assert_str_eq(s->users.items[1].more, "/b");
	ck_assert_ptr_null(s->users.items[1].last);
	ck_assert_str_eq(s->users_uid, "vmail");
	ck_assert_str_eq(s->users_gid, "8");
	ck_assert_str_eq(s->users_home, "/v/%d/%n");
	ck_assert(settings_users_system(s) && settings_users_tables(s));
	ck_assert_str_eq(settings_users_file(s, 0), "/a");
	ck_assert_str_eq(settings_users_file(s, 1), "/b");
	ck_assert_ptr_null(settings_users_file(s, 2));
	settings_free(&s);
	s = load("");
	ck_assert(settings_users_system(s) && !settings_users_tables(s));
	settings_free(&s);
}
END_TEST

START_TEST(nothing_said)
{
	struct settings	*s = load("");

	ck_assert(s->hostname[0] != '\0');
	ck_assert_str_eq(s->domains.items[0].text, s->hostname);
	ck_assert_str_eq(s->users.items[0].text, "system");
	ck_assert_ptr_null(s->users.items[0].more);
	settings_free(&s);
}
END_TEST

START_TEST(hosts_to_log_in_at)
{
	struct settings	*s = load("remote.auth mx.example.org ann\n"
	    "remote.auth [192.0.2.1] bob\nremote.auth [2001:db8::1] bob\n");

	ck_assert_uint_eq(s->remote.auth.n, 3);
	ck_assert_str_eq(s->remote.auth.items[1].text, "[192.0.2.1]");
	ck_assert_str_eq(s->remote.auth.items[2].more, "bob");
	settings_free(&s);
}
END_TEST

START_TEST(none_is_empty)
{
	struct settings	*s = load("relay-from none\ndomain none\n"
	    "smtp {\nlisten none\nbanner \"hello there\"\nvrfy no\n}\n");

	ck_assert_uint_eq(s->relay_from.n, 0);
	ck_assert_uint_eq(s->domains.n, 0);
	ck_assert_uint_eq(s->smtp.in.listen.n, 0);
	ck_assert_str_eq(s->smtp.banner, "hello there");
	ck_assert(!s->smtp.vrfy);
	settings_free(&s);
}
END_TEST

START_TEST(expectations)
{
	struct settings	*s = load("expect client 192.0.2.9 from a@x.example "
	    "to bob@here.example -> 550 5.7.1\n"
	    "expect route info@here.example -> user bob\n"
	    "expect from <> to bob@here.example -> 250\n"
	    "expect route x@here.example -> unknown\n");

	ck_assert_uint_eq(s->expect.n, 4);
	ck_assert_str_eq(s->expect.items[0].text,
	    "client 192.0.2.9 from a@x.example to bob@here.example");
	ck_assert_str_eq(s->expect.items[0].more, "550 5.7.1");
	ck_assert_str_eq(s->expect.items[1].text, "route info@here.example");
	ck_assert_str_eq(s->expect.items[1].more, "user bob");
	settings_free(&s);
}
END_TEST

/* What is said, and where. */
static const struct { const char *text, *said; } wrong[] = {
	{ "hostnme x\n", "t:1:1: unknown key \"hostnme\", did you mean "
	    "\"hostname\"?" },
	{ "hostname = x.test\n", "t:1:10: \"=\" after hostname, expected its "
	    "value" },
	{ "message-size 5M\n", "did you mean \"smtp.message-size\"?" },
	{ "smtp {\n  recipient 5\n}\n", "t:2:3: unknown key "
	    "\"smtp.recipient\", did you mean \"smtp.recipients\"?" },
	{ "zzzzzzzzzzzz 1\n", "expected one of posthouse.conf(5)" },
	{ "hostname\n", "t:1:1: hostname has no value" },
	{ "hostname a.test b.test\n", "t:1:17: \"b.test\" is too much" },
	{ "hostname a_b!c\n", "t:1:10: \"a_b!c\"" },
	{ "hostname a.test\n\nhostname b.test\n", "t:3:1: hostname is set a "
	    "second time, expected once (it is in line 1 already)" },
	{ "queue {\n retry-first soon\n}\n", "t:2:14: \"soon\" is not what "
	    "queue.retry-first takes, expected a time" },
	{ "queue {\n retry-first 9999d\n}\n", "t:2:14: 9999d is out of range" },
	{ "queue {\n retry-first 5h\n}\n", "t:2:2: queue.retry-first is more "
	    "than queue.retry-max" },
	{ "smtp {\n message-size 1\n}\n", "t:2:15: 1 is out of range for "
	    "smtp.message-size" },
	{ "smtp {\n message-size 99999999999G\n}\n", "out of range" },
	{ "smtp {\n recipients -5\n}\n", "\"-5\" is not what" },
	{ "smtp {\n vrfy maybe\n}\n", "expected yes or no" },
	{ "smtp {\n listen 25\n}\n", "t:2:9: \"25\" is not what smtp.listen "
	    "takes, expected ADDRESS:PORT" },
	{ "smtp {\n listen 127.0.0.1:0\n}\n", "expected ADDRESS:PORT" },
	{ "smtp {\n listen [::1]:25\n}\nlmtp {\n listen [::1]:25\n}\n",
	    "t:5:1: [::1]:25 is listened on already" },
	{ "relay-from 10.0.0.0/40\n", "expected an address or network" },
	{ "spool var/spool\n", "expected an absolute path" },
	{ "users file\n", "expected users file PATH" },
	{ "users ldap\n", "expected system, file PATH or sqlite PATH" },
	{ "users sqlite\n", "t:1:7: users sqlite has no path" },
	{ "users sqlite a\n", "expected an absolute path" },
	{ "users sqlite /a scheme X\n", "t:1:14: users sqlite is not that" },
	{ "users system /a\n", "t:1:14: users system is not that" },
	{ "users file /a plan X\n", "t:1:15: users file is not that" },
	{ "users file /a scheme\n", "t:1:15: users file is not that" },
	{ "users file /a scheme {X}\n", "t:1:22: \"{X}\" is not what users" },
	{ "users system\nusers file /a\nusers system\n",
	    "t:3:7: these users are there already" },
	{ "users file /a\nusers sqlite /a\nusers file /a scheme X\n",
	    "t:3:7: these users are there already" },
	{ "users.uid 0\n", "t:1:11: \"0\" is not what users.uid" },
	{ "users.gid root\n", "not root's" },
	{ "users.home /v/%h\n", "expected an absolute path, with %u, %n" },
	{ "users.home v\n", "expected an absolute path, with %u, %n" },
	{ "catch-all a.test\n", "t:1:1: catch-all has one value only" },
	{ "domain b.test\ncatch-all a.test bob\n", "t:2:1: catch-all for "
	    "a.test, which is no domain of ours" },
	{ "log nowhere\n", "file:/PATH, syslog or stderr" },
	{ "log-level loud\n", "error, warn, info or debug" },
	{ "separator ab\n", "one character" },
	{ "local {\n mailbox ~/Maildir\n}\n", "maildir:PATH or mbox:PATH" },
	{ "local {\n min-uid 0\n}\n", "out of range" },
	{ "expect nonsense\n", "expected route, user, client, from or to" },
	{ "expect to bob@x.test\n", "expect ends too early, expected ->" },
	{ "expect client 1.2.3 to bob@x.test -> 250\n", "an IP address" },
	{ "expect to bob@x.test -> 1000\n", "a reply code" },
	{ "expect to bob@x.test -> 550 5,7,1\n", "an enhanced status" },
	{ "expect to bob@x.test -> 550 5.7.1 x\n", "the end of the line" },
	{ "expect route bob@x.test -> bob\n", "user NAME" },
	{ "expect route bob@x.test -> user\n", "a word after the kind" },
	{ "expect client\n", "expected an IP address" },
	{ "expect user\n", "expected the user's name" },
	{ "expect user bob to a@b.test -> 250\n", "expected from" },
	{ "expect user bob from x@ -> 250\n", "expected the sender's" },
	{ "expect user bob from a@b.test\n", "expected ->" },
	{ "expect user bob from <> -> 250 2.1.0 x\n", "the end of the line" },
	{ "expect from\n", "expected the sender's address" },
	{ "hostname [192.0.2.1]\n", "a domain name" },
	{ "hostname a..test\n", "a domain name" },
	{ "remote.auth 192.0.2.1 ann\n", "an address in brackets" },
	{ "remote.auth [192.0.2] ann\n", "an address in brackets" },
	{ "remote.auth [2001:db8::1 ann\n", "an address in brackets" },
	{ "postmaster -x\n", "a user name" },
	{ "postmaster a:b\n", "a user name" },
	{ "postmaster \"a b\"\n", "a user name" },
	{ "separator @\n", "one character" },
	{ "separator a\n", "one character" },
	{ "durability maybe\n", "auto or strict" },
	{ "log file:x\n", "file:/PATH, syslog or stderr" },
	{ "pop3 {\n cleartext perhaps\n}\n", "yes, no or loopback" },
	{ "smtp {\n banner \"a\x07z\"\n}\n", "t:" },
	{ "local {\n mailbox mbox:x\n}\n", "maildir:PATH or mbox:PATH" },
	{ "local {\n mailbox maildir:~bob/x\n}\n", "maildir:PATH" },
	{ "local {\n mailbox maildir:%hx\n}\n", "maildir:PATH" },
	{ "smtp {\n min-spare 9\n max-connections 8\n}\n",
	    "t:2:2: smtp.min-spare is more than smtp.max-connections" },
	{ "imap {\n separator :\n}\n", ". or /" },
	{ "imap {\n separator \"\"\n}\n", ". or /" },
	{ "imap {\n prefix Mail.\n}\n", "INBOX. or INBOX/" },
	{ "imap {\n prefix INBOX/\n}\n",
	    "does not end in imap.separator" },
	{ "imap {\n prefix INBOX.\n separator /\n}\n",
	    "does not end in imap.separator" },
	{ "imap {\n id name\n}\n", "field without a value" },
	{ "imap {\n id a123456789012345678901234567890 x\n}\n",
	    "is too long" },
	{ "imap {\n command-max 8191\n}\n", "from 8K to 16M" },
	{ "imap {\n idle-notify 30m\n}\n", "from 0 to 29m" },
	{ "imap {\n min-spare 9\n max-connections 8\n}\n",
	    "imap.min-spare is more than imap.max-connections" },
	{ "pop3.listen *:110\nimap.listen *:110\n",
	    "*:110 is listened on already" },
	{ "pop3 {\n min-spare 9\n max-connections 8\n}\n",
	    "pop3.min-spare is more than pop3.max-connections" },
	{ "expect client 192.0.2.1\n", "ends too early, expected to" },
	{ "expect from a@b.test bob\n", "expected to ADDRESS" },
	{ "expect to\n", "expected the recipient's address" },
	{ "expect to a@b.test => 250\n", "expected ->" },
	{ "expect to a@b.test -> 350\n", "a reply code" },
	{ "expect to a@b.test ->\n", "a reply code" },
	{ "expect to a@b.test -> 550 5.7.1000\n", "an enhanced status" },
	{ "expect to a@b.test -> 550 6.7.1\n", "an enhanced status" },
	{ "expect route\n", "expected an address" },
	{ "expect route a@b.test\n", "expected ->" },
	{ "expect route a@b.test -> unknown x\n", "the end of the line" },
	{ "auth.token-algorithms HS256\n", "expected RS256" },
	{ "auth.token-algorithms none\n", "expected RS256" },
	{ "auth.token-algorithms rs256\n", "expected RS256" },
	{ "auth.token-keys keys\n", "expected an absolute path" },
	{ "\nauth {\ntoken-keys /k\n}\n", "t:3:1: auth.token-keys takes tokens "
	    "for any service, expected auth.token-issuer" },
	{ "auth.token-keys /k\nauth.token-issuer i\n",
	    "expected auth.token-audience or auth.token-scope" },
	{ "auth.introspection-url https://id.test/\nauth.token-issuer i\n",
	    "t:1:1: auth.introspection-url takes tokens for any service, "
	    "expected auth.token-audience or auth.token-scope" },
	{ "auth.token-issuer \"\"\n", "one word" },
	{ "auth.token-leeway 11m\n", "10m" },
	{ "auth.token-discovery http://127.0.0.1/\n", "expected https://" },
	{ "auth.introspection-url id.test\n", "expected https://" },
	{ "auth.introspection-url http://id.test/\n", "expected https://" },
	{ "auth.introspection-url http://127.evil.test/\n", "expected https://" },
	{ "auth.introspection-url http://127.0.0.1.evil.test/\n", "expected https" },
	{ "auth.introspection-url http://localhost.evil.test/\n", "expected https" },
	{ "auth.introspection-url http://localhost@evil.test/\n", "expected https" },
	{ "auth.introspection-url http://[::2]/\n", "expected https://" },
	{ "auth.introspection-url https://a:b@id.test/\n", "expected https://" },
	{ "auth.introspection-url https:///x\n", "expected https://" },
	{ "auth.introspection-url https://id.test:0/\n", "expected https://" },
	{ "auth.introspection-url https://id.test:65536/\n", "expected https://" },
	{ "auth.introspection-url https://id.test/#x\n", "expected https://" },
	{ "auth.introspection-url \"https://id.test/a b\"\n", "expected https://" },
	{ "auth.introspection-url file:///etc/passwd\n", "expected https://" },
	{ "auth.introspection-url https://[::1/\n", "expected https://" },
	{ "auth.introspection-url https://[x]/\n", "expected https://" },
	{ "smtp {\n", "t:" }
};

START_TEST(mistakes)
{
	struct settings	*s = NULL;
	struct diag	 why;

	ck_assert_int_eq(settings_parse(str_from(wrong[_i].text), "t", &s,
	    &why), -1);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(why.text, wrong[_i].said) != NULL,
	    "said: %s\nnot: %s", why.text, wrong[_i].said);
}
END_TEST

static const struct { const char *text; enum log_level level; } levels[] = {
	{ "log-level error\n", LOG_LEVEL_ERROR },
	{ "log-level warn\n", LOG_LEVEL_WARN },
	{ "log-level info\n", LOG_LEVEL_INFO },
	{ "log-level debug\n", LOG_LEVEL_DEBUG },
	{ "log stderr\nseparator \"\"\ndurability strict\n"
	    "local {\n mailbox mbox:%h/mail\n}\npop3 {\n cleartext no\n}\n",
	    LOG_LEVEL_INFO },
	{ "log syslog\nseparator -\ndurability auto\n"
	    "local {\n mailbox maildir:/m/%u\n}\npop3 {\n cleartext yes\n}\n",
	    LOG_LEVEL_INFO },
	{ "auth {\ntoken-keys /k\ntoken-issuer i\ntoken-audience a\n"
	    "token-algorithms RS256 PS256 ES256 ES384 EdDSA\n"
	    "introspection-url https://id.test:8443/a/b?c=d\n}\n",
	    LOG_LEVEL_INFO },
	{ "auth {\ntoken-keys /k\ntoken-issuer i\ntoken-scope a b\n"
	    "introspection-url http://127.0.0.1:80\n"
	    "token-discovery https://id.test/.well-known/x\n}\n",
	    LOG_LEVEL_INFO },
	{ "auth.introspection-url http://[::1]:80/x\nauth.token-scope s\n",
	    LOG_LEVEL_INFO },
	{ "auth.introspection-url http://localhost/x\nauth.token-scope s\n",
	    LOG_LEVEL_INFO },
	{ "auth.introspection-url https://[2001:db8::1]/x\nauth.token-scope s\n",
	    LOG_LEVEL_INFO },
	{ "auth.introspection-url https://192.0.2.1\nauth.token-scope s\n",
	    LOG_LEVEL_INFO },
};

START_TEST(right)	/* every word that a rule lets through */
{
	struct settings	*s = load(levels[_i].text);

	ck_assert_int_eq(settings_log_level(s), levels[_i].level);
	settings_free(&s);
}
END_TEST

START_TEST(all_mistakes)
{
	char		path[] = "/tmp/settings.XXXXXX";
	struct buf	said;
	int		fd = mkstemp(path), n;

	ck_assert(fd != -1);
	ck_assert(dprintf(fd, "hostname !\nfoo bar\nsmtp {\nhops x\n}\n") > 0);
	close(fd);
	buf_init(&said, 65536);
	n = settings_check(path, &said);
	ck_assert_int_eq(n, 3);
	ck_assert_ptr_nonnull(buf_cstr(&said));
	ck_assert_ptr_nonnull(strstr(said.p, ":1:10:"));
	ck_assert_ptr_nonnull(strstr(said.p, ":2:1:"));
	ck_assert_ptr_nonnull(strstr(said.p, ":4:6:"));
	buf_free(&said);
	ck_assert_int_eq(unlink(path), 0);
	buf_init(&said, 65536);
	ck_assert_int_eq(settings_check(path, &said), 1);
	buf_free(&said);
}
END_TEST

/* Mistakes before and behind it, and in itself: then its default. */
static const struct {
	const char	*text, *run;
} salvaged[] = {
	{ "foo bar\nrun /srv/a\nhostname !\n",	"/srv/a" },
	{ "run /srv/a\nrun /srv/b\n",			"/srv/a" },
	{ "hostname !\nrun relative\n",		PH_RUNDIR },
	{ "run /srv/a\nsmtp {\n",			"/srv/a" },
	{ "run /srv/a\n",				"/srv/a" }
};

START_TEST(salvage)
{
	char		 path[] = "/tmp/settings.XXXXXX";
	struct settings	*s;
	int		 fd = mkstemp(path);

	ck_assert(fd != -1);
	ck_assert(dprintf(fd, "%s", salvaged[_i].text) > 0);
	close(fd);
	ck_assert_ptr_nonnull(s = settings_salvage(path));
	ck_assert_str_eq(s->run, salvaged[_i].run);
	settings_free(&s);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(settings_salvage(path));
}
END_TEST

/* A program gets what it may know, with the places, and reads the same. */
START_TEST(export_part)
{
	struct settings	*all, *part;
	struct diag	 why;
	int		 fd;

	all = load("hostname a.test\nusers file /etc/users\n\n"
	    "aliases \"/etc/my aliases\"\nsmtp { \n hops 50\n listen [::1]:25\n"
	    "}\npop3 {\n errors 3\n}\n");
	fd = settings_export(all, PROGRAM_ROUTE);
	ck_assert(fd != -1);
	ck_assert_int_eq(settings_load_fd(fd, &part, &why), 0);
	ck_assert(write(fd, "x", 1) == -1);	/* sealed */
	close(fd);
	ck_assert_str_eq(part->hostname, "a.test");
	ck_assert_str_eq(part->domains.items[0].text, "a.test");
	ck_assert_str_eq(part->aliases.items[0].text, "/etc/my aliases");
	ck_assert_str_eq(part->aliases.items[0].file, "t");
	ck_assert_uint_eq(part->aliases.items[0].line, 4);
	ck_assert_int_eq(part->smtp.hops, 100);		/* not its business */
	ck_assert_int_eq(part->pop3_errors, 10);
	settings_free(&part);
	fd = settings_export(all, PROGRAM_POP3D);
	ck_assert(fd != -1);
	ck_assert_int_eq(settings_load_fd(fd, &part, &why), 0);
	close(fd);
	ck_assert_int_eq(part->pop3_errors, 3);
	ck_assert_uint_eq(part->aliases.n, 0);
	ck_assert_str_eq(part->users.items[0].text, "system");
	settings_free(&part);
	settings_free(&all);
}
END_TEST

/* The host name that was found out by the master is what the others use. */
START_TEST(export_hostname)
{
	struct settings	*all = load("log-level debug\n"), *part;
	struct diag	 why;
	int		 fd = settings_export(all, PROGRAM_QUEUE);

	ck_assert_int_eq(settings_load_fd(fd, &part, &why), 0);
	close(fd);
	ck_assert_str_eq(part->hostname, all->hostname);
	ck_assert_int_eq(settings_log_level(part), LOG_LEVEL_DEBUG);
	settings_free(&part);
	settings_free(&all);
}
END_TEST

START_TEST(keys_printed)
{
	struct buf	out;

	buf_init(&out, 65536);
	ck_assert_int_eq(settings_print_keys(&out), 0);
	ck_assert_ptr_nonnull(buf_cstr(&out));
	ck_assert_ptr_nonnull(strstr(out.p,
	    "smtp.message-size\tsize\t50M\t64K\t2G\n"));
	ck_assert_ptr_nonnull(strstr(out.p, "hostname\ttext\t-\t-\t-\n"));
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("settings");
	TCase	*tc = tcase_create("settings");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, three_lines);
	tcase_add_test(tc, several_sources_of_users);
	tcase_add_test(tc, nothing_said);
	tcase_add_test(tc, hosts_to_log_in_at);
	tcase_add_test(tc, none_is_empty);
	tcase_add_test(tc, expectations);
	tcase_add_loop_test(tc, mistakes, 0, (int)nitems(wrong));
	tcase_add_loop_test(tc, right, 0, nitems(levels));
	tcase_add_test(tc, all_mistakes);
	tcase_add_loop_test(tc, salvage, 0, (int)nitems(salvaged));
	tcase_add_test(tc, export_part);
	tcase_add_test(tc, export_hostname);
	tcase_add_test(tc, keys_printed);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}

/* tests/unit/test_users.c - lines of passwd-files, compiled tables, mailboxes. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/users.h"

static const struct {
	const char	*line;
	int		 r;
	unsigned	 col;
} rows[] = {
	{ "ann:{PLAIN}x:1001:1001:Ann:/home/ann:/bin/sh:", 1, 0 },
	{ "ann:x:1001:1001::/home/ann", 1, 0 },
	{ "ann@example.net:x:1001:1001::/home/ann::", 1, 0 },
	{ "Ann:x:::An n, Q.:/home/ann::mail=maildir:~/M quota=1G z=:", 1, 0 },
	{ "ann:x:1:1::/h::userdb_mail=mbox:/var/mail/%u", 1, 0 },
	{ "", 0, 0 },
	{ "  # ann:x", 0, 0 },
	{ "\r", 0, 0 },
	{ "ann", -1, 1 },
	{ ":x:1:1::/h", -1, 1 },
	{ "-a:x:1:1::/h", -1, 1 },
	{ "a/b:x:1:1::/h", -1, 1 },
	{ "..:x:1:1::/h", -1, 1 },
	{ "a b:x:1:1::/h", -1, 1 },
	{ "ann:x:-1:1::/h", -1, 7 },
	{ "ann:x:4294967295:1::/h", -1, 7 },
	{ "ann:x:1:z::/h", 1, 0 },
	{ "ann:x:vmail:vmail::/h", 1, 0 },
	{ "ann:x:1:-z::/h", -1, 9 },
	{ "ann:x:1:z z::/h", -1, 9 },
	{ "ann:x:1:1::h", -1, 12 },
	{ "ann:x:1:1:", 1, 0 },
	{ "ann:{SHA}x", 1, 0 },
	{ "ann:", 1, 0 },
	{ "ann:::::::nopassword allow_nets=192.0.2.0/24,!2001:db8::1", 1, 0 },
	{ "ann:x::::::nopassword", -1, 22 },
	{ "ann:x::::::allow_nets=", -1, 12 },
	{ "ann:x::::::allow_nets=host.example", -1, 12 },
	{ "ann:x::::::allow_nets=local", 1, 0 },
	{ "ann:x::::::services=pop3,imap", 1, 0 },
	{ "ann:x::::::services=", -1, 12 },
	{ "ann:x::::::services=pop", -1, 12 },
	{ "ann:x::::::services=pop3,,imap", -1, 12 },
	{ "ann:x::::::nologin=y reason=moved nodelay proxy host=10.0.0.1", 1, 0 },
	{ "ann:x::::::app=phone:imap:{SSHA}x:y app=b::{PLAIN}z", 1, 0 },
	{ "ann:x::::::app=phone:imap:", -1, 12 },
	{ "ann:x::::::app=phone:{SSHA}x", -1, 12 },
	{ "ann:x::::::app=:imap:{SSHA}x", -1, 12 },
	{ "ann:x::::::app=a:ftp:{SSHA}x", -1, 12 },
	{ "ann:x::::::app=a::{SSHA}x app=A::{SSHA}y", -1, 27 },
	{ "ann:x::::::userdb_quota_rule=*:storage=1G", 1, 0 },
	{ "ann:x::::::userdb_quota_rule=*:storage=much", -1, 12 },
	{ "ann:x::::::userdb_quota_rule=Trash:storage=+10%", 1, 0 },
	{ "ann:x::::::userdb_mail=mdbox:~/m", -1, 12 },
	{ "ann:x::::::userdb_mail=maildir:~/m:LAYOUT=fs", -1, 12 },
	{ "ann:x::::::userdb_mail=maildir:~/m:INBOX=/v/%u", -1, 12 },
	{ "ann:x::::::userdb_mail=maildir:~/m/%L", -1, 12 },
	{ "ann:x::::::userdb_uid=-1", -1, 12 },
	{ "ann:x:1:1::/h::mail=/var/mail/ann", -1, 16 },
	{ "ann:x:1:1::/h::a=b mail=maildir:x", -1, 20 },
	{ "ann:x:1:1::/h::quota=much", -1, 16 },
	{ "ann:x\001:1:1::/h", -1, 5 }
};

/* As users_secrets: the first of the passwords. */
static int
password_of(struct users *us, struct str name, struct buf *out)
{
	struct users_entry	e;
	struct buf		rec;
	int			r, saved;

	buf_init(&rec, 1u << 16);
	buf_reset(out);
	if ((r = users_secrets(us, name, 0, &rec, &e)) == 1)
		buf_addstr(out, e.password);
	saved = errno;
	buf_wipe(&rec);
	errno = saved;
	return r;
}

START_TEST(lines)
{
	struct users_entry	 e;
	const char		*what = NULL;
	unsigned		 col = 0;

	ck_assert_msg(users_parse_line(str_from(rows[_i].line), &e, &what,
	    &col) == rows[_i].r, "%s", rows[_i].line);
	if (rows[_i].r == -1) {
		ck_assert_ptr_nonnull(what);
		ck_assert_msg(col == rows[_i].col, "%s: %u", rows[_i].line,
		    col);
	}
}
END_TEST

START_TEST(all_fields)
{
	struct users_entry	 e;
	const struct user	*u = &e.user;
	const char		*what;
	unsigned		 col;

	ck_assert_int_eq(users_parse_line(STR("Bob:{CRYPT}$6$a$b:7:8:Bob:/b:"
	    "/bin/sh:x=y\tuserdb_quota=2K mail=maildir:%h/M master "
	    "app=phone:imap,pop3:{SSHA}x:y app=tv::{PLAIN}z services=imap "
	    "allow_nets=::1 nologin reason=moved\r"), &e, &what, &col), 1);
	ck_assert_str_eq(u->name, "bob");
	ck_assert(str_eq(e.password, STR("{CRYPT}$6$a$b")));
	ck_assert_uint_eq(u->uid, 7);
	ck_assert_uint_eq(u->gid, 8);
	ck_assert_str_eq(u->home, "/b");
	ck_assert_str_eq(u->mailbox, "maildir:%h/M");
	ck_assert_uint_eq(u->quota, 2048);
	ck_assert(e.master && e.nologin && !e.any);
	ck_assert(str_eq(e.reason, STR("moved")));
	ck_assert(str_eq(e.services, STR("imap")));
	ck_assert(str_eq(e.networks, STR("::1")));
	ck_assert_uint_eq(e.napps, 2);
	ck_assert(str_eq(e.apps[0].name, STR("phone")));
	ck_assert(str_eq(e.apps[0].services, STR("imap,pop3")));
	ck_assert(str_eq(e.apps[0].record, STR("{SSHA}x:y")));
	ck_assert(str_eq(e.apps[1].name, STR("tv")));
	ck_assert_uint_eq(e.apps[1].services.n, 0);
	ck_assert(str_eq(e.apps[1].record, STR("{PLAIN}z")));
}
END_TEST

/* What Dovecot's userdb_ says goes before the fields; libpam-pwdfile's lengths are no part of a hash. */
START_TEST(as_dovecot)
{
	struct users_entry	 e;
	const char		*what;
	unsigned		 col;

	ck_assert_int_eq(users_parse_line(STR("bob:abcdefghijklm[13]:7:8::/b::"
	    "userdb_uid=vmail userdb_gid=9 userdb_home=/c uid=5 home=/d "
	    "userdb_mail=mbox:~/mail:INBOX=/var/mail/%u"), &e, &what, &col), 1);
	ck_assert(str_eq(e.password, STR("abcdefghijklm")));
	ck_assert_str_eq(e.scheme, "CRYPT");
	ck_assert(str_eq(e.uid_name, STR("vmail")));
	ck_assert_uint_eq(e.user.gid, 9);
	ck_assert_str_eq(e.user.home, "/c");
	ck_assert_str_eq(e.user.mailbox, "mbox:/var/mail/%u");
	ck_assert_int_eq(users_parse_line(STR("bob:::::::"
	    "userdb_mail=maildir:~/Maildir:INDEX=/i:LAYOUT=maildir++"), &e,
	    &what, &col), 1);
	ck_assert_str_eq(e.user.mailbox, "maildir:~/Maildir");
}
END_TEST

static const struct { const char *rule; uint64_t bytes; } quotas[] = {
	{ "*:storage=1G", 1u << 30 }, { "*:storage=100", 100 << 10 },
	{ "*:bytes=100", 100 }, { "*:bytes=2MB", 2 << 20 },
	{ "*:messages=10:storage=5k", 5 << 10 }, { "*:messages=10", 0 },
	{ "Trash:storage=1G", 0 }, { "*:storage=7b:messages=1", 7 }
};

START_TEST(quota_rules)
{
	struct users_entry	e;
	bool			known;

	users_entry_init(&e);
	ck_assert_ptr_null(users_entry_set(&e, STR("quota_rule"),
	    str_from(quotas[_i].rule), &known));
	ck_assert(known);
	ck_assert_uint_eq(e.user.quota, quotas[_i].bytes);
	ck_assert_ptr_null(users_entry_set(&e, STR("whatever"), STR("x"),
	    &known));
	ck_assert(!known);
}
END_TEST

static const struct {
	const char	*name, *own, *setting, *domain, *out;
} boxes[] = {
	{ "bob", "", "maildir:~/Maildir", NULL, "maildir:/home/bob/Maildir" },
	{ "bob", "", "mbox:/var/mail/%u", NULL, "mbox:/var/mail/bob" },
	{ "bob", "maildir:%h/M", "mbox:/x", NULL, "maildir:/home/bob/M" },
	{ "bob", "", "maildir:/v/%d/%u", NULL, NULL },
	{ "bob", "", "maildir:/v/%d/%u", "a.test", "maildir:/v/a.test/bob" },
	{ "bob@b.test", "", "maildir:/v/%d", "a.test", "maildir:/v/b.test" },
	{ "bob@..", "", "maildir:/v/%d", "a.test", NULL },
	{ "bob@b.test", "", "maildir:/v/%n", NULL, "maildir:/v/bob" },
	{ "bob", "", "maildir:/v/%n", NULL, "maildir:/v/bob" },
	{ "bob", "", "maildir:/v/%%", NULL, "maildir:/v/%" },
	{ "bob", "", "maildir:/v/%x", NULL, NULL },
	{ "bob", "", "maildir:/v/%", NULL, NULL },
	{ "bob", "", "maildir:%u", NULL, NULL },
	{ "bob", "", "maildir", NULL, NULL },
	{ "bob", "", "maildir:/123456789012345678901234567890", NULL, NULL }
};

START_TEST(mailboxes)
{
	struct user	u = { .uid = 1, .home = "/home/bob" };
	char		out[32];
	int		r;

	strlcpy(u.name, boxes[_i].name, sizeof(u.name));
	strlcpy(u.mailbox, boxes[_i].own, sizeof(u.mailbox));
	r = users_mailbox_in(&u, boxes[_i].domain, boxes[_i].setting, out,
	    sizeof(out));
	ck_assert_int_eq(r, boxes[_i].out == NULL ? -1 : 0);
	if (r == 0)
		ck_assert_str_eq(out, boxes[_i].out);
}
END_TEST

static char	dir_name[] = "/tmp/posthouse-users.XXXXXX";
static char	source[64];
static int	dir = -1;

static void
setup(void)
{
	strlcpy(dir_name, "/tmp/posthouse-users.XXXXXX", sizeof(dir_name));
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = fdio_opendir(AT_FDCWD, dir_name);
	ck_assert_int_ne(dir, -1);
	snprintf(source, sizeof(source), "%s/users", dir_name);
}

static void
teardown(void)
{
	unlinkat(dir, "users.cdb", 0);
	unlinkat(dir, "auth.cdb", 0);
	unlinkat(dir, "users", 0);
	fdio_close(&dir);
	ck_assert_int_eq(rmdir(dir_name), 0);	/* nothing else was left */
}

static int
compile(const char *text, struct diag *why)
{
	const struct users_source	from = { USERS_FILE, source, NULL };
	const struct users_defaults	none = { "", "", "", NULL };
	int				fd;

	fd = open(source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
	return users_compile(&from, 1, &none, dir, getegid(), why);
}

START_TEST(compiled)
{
	struct users	*us;
	struct user	 u;
	struct diag	 why;
	struct buf	 b;
	struct stat	 st;
	char		 place[80];

	ck_assert_int_eq(compile("# users\nann:{PLAIN}a:1001:1002::/home/ann\n"
	    "Bob:$6$s$h:1003:1004::/home/bob::mail=maildir:/m quota=5\n"
	    "cid:$6$t$h:1003:1004::/home/cid::\n", &why), 0);
	ck_assert_int_eq(fstatat(dir, "auth.cdb", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_int_eq(users_open(&us, true, false, dir, &why), 0);
	buf_init(&b, 4096);
	ck_assert_int_eq(users_find(us, STR("BOB"), &u, &b), 1);
	snprintf(place, sizeof(place), "%s:3", source);
	ck_assert_str_eq(buf_cstr(&b), place);
	ck_assert_str_eq(u.name, "bob");
	ck_assert_uint_eq(u.uid, 1003);
	ck_assert_uint_eq(u.gid, 1004);
	ck_assert_uint_eq(u.quota, 5);
	ck_assert_str_eq(u.mailbox, "maildir:/m");
	ck_assert_int_eq(users_find(us, STR("dan"), &u, NULL), 0);
	ck_assert_int_eq(users_find(us, STR(""), &u, NULL), 0);
	ck_assert_int_eq(users_find(us, STR("bob\0"), &u, NULL), 0);
	ck_assert_int_eq(password_of(us, STR("ann"), &b), -1);
	ck_assert_int_eq(users_open_passwords(us, &why), 0);
	ck_assert_int_eq(password_of(us, STR("Ann"), &b), 1);
	ck_assert(str_eq(buf_view(&b), STR("{PLAIN}a")));
	ck_assert_int_eq(password_of(us, STR("dan"), &b), 0);
	/* most of them have SHA-512 */
	ck_assert_int_eq(password_of(us, STR(""), &b), 1);
	ck_assert(str_eq(buf_view(&b), STR("{CRYPT}$6$s$h")));
	ck_assert(!users_refresh(us, &why));
	ck_assert_int_eq(compile("dan:x:1001:1001::/d\n", &why), 0);
	ck_assert(users_refresh(us, &why));
	ck_assert_int_eq(users_find(us, STR("dan"), &u, NULL), 1);
	ck_assert_int_eq(password_of(us, STR("ann"), &b), 0);
	buf_wipe(&b);
	users_close(&us);
	ck_assert_ptr_null(us);
}
END_TEST

START_TEST(mistakes)
{
	struct users	*us;
	struct user	 u;
	struct diag	 why;
	char		 said[120];

	ck_assert_int_eq(compile("ann:x:1001:1001::/a\n", &why), 0);
	ck_assert_int_eq(compile("bob:x:1001:1001::/b\n\nBob:x:1:1::/b\n",
	    &why), -1);
	snprintf(said, sizeof(said), "%s:3:1: this user is there already",
	    source);
	ck_assert_msg(strncmp(why.text, said, strlen(said)) == 0, "%s",
	    why.text);
	ck_assert_int_eq(compile("bob:x:1001:1001::b\n", &why), -1);
	snprintf(said, sizeof(said), "%s:1:18: bad home", source);
	ck_assert_msg(strncmp(why.text, said, strlen(said)) == 0, "%s",
	    why.text);
	if (geteuid() == 0)
		ck_assert_int_eq(compile("bob:x:0:0::/b\n", &why), -1);
	/* the old tables stay */
	ck_assert_int_eq(users_open(&us, true, false, dir, &why), 0);
	ck_assert_int_eq(users_find(us, STR("ann"), &u, NULL), 1);
	users_close(&us);
}
END_TEST

START_TEST(of_the_system)
{
	struct users	*us;
	struct user	 u;
	struct diag	 why;
	struct buf	 b;

	ck_assert_int_eq(users_open(&us, false, true, -1, &why), 0);
	buf_init(&b, 64);
	ck_assert_int_eq(users_find(us, STR("Root"), &u, &b), 1);
	ck_assert_uint_eq(u.uid, 0);
	ck_assert_str_eq(buf_cstr(&b), "passwd");
	ck_assert_int_eq(users_find(us, STR("no-such-user-here"), &u, &b), 0);
	ck_assert_int_eq(users_open_passwords(us, &why), 0);
	ck_assert_int_eq(password_of(us, STR("root"), &b), -1);
	ck_assert_int_eq(errno, ENOTSUP);
	buf_free(&b);
	users_close(&us);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("users");
	TCase	*t = tcase_create("pure"), *f = tcase_create("files");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, lines, 0, (int)nitems(rows));
	tcase_add_test(t, all_fields);
	tcase_add_test(t, as_dovecot);
	tcase_add_loop_test(t, quota_rules, 0, (int)nitems(quotas));
	tcase_add_loop_test(t, mailboxes, 0, (int)nitems(boxes));
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_test(f, compiled);
	tcase_add_test(f, mistakes);
	suite_add_tcase(s, f);
	t = tcase_create("system");
	tcase_add_test(t, of_the_system);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}

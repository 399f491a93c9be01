/* tests/unit/test_users_sources.c - several sources of users: order, defaults, databases, what is wrong and where. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/users.h"

static char	dir_name[64], a_path[80], b_path[80], db_path[80];
static int	dir = -1;
static const struct users_defaults	defaults = {
	"1007", "1008", "/v/%d/%n", "here.test"
};

static void
setup(void)
{
	strlcpy(dir_name, "/tmp/posthouse-users.XXXXXX", sizeof(dir_name));
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = fdio_opendir(AT_FDCWD, dir_name);
	ck_assert_int_ne(dir, -1);
	snprintf(a_path, sizeof(a_path), "%s/a", dir_name);
	snprintf(b_path, sizeof(b_path), "%s/b", dir_name);
	snprintf(db_path, sizeof(db_path), "%s/db", dir_name);
}

static void
teardown(void)
{
	static const char *const names[] = {
		"a", "b", "db", "users.cdb", "auth.cdb"
	};
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		unlinkat(dir, names[i], 0);
	fdio_close(&dir);
	ck_assert_int_eq(rmdir(dir_name), 0);	/* nothing else was left */
}

static void
put(const char *path, const char *text)
{
	int	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static void
sql(const char *text)
{
	sqlite3	*db;
	char	*said = NULL;

	ck_assert_int_eq(sqlite3_open(db_path, &db), SQLITE_OK);
	sqlite3_exec(db, text, NULL, NULL, &said);
	ck_assert_msg(said == NULL, "%s", said);
	sqlite3_close(db);
}

#define TABLES	"CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, " \
		"uid, gid, home, mail, quota, services, allow_nets, " \
		"master, nologin, nopassword, since);" \
		"CREATE TABLE app_passwords (user, name, services, password);"

static int
compile(const struct users_source *from, size_t n, struct diag *why)
{
	return users_compile(from, n, &defaults, dir, getegid(), why);
}

static struct users *
opened(void)
{
	struct users	*us;
	struct diag	 why;

	ck_assert_int_eq(users_open(&us, true, false, dir, &why), 0);
	ck_assert_int_eq(users_open_passwords(us, &why), 0);
	return us;
}

static void
find(struct users *us, const char *name, struct user *u,
    struct users_entry *e, struct buf *rec)
{
	ck_assert_msg(users_find(us, str_from(name), u, NULL) == 1, "%s",
	    name);
	ck_assert_int_eq(users_secrets(us, str_from(name), 0, rec, e), 1);
}

static const struct users_defaults	nothing = { "1", "1", "", NULL };

START_TEST(order)
{
	const struct users_source	from[] = {
		{ USERS_FILE, a_path, "SSHA" }, { USERS_SQLITE, db_path, NULL },
		{ USERS_FILE, b_path, NULL }
	};
	struct users_entry	 e;
	struct users		*us;
	struct user		 u;
	struct diag		 why;
	struct buf		 rec;

	put(a_path, "ann:first\nann@a.test:{PLAIN}a:5:6::/h\n");
	put(b_path, "ann:third\nbob:third\ncid:$6$x$y:9:\n");
	sql(TABLES "INSERT INTO users (name, password, quota) VALUES "
	    "('Ann', 'second', 5), ('bob', 'second', 7)");
	ck_assert_msg(compile(from, nitems(from), &why) == 0, "%s", why.text);
	us = opened();
	buf_init(&rec, 4096);
	find(us, "ann", &u, &e, &rec);
	ck_assert(str_eq(e.password, STR("{SSHA}first")));
	ck_assert_uint_eq(u.quota, 0);
	find(us, "BOB", &u, &e, &rec);
	ck_assert(str_eq(e.password, STR("{CRYPT}second")));
	ck_assert_uint_eq(u.quota, 7);
	ck_assert_uint_eq(u.uid, 1007);
	ck_assert_uint_eq(u.gid, 1008);
	ck_assert(!u.system);
	find(us, "ann@a.test", &u, &e, &rec);
	ck_assert_uint_eq(u.uid, 5);
	ck_assert_str_eq(u.home, "/h");
	find(us, "cid", &u, &e, &rec);
	ck_assert_uint_eq(u.uid, 9);
	ck_assert_uint_eq(u.gid, 1008);
	buf_wipe(&rec);
	users_close(&us);
}
END_TEST

START_TEST(homes)
{
	const struct users_source	from = { USERS_FILE, a_path, NULL };
	struct users_entry		 e;
	struct users			*us;
	struct user			 u;
	struct diag			 why;
	struct buf			 rec;

	put(a_path, "ann@a.test:x\nann:x\n");
	ck_assert_msg(compile(&from, 1, &why) == 0, "%s", why.text);
	us = opened();
	buf_init(&rec, 4096);
	find(us, "ann@a.test", &u, &e, &rec);
	ck_assert_str_eq(u.home, "/v/a.test/ann");
	find(us, "ann", &u, &e, &rec);
	ck_assert_str_eq(u.home, "/v/here.test/ann");
	buf_wipe(&rec);
	users_close(&us);
	ck_assert_int_eq(users_compile(&from, 1, &nothing, dir, getegid(),
	    &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "/a:1:1: no "));
}
END_TEST

START_TEST(database)
{
	const struct users_source	from = { USERS_SQLITE, db_path, "PLAIN" };
	struct users_entry		 e;
	struct users			*us;
	struct user			 u;
	struct diag			 why;
	struct buf			 rec;

	sql(TABLES "INSERT INTO users VALUES ('ann@a.test', '{SHA}x', 5, 6, "
	    "'/h', 'maildir:~/M', '1G', 'pop3', '192.0.2.0/24', 1, 0, NULL, "
	    "'2026'), ('bob@a.test', 'x', NULL, '', NULL, '', NULL, NULL, "
	    "NULL, 0, 1, 0, 5);"
	    "INSERT INTO app_passwords VALUES "
	    "('ann@a.test', 'phone', 'imap', '{SSHA}a'), "
	    "('Ann@a.test', 'tv', NULL, 'b'), ('dan', 'x', '', 'c')");
	ck_assert_msg(compile(&from, 1, &why) == 0, "%s", why.text);
	us = opened();
	buf_init(&rec, 4096);
	find(us, "ann@a.test", &u, &e, &rec);
	ck_assert_uint_eq(u.uid, 5);
	ck_assert_str_eq(u.mailbox, "maildir:~/M");
	ck_assert_uint_eq(u.quota, 1u << 30);
	ck_assert(e.master && !e.nologin && !e.any);
	ck_assert(str_eq(e.services, STR("pop3")));
	ck_assert(str_eq(e.networks, STR("192.0.2.0/24")));
	ck_assert_uint_eq(e.napps, 2);
	ck_assert(str_eq(e.apps[0].record, STR("{SSHA}a")));
	ck_assert(str_eq(e.apps[0].services, STR("imap")));
	ck_assert(str_eq(e.apps[1].name, STR("tv")));
	ck_assert(str_eq(e.apps[1].record, STR("{PLAIN}b")));
	find(us, "bob@a.test", &u, &e, &rec);
	ck_assert(str_eq(e.password, STR("{PLAIN}x")));
	ck_assert(e.nologin && !e.master);
	ck_assert_str_eq(u.home, "/v/a.test/bob");
	buf_wipe(&rec);
	users_close(&us);
}
END_TEST

START_TEST(view)
{
	const struct users_source	from = { USERS_SQLITE, db_path, NULL };
	struct users			*us;
	struct user			 u;
	struct diag			 why;

	sql("CREATE TABLE people (mail, pw); INSERT INTO people VALUES "
	    "('ann@a.test', 'x'), ('b b', 'y');"
	    "CREATE VIEW users AS SELECT mail AS name, pw AS password "
	    "FROM people WHERE pw <> 'y'");
	ck_assert_msg(compile(&from, 1, &why) == 0, "%s", why.text);
	us = opened();
	ck_assert_int_eq(users_find(us, STR("ann@a.test"), &u, NULL), 1);
	users_close(&us);
	sql("DROP VIEW users; CREATE VIEW users AS SELECT mail AS name, "
	    "pw AS password FROM people");
	ck_assert_int_eq(compile(&from, 1, &why), -1);
	ck_assert_msg(strstr(why.text, "/db:users:2:1: bad user name") != NULL,
	    "%s", why.text);
}
END_TEST

static const struct { const char *sql, *said; } wrong[] = {
	{ "CREATE TABLE x (y)", "/db:1:1: no such table: users" },
	{ "CREATE TABLE users (name, uid); INSERT INTO users VALUES "
	    "('a@b.c', 'x x')", "/db:users:1:1: bad user number" },
	{ "CREATE TABLE users (password); INSERT INTO users VALUES ('x')",
	    "/db:users:1:1: no name" },
	{ "CREATE TABLE users (name); INSERT INTO users VALUES ('a@b.c'), "
	    "('A@b.c')", "/db:users:2:1: this user is there already" },
	{ "CREATE TABLE users (name, home); INSERT INTO users VALUES "
	    "('a@b.c', 'x')", "/db:users:1:1: bad home" },
	{ "CREATE TABLE users (name, password, nopassword); INSERT INTO users "
	    "VALUES ('a@b.c', 'x', 1)", "/db:users:1:1: nopassword beside" },
	{ "CREATE TABLE users (name); INSERT INTO users VALUES ('a@b.c');"
	    "CREATE TABLE app_passwords (user, name, password)",
	    "/db:1:1: no such column: services" },
	{ "CREATE TABLE users (name); INSERT INTO users VALUES ('a@b.c');"
	    "CREATE TABLE app_passwords (user, name, services, password);"
	    "INSERT INTO app_passwords VALUES ('a@b.c', 'x', 'ftp', 'y')",
	    "/db:app_passwords:1:1: bad services" },
	{ "CREATE TABLE users (name, password); INSERT INTO users VALUES "
	    "('a@b.c', zeroblob(200000))", "/db:users:1:1: this row is too" },
};

START_TEST(mistakes)
{
	const struct users_source	from = { USERS_SQLITE, db_path, NULL };
	struct diag			why;

	sql(wrong[_i].sql);
	ck_assert_int_eq(compile(&from, 1, &why), -1);
	ck_assert_msg(strstr(why.text, wrong[_i].said) != NULL, "%s",
	    why.text);
}
END_TEST

START_TEST(no_database)
{
	const struct users_source	from = { USERS_SQLITE, db_path, NULL };
	struct diag			why;

	ck_assert_int_eq(compile(&from, 1, &why), -1);
	ck_assert_msg(strstr(why.text, "/db:1:1: unable to open") != NULL, "%s",
	    why.text);
	ck_assert_int_eq(access(db_path, F_OK), -1);
	put(db_path, "ann:x:1:1::/a\n");
	ck_assert_int_eq(compile(&from, 1, &why), -1);
	ck_assert_msg(strstr(why.text, "not a database") != NULL, "%s",
	    why.text);
}
END_TEST

/* Who is in a file behind it, and in the system, is the system's. */
START_TEST(behind_the_system)
{
	const struct users_source	from[] = {
		{ USERS_FILE, a_path, NULL }, { USERS_SYSTEM, NULL, NULL },
		{ USERS_FILE, b_path, NULL }
	};
	struct users		*us;
	struct user		 u;
	struct diag		 why;

	put(a_path, "daemon:x:5:5::/a\n");
	put(b_path, "root:x:5:5::/a\nno-such-user-here:x:5:5::/a\n");
	ck_assert_msg(compile(from, nitems(from), &why) == 0, "%s", why.text);
	ck_assert_int_eq(users_open(&us, true, true, dir, &why), 0);
	ck_assert_int_eq(users_find(us, STR("daemon"), &u, NULL), 1);
	ck_assert(!u.system);
	ck_assert_int_eq(users_find(us, STR("root"), &u, NULL), 1);
	ck_assert(u.system);
	ck_assert_uint_eq(u.uid, 0);
	ck_assert_int_eq(users_find(us, STR("no-such-user-here"), &u, NULL),
	    1);
	ck_assert(!u.system);
	ck_assert_int_eq(users_find(us, STR("no-such-user-there"), &u, NULL),
	    0);
	users_close(&us);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("users_sources");
	TCase	*t = tcase_create("users_sources");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, order);
	tcase_add_test(t, homes);
	tcase_add_test(t, database);
	tcase_add_test(t, view);
	tcase_add_loop_test(t, mistakes, 0, nitems(wrong));
	tcase_add_test(t, no_database);
	tcase_add_test(t, behind_the_system);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}

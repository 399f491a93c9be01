/* tests/unit/test_auth_source.c - accounts: found, their secrets, and from where and for what they may be used. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/source.h"
#include "common/base/fdio.h"

static const struct { const char *list, *addr; bool in; } nets[] = {
	{ "192.0.2.0/24", "192.0.2.9", true },
	{ "192.0.2.0/24", "192.0.3.9", false },
	{ "192.0.2.0/24,2001:db8::/32", "2001:db8::1", true },
	{ "192.0.2.0/24,2001:db8::/32", "2001:db9::1", false },
	{ "!192.0.2.7,192.0.2.0/24", "192.0.2.7", false },
	{ "!192.0.2.7,192.0.2.0/24", "192.0.2.8", true },
	{ "!192.0.2.7,192.0.2.0/24", "192.0.9.8", false },
	{ "!192.0.2.0/24", "192.0.2.8", false },
	{ "!192.0.2.0/24", "192.0.9.8", true },
	{ "192.0.2.0/24", "", false },
	{ "local", "", true },
	{ "local", "127.0.0.1", false },
	{ "127.0.0.1,local", "", true },
	{ "!local", "", false },
	{ "nonsense", "192.0.2.1", false },
	{ ",", "192.0.2.1", false },
	{ "", "192.0.2.1", false },
};

START_TEST(networks)
{
	struct addr	a = { .valid = false };

	if (nets[_i].addr[0] != '\0')
		ck_assert_int_eq(addr_parse(str_from(nets[_i].addr), &a), 0);
	ck_assert_msg(networks_have(str_from(nets[_i].list), &a) ==
	    nets[_i].in, "%s in %s", nets[_i].addr, nets[_i].list);
}
END_TEST

START_TEST(services)
{
	ck_assert(services_have(STR("pop3,imap"), "imap"));
	ck_assert(services_have(STR("pop3"), "pop3"));
	ck_assert(!services_have(STR("pop3"), "pop"));
	ck_assert(!services_have(STR("pop3,imap"), "smtp"));
	ck_assert(!services_have(STR(""), "smtp"));
}
END_TEST

static char	dir_name[64], path[80];
static int	dir = -1;

static const char	users[] =
	"ann:{PLAIN}own:5:5::/a::app=phone:imap:{PLAIN}p app=tv::{PLAIN}t "
	    "services=imap,pop3 allow_nets=192.0.2.0/24\n"
	"bob:{SSHA}b:5:5::/b::master\n"
	"cid:{SSHA}c:5:5::/c::nologin reason=moved\n"
	"dan::5:5::/d::nopassword\n"
	"eve::5:5::/e::app=a:imap:{SSHA}e\n";

static void
setup(void)
{
	const struct users_source	from = { USERS_FILE, path, NULL };
	const struct users_defaults	none = { "", "", "", NULL };
	struct diag			why;
	int				fd;

	strlcpy(dir_name, "/tmp/posthouse-source.XXXXXX", sizeof(dir_name));
	ck_assert_ptr_nonnull(mkdtemp(dir_name));
	dir = fdio_opendir(AT_FDCWD, dir_name);
	snprintf(path, sizeof(path), "%s/users", dir_name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(fdio_write(fd, users, strlen(users)), 0);
	close(fd);
	ck_assert_int_eq(users_compile(&from, 1, &none, dir, getegid(), &why),
	    0);
}

static void
teardown(void)
{
	unlinkat(dir, "users.cdb", 0);
	unlinkat(dir, "auth.cdb", 0);
	unlinkat(dir, "users", 0);
	close(dir);
	ck_assert_int_eq(rmdir(dir_name), 0);
}

static struct sources *
opened(const char *also)
{
	struct settings	*st;
	struct sources	*s;
	struct diag	 why;
	char		 text[200];

	snprintf(text, sizeof(text), "users file %s\n%s", path, also);
	ck_assert_int_eq(settings_parse(str_from(text), "t", &st, &why), 0);
	ck_assert_int_eq(sources_open(&s, st, dir, &why), 0);
	settings_free(&st);
	return s;
}

START_TEST(secrets)
{
	struct sources	*s = opened("");
	struct account	 a;
	char		 place[100];

	account_init(&a);
	snprintf(place, sizeof(place), "%s:1", path);
	ck_assert_int_eq(sources_find(s, STR("ANN"), NULL, &a), 1);
	ck_assert_str_eq(a.user.name, "ann");
	ck_assert(str_eq(a.place, str_from(place)));
	ck_assert_uint_eq(a.nsecrets, 3);
	ck_assert(str_eq(a.secrets[0].record, STR("{PLAIN}own")));
	ck_assert_uint_eq(a.secrets[0].name.n, 0);
	ck_assert(str_eq(a.secrets[1].name, STR("phone")));
	ck_assert_int_eq(sources_find(s, STR("ann"), "pop3", &a), 1);
	ck_assert_uint_eq(a.nsecrets, 2);
	ck_assert(str_eq(a.secrets[1].name, STR("tv")));
	ck_assert_int_eq(sources_find(s, STR("eve"), "pop3", &a), 1);
	ck_assert_uint_eq(a.nsecrets, 0);
	ck_assert_int_eq(sources_find(s, STR("dan"), "pop3", &a), 1);
	ck_assert(a.any && !a.master);
	ck_assert_uint_eq(a.nsecrets, 0);
	ck_assert_int_eq(sources_find(s, STR("bob"), "pop3", &a), 1);
	ck_assert(!a.any && a.master);
	ck_assert_int_eq(sources_find(s, STR("fay"), "pop3", &a), 0);
	ck_assert_int_eq(sources_find(s, STR(""), "pop3", &a), 0);
	ck_assert_int_eq(sources_nobody(s, &a), 1);
	ck_assert_uint_eq(a.nsecrets, 1);
	ck_assert(str_starts_nocase(a.secrets[0].record, STR("{SSHA}")));
	account_free(&a);
	sources_close(&s);
}
END_TEST

static const struct { const char *user, *service, *addr, *why; } may[] = {
	{ "ann", "imap", "192.0.2.1", NULL },
	{ "ann", "submission", "192.0.2.1", "not for this service" },
	{ "ann", "imap", "192.0.3.1", "not from this network" },
	{ "bob", "smtp", "192.0.3.1", NULL },
	{ "cid", "imap", "192.0.2.1", "nologin" },
};

START_TEST(who_may)
{
	struct sources	*s = opened("");
	struct account	 a;
	struct addr	 addr;
	const char	*why;

	account_init(&a);
	ck_assert_int_eq(addr_parse(str_from(may[_i].addr), &addr), 0);
	ck_assert_int_eq(sources_find(s, str_from(may[_i].user), NULL, &a), 1);
	ck_assert(account_may(&a, may[_i].service, &addr, &why) ==
	    (may[_i].why == NULL));
	if (may[_i].why == NULL)
		ck_assert_ptr_null(why);
	else
		ck_assert_str_eq(why, may[_i].why);
	account_free(&a);
	sources_close(&s);
}
END_TEST

START_TEST(with_the_system)
{
	struct sources	*s = opened("users system\n");
	struct account	 a;

	account_init(&a);
	ck_assert_int_eq(sources_find(s, STR("ann"), NULL, &a), 1);
	ck_assert(!a.system);
	ck_assert_int_eq(sources_find(s, STR("Fay"), NULL, &a), 1);
	ck_assert(a.system);
	ck_assert_str_eq(a.user.name, "fay");
	ck_assert_uint_eq(a.nsecrets, 0);
	ck_assert(str_eq(a.place, STR("system")));
	ck_assert_int_eq(sources_find(s, STR("fay@a.test"), NULL, &a), 0);
	ck_assert_int_eq(sources_find(s, STR("-fay"), NULL, &a), 0);
	ck_assert_int_eq(sources_find(s, STR("f/ay"), NULL, &a), 0);
	account_free(&a);
	sources_close(&s);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_source");
	TCase	*t = tcase_create("pure"), *f = tcase_create("tables");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, networks, 0, nitems(nets));
	tcase_add_test(t, services);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_test(f, secrets);
	tcase_add_loop_test(f, who_may, 0, nitems(may));
	tcase_add_test(f, with_the_system);
	suite_add_tcase(s, f);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}

/* tests/unit/test_own.c - the addresses of this host, asked from within the sandboxes of route and hop. */
#include <check.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/now.h"
#include "common/proc/sandbox.h"
#include "route/own.h"

static bool
has(const struct own *own, const struct addr *a)
{
	size_t	i;

	for (i = 0; i < own->n; i++)
		if (memcmp(own->addrs[i].ip, a->ip, sizeof(a->ip)) == 0)
			return true;
	return false;
}

START_TEST(as_getifaddrs)
{
	struct own		 own;
	struct ifaddrs		*list;
	const struct ifaddrs	*i;
	struct addr		 a;
	size_t			 n = 0;

	own_open(&own, now_ms());
	ck_assert_int_ne(own.fd, -1);
	ck_assert_int_eq(getifaddrs(&list), 0);
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		addr_from_sockaddr(i->ifa_addr, &a);
		if (!a.valid)
			continue;
		n++;
		ck_assert(has(&own, &a));
	}
	freeifaddrs(list);
	ck_assert_uint_eq(own.n, n);
	own_close(&own);
	ck_assert_int_eq(own.fd, -1);
}
END_TEST

START_TEST(not_too_often)
{
	struct own	own;

	own_open(&own, 1000000);
	own.n = 0;		/* as if all of them were new */
	ck_assert(!own_refresh(&own, 1000000 + OWN_MS - 1));
	ck_assert_uint_eq(own.n, 0);
	ck_assert(own_refresh(&own, 1000000 + OWN_MS));
	ck_assert_uint_gt(own.n, 0);
	ck_assert(!own_refresh(&own, 1000000 + 2 * OWN_MS));
	own_close(&own);
	ck_assert(!own_refresh(&own, 1000000 + 9 * OWN_MS));
}
END_TEST

static const enum sandbox_profile profiles[] = { SANDBOX_ROUTE, SANDBOX_HOP };

START_TEST(in_the_sandbox)
{
	struct own	own;
	struct diag	why;
	pid_t		pid;
	int		status;

	own_open(&own, 1000000);
	own.n = 0;
	if ((pid = fork()) == 0) {
		if (sandbox_enter(profiles[_i], NULL, 0, &why) == -1)
			_exit(2);
		_exit(own_refresh(&own, 1000000 + OWN_MS) && own.n > 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	own_close(&own);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("own");
	TCase	*t = tcase_create("own");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_test(t, as_getifaddrs);
	tcase_add_test(t, not_too_often);
	tcase_add_loop_test(t, in_the_sandbox, 0, nitems(profiles));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* tests/unit/test_auth_source_system.c - auth's questions to auth-pam, and the answers it may get. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/pam.h"
#include "auth/source_system.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

static char	dir[64];
static int	listening = -1, asked = -1, server = -1;
static struct buf	rec;

static void
setup(void)
{
	strlcpy(dir, "/tmp/posthouse-pam.XXXXXX", sizeof(dir));
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	listening = msg_listen(PAM_SOCKET, 0600, (uid_t)-1, (gid_t)-1);
	ck_assert_int_ne(listening, -1);
	buf_init(&rec, MSG_MAX);
}

static void
teardown(void)
{
	buf_free(&rec);
	unlink(PAM_SOCKET);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
ask(void)
{
	char	text[40];

	asked = system_ask("ann", "secret", "pop3", "192.0.2.1");
	ck_assert_int_ne(asked, -1);
	ck_assert(fcntl(asked, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(asked, F_GETFD) & FD_CLOEXEC);
	server = accept(listening, NULL, NULL);
	ck_assert_int_ne(server, -1);
	ck_assert_int_eq(msg_recv(server, &rec, NULL), 1);
	ck_assert(record_gets(buf_view(&rec), PAM_USER_TAG, text,
	    sizeof(text)));
	ck_assert_str_eq(text, "ann");
	ck_assert(record_gets(buf_view(&rec), PAM_PASS_TAG, text,
	    sizeof(text)));
	ck_assert_str_eq(text, "secret");
}

static const struct {
	const char		*answer;	/* NULL: it has gone */
	enum system_verdict	 verdict;
	const char		*why;
} answers[] = {
	{ "V2:ok,\nU3:ann,\nD4:1001,\nG4:1002,\nH5:/home,\n", SYSTEM_OK, "" },
	{ "V5:wrong,\nT14:wrong password,\n", SYSTEM_WRONG, "wrong password" },
	{ "V7:unknown,\n", SYSTEM_UNKNOWN, "" },
	{ "V6:denied,\nT1:x,\n", SYSTEM_DENIED, "x" },
	{ "V4:temp,\nT1:x,\n", SYSTEM_TEMP, "x" },
	{ NULL, SYSTEM_TEMP, "auth-pam gave no answer" },
	{ "nonsense", SYSTEM_TEMP, "auth-pam gave no answer" },
	{ "V2:no,\n", SYSTEM_TEMP, "" },
	{ "V2:ok,\n", SYSTEM_TEMP, "auth-pam's answer is malformed" },
	{ "V2:ok,\nU3:ann,\nD1:0,\nG4:1002,\nH5:/home,\n", SYSTEM_TEMP,
	    "auth-pam's answer is malformed" },
	{ "V2:ok,\nU3:ann,\nD10:4294967295,\nG4:1002,\nH5:/home,\n",
	    SYSTEM_TEMP, "auth-pam's answer is malformed" },
};

START_TEST(verdicts)
{
	const char	*a = answers[_i].answer;
	struct user	 u;
	char		 why[SYSTEM_WHY_MAX];

	ask();
	ck_assert_int_eq(system_answer(asked, &rec, &u, why), SYSTEM_WAIT);
	if (a != NULL)
		ck_assert_int_eq(send(server, a, strlen(a), MSG_NOSIGNAL),
		    (ssize_t)strlen(a));
	close(server);
	ck_assert_int_eq(system_answer(asked, &rec, &u, why),
	    answers[_i].verdict);
	ck_assert_str_eq(why, answers[_i].why);
	if (answers[_i].verdict == SYSTEM_OK) {
		ck_assert_str_eq(u.name, "ann");
		ck_assert_uint_eq(u.uid, 1001);
		ck_assert_uint_eq(u.gid, 1002);
		ck_assert_str_eq(u.home, "/home");
		ck_assert_str_eq(u.mailbox, "");
		ck_assert(u.system);
	}
	close(asked);
	close(listening);
}
END_TEST

START_TEST(nobody_there)
{
	close(listening);
	ck_assert_int_eq(system_ask("ann", "secret", "pop3", "192.0.2.1"), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("auth_source_system");
	TCase	*t = tcase_create("auth_source_system");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, verdicts, 0, nitems(answers));
	tcase_add_test(t, nobody_there);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}

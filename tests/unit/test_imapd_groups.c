/* tests/unit/test_imapd_groups.c - the groups of a session, for lists of rights; the system's answers are ours here. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "imapd/selected.h"
#include "tests/unit/imapd_fixture.h"

#define FIRST	100	/* gid; they are called "g100" and so on */

static int	count, broken;	/* gid that cannot be asked for; -1: none */
static int	closed;		/* errno of opening what is shared; 0: none */

int
getgroups(int n, gid_t ids[])
{
	int	i;

	for (i = 0; i < count && n > 0; i++) {
		if (i == n) {
			errno = EINVAL;
			return -1;
		}
		ids[i] = (gid_t)(FIRST + i);
	}
	return count;
}

int
openat(int at, const char *path, int flags, ...)
{
	const size_t	n = strlen(path);

	if (closed != 0 && n > 2 && strcmp(path + n - 2, "/S") == 0) {
		errno = closed;
		return -1;
	}
	return (int)syscall(SYS_openat, at, path, flags, 0600);
}

struct group *
getgrgid(gid_t gid)
{
	static struct group	g;
	static char		name[16];

	errno = gid == (gid_t)broken ? EMFILE : 0;
	if (gid < FIRST || errno != 0)
		return NULL;
	snprintf(name, sizeof(name), "g%u", (unsigned)gid);
	g.gr_name = name;
	return &g;
}

static void
setup(void)
{
	static const char *const	dirs[] = { "", "/tmp", "/new", "/cur" };
	static char			shared[64];
	char				path[80];
	struct diag			why;
	size_t				i;

	count = closed = 0;
	broken = -1;
	imapd_setup();
	places_close(&s);
	snprintf(shared, sizeof(shared), "%s/S", top);
	for (i = 0; i < nitems(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", shared, dirs[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	set.imap.shared = shared;
	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(place_spaces(&s), 2);
	ck_assert_int_eq(store_create(place_store(&s, SPACE_SHARED), "F", 0),
	    0);
	places_close(&s);
}

static void
write_acl(const char *text)
{
	char	path[100];
	int	fd;

	snprintf(path, sizeof(path), "%s/S/.F/dovecot-acl", top);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(fdio_write(fd, text, strlen(text)), 0);
	fdio_close(&fd);
}

static const struct {
	const char	*acl;
	int		 count;
	unsigned	 rights;
} rows[] = {
	{ "anyone lr\n", 0, RIGHT_LOOKUP | RIGHT_READ },
	{ "anyone lr\n-group=g103 r\n", 3, RIGHT_LOOKUP | RIGHT_READ },
	{ "anyone lr\n-group=g103 r\n", 4, RIGHT_LOOKUP },
	{ "anyone lr\n-group=g300 r\n", 201, RIGHT_LOOKUP },
	{ "group=g300 l\n", 201, RIGHT_LOOKUP },
	{ "group=g300 l\n", 200, 0 },
};

START_TEST(rights)
{
	struct diag	why;
	unsigned	given;

	write_acl(rows[_i].acl);
	count = rows[_i].count;
	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
	ck_assert_int_eq(place_rights(&s, SPACE_SHARED, "F", &given), 0);
	ck_assert_uint_eq(given, rows[_i].rights);
}
END_TEST

/* Whose groups nobody can tell does not get in as if he had none. */
START_TEST(nobody_knows)
{
	struct diag	why;

	count = 4;
	broken = 102;
	ck_assert_int_eq(places_open(&s, &why), -1);
	ck_assert_ptr_null(s.places);
}
END_TEST

/* Who may not read what is shared has none; of whom that cannot be said comes again. */
START_TEST(cannot_be_opened)
{
	struct diag	why;

	closed = EACCES;
	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(place_spaces(&s), 1);
	places_close(&s);
	closed = EMFILE;
	ck_assert_int_eq(places_open(&s, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "/S: Too many open files"));
	ck_assert_ptr_null(s.places);
}
END_TEST

/* A mailbox whose list of rights cannot be read just now is there, and open; nobody is told otherwise. */
START_TEST(nobody_can_say)
{
	struct rlimit	before;
	struct diag	why;
	const char	*reply;
	unsigned	given;

	ck_assert_msg(places_open(&s, &why) == 0, "%s", why.text);
	write_acl("anyone lrs\n");
	replies("a SELECT Shared.F", "OK");
	ck_assert(selected_readable(&s));
	write_acl("anyone lr\n");
	use_up(&before);
	ck_assert_int_eq(place_rights(&s, SPACE_SHARED, "F", &given), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert(selected_readable(&s));
	reply = run_command("a STATUS Shared.F (MESSAGES)");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_str_eq(reply, "NO [UNAVAILABLE] too many open files");
	/* and asked again: that it has changed is told then */
	(void)said();
	ck_assert(selected_readable(&s));
	ck_assert_ptr_nonnull(strstr(said(), "PERMANENTFLAGS"));
	ck_assert_ptr_null(s.end);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("imapd_groups");
	TCase	*t = tcase_create("groups");
	SRunner	*r = srunner_create(suite);
	int	 failed;

	tcase_add_checked_fixture(t, setup, imapd_teardown);
	tcase_add_loop_test(t, rights, 0, (int)nitems(rows));
	tcase_add_test(t, nobody_knows);
	tcase_add_test(t, cannot_be_opened);
	tcase_add_test(t, nobody_can_say);
	suite_add_tcase(suite, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

/* tests/unit/test_deliver_content.c - what a header says, and the bytes on their way, of a file and of a stream. */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "common/fmt/mboxrd.h"
#include "deliver/content.h"
#include "deliver/input.h"
#include "deliver/owner.h"

#define BIG	(300u << 10)

#define TO	"Delivered-To: bob@x.test\n"
#define REC	"Received: from a by b\n"

static const struct {
	const char	*head;
	bool		 loop, handed;
	size_t		 hops;
} facts[] = {
	{ "", false, false, 0 },
	{ "A: b\n" REC REC "\n" REC, false, false, 2 },
	{ TO, true, false, 1 },
	{ TO REC, true, true, 2 },
	{ REC TO, true, false, 2 },
	{ TO REC TO REC, true, false, 4 },
	{ "delivered-to:\tBOB@x.test\r\n" REC, true, true, 2 },
	{ "Delivered-To: bob@x.tes\n" REC, false, false, 1 },
	{ "\n" TO, false, false, 0 },
};

START_TEST(header)
{
	struct header_facts	f;

	header_facts(str_from(facts[_i].head), STR("bob@x.test"), &f);
	ck_assert_int_eq(f.loop, facts[_i].loop);
	ck_assert_int_eq(f.handed, facts[_i].handed);
	ck_assert_uint_eq(f.hops, facts[_i].hops);
}
END_TEST

static const struct {
	const char	*in, *out;
} copies[] = {
	{ "", "" }, { "\n", "\n" }, { "\r", "\r\n" }, { "a", "a\n" },
	{ "a\r\n", "a\n" }, { "a\r\nb\r", "a\nb\r\n" },
	{ "a\r\r\nb\n\r\n", "a\r\nb\n\n" }, { "\r\n\r\n", "\n\n" },
};

/* The copy, read back; frees nothing. */
static char *
copied(const struct content *c, struct str head, size_t *n, off_t *wire)
{
	int	fd = memfd_create("out", MFD_CLOEXEC);
	char	*mem = malloc(BIG * 2);
	ssize_t	got;

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(content_copy(c, head, fd, wire), 0);
	got = fdio_pread(fd, mem, BIG * 2, 0);
	ck_assert_int_ge(got, 0);
	*n = (size_t)got;
	close(fd);
	return mem;
}

static int
file_with(const char *p, size_t n)
{
	int	fd = memfd_create("in", MFD_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fdio_write(fd, p, n), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static size_t
newlines(const char *p, size_t n)
{
	size_t	i, k = 0;

	for (i = 0; i < n; i++)
		k += p[i] == '\n';
	return k;
}

/* Whatever part of a stream was read before, it is what a file gives. */
static void
compare(const char *in, size_t n, const char *want, size_t nwant)
{
	size_t		cuts[] = { 0, n / 2, n };
	struct content	c = { .len = (off_t)n };
	char		*out;
	size_t		i, nout;
	off_t		wire;

	c.fd = file_with(in, n);
	out = copied(&c, STR("H: h\n"), &nout, &wire);
	ck_assert_uint_eq(nout, nwant + 5);
	ck_assert_mem_eq(out, "H: h\n", 5);
	ck_assert_mem_eq(out + 5, want, nwant);
	ck_assert_int_eq(wire, (off_t)(nwant + newlines(want, nwant)));
	free(out);
	for (i = 0; i < nitems(cuts); i++) {
		ck_assert_int_eq(lseek(c.fd, (off_t)cuts[i], SEEK_SET),
		    (off_t)cuts[i]);
		c.len = CONTENT_STREAM;
		c.max = (off_t)n;
		c.begin = (struct str){ in, cuts[i] };
		out = copied(&c, STR(""), &nout, &wire);
		ck_assert_uint_eq(nout, nwant);
		ck_assert_mem_eq(out, want, nwant);
		ck_assert_int_eq(wire, (off_t)(nwant + newlines(want, nwant)));
		free(out);
	}
	close(c.fd);
}

START_TEST(copy_small)
{
	compare(copies[_i].in, strlen(copies[_i].in), copies[_i].out,
	    strlen(copies[_i].out));
}
END_TEST

/* CRLF at every place around the size of a step. */
START_TEST(copy_steps)
{
	size_t	n = 65536 * 2 + 3, cr = 65536 - 4 + (size_t)_i;
	char	*in = malloc(n), *want = malloc(n + 1);

	memset(in, 'x', n);
	in[100] = '\0';
	memcpy(in + cr, "\r\n", 2);
	memcpy(want, in, cr);
	memcpy(want + cr, in + cr + 1, n - cr - 1);
	want[n - 1] = '\n';
	compare(in, n, want, n);
	free(in);
	free(want);
}
END_TEST

START_TEST(copy_fails)
{
	struct content	c = { .len = 10 };
	int		out = memfd_create("out", MFD_CLOEXEC);
	off_t		wire;

	c.fd = file_with("short", 5);
	ck_assert_int_eq(content_copy(&c, STR(""), out, &wire), -1);
	ck_assert_int_eq(errno, EIO);
	c = (struct content){ .fd = c.fd, .len = CONTENT_STREAM, .max = 4 };
	ck_assert_int_eq(lseek(c.fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(content_copy(&c, STR(""), out, &wire), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	/* EINVAL would be the message's fault for good */
	close(c.fd);
	c.fd = -1;
	ck_assert_int_eq(content_copy(&c, STR(""), out, &wire), -1);
	ck_assert_int_eq(errno, EBADF);
	close(out);
}
END_TEST

#define DATE	" Tue Nov 24 06:55:03 2026"

static const struct {
	const char	*in, *begin, *sender;	/* sender NULL: not said */
	bool		 bare;
} looks[] = {
	{ "A: b\n\nc", "A: b\n\nc", NULL, false },
	{ "", "", NULL, false },
	{ "\nx", "\nx", NULL, false },
	{ "\r\nx", "\r\nx", NULL, false },
	{ "hello", "hello", NULL, true },
	{ " x\n", " x\n", NULL, true },
	{ "From a@b" DATE "\nA: b\n", "A: b\n", "a@b", false },
	{ "From a@b" DATE "\r\nA: b\n", "A: b\n", "a@b", false },
	{ "From a!b" DATE " remote from c\nx", "x", "a!b", true },
	{ "From " DATE "\nA: b\n", "A: b\n", NULL, false },
	{ "From mailer-daemon" DATE "\nA: b\n", "A: b\n", "", false },
	{ "From a@b" DATE, "From a@b" DATE, NULL, true },
	{ "From now on\n", "From now on\n", NULL, true },
	{ "From" DATE "\n", "", NULL, false },
	{ ">From a" DATE "\n", ">From a" DATE "\n", NULL, true },
	{ "Return-Path: <a@b>\n", "Return-Path: <a@b>\n", "a@b", false },
	{ "return-path:<>\r\nA: b\n", "return-path:<>\r\nA: b\n", "", false },
	{ "Return-Path:\nA: b\n", "Return-Path:\nA: b\n", NULL, false },
	{ "Return-Path: a\n b\n", "Return-Path: a\n b\n", NULL, false },
	{ "A: b\nReturn-Path: <a@b>\n", "A: b\nReturn-Path: <a@b>\n", NULL,
	    false },
	{ "From x@y" DATE "\nReturn-Path: <a@b>\n", "Return-Path: <a@b>\n",
	    "x@y", false },
};

START_TEST(look)
{
	struct input	in = { .has_sender = false };

	input_look(&in, str_from(looks[_i].in));
	ck_assert(str_eq(in.content.begin, str_from(looks[_i].begin)));
	ck_assert_int_eq(in.content.bare, looks[_i].bare);
	ck_assert_int_eq(in.has_sender, looks[_i].sender != NULL);
	if (in.has_sender)
		ck_assert(str_eq(in.sender, str_from(looks[_i].sender)));
}
END_TEST

START_TEST(separators)
{
	struct str	sender;

	ck_assert(mboxrd_separator(STR("From a" DATE), &sender));
	ck_assert(str_eq(sender, STR("a")));
	ck_assert(mboxrd_separator(STR("From \"a b\"@c" DATE), &sender));
	ck_assert(str_eq(sender, STR("\"a b\"@c")));
	ck_assert(!mboxrd_separator(STR("From a Tue 24 Nov"), &sender));
	ck_assert(!mboxrd_separator(STR("From Tue Nov"), &sender));
	ck_assert(!mboxrd_separator(STR("From aTue Nov 24"), &sender));
	ck_assert(!mboxrd_separator(STR("From"), &sender));
	ck_assert(!mboxrd_separator(STR(""), &sender));
}
END_TEST

/* The way to a home, for which groups may or may not matter. */
START_TEST(reaches)
{
	char		top[] = "/tmp/posthouse-owner.XXXXXX";
	struct user	u = { .uid = geteuid() };
	char		path[sizeof(u.home) + 16];

	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chmod(top, 0755), 0);
	snprintf(u.home, sizeof(u.home), "%s/home", top);
	snprintf(path, sizeof(path), "%s/Maildir", u.home);
	ck_assert(!owner_reaches(&u, path));	/* not there */
	ck_assert_int_eq(mkdir(u.home, 0700), 0);
	ck_assert(owner_reaches(&u, path));
	ck_assert(!owner_reaches(&u, "/var/mail/x"));
	ck_assert(!owner_reaches(&u, u.home));
	snprintf(path, sizeof(path), "%s2/Maildir", u.home);
	ck_assert(!owner_reaches(&u, path));
	snprintf(path, sizeof(path), "%s/Maildir", u.home);
	ck_assert_int_eq(chmod(top, 0750), 0);
	ck_assert(!owner_reaches(&u, path));
	ck_assert_int_eq(chmod(top, 0755), 0);
	u.uid++;
	ck_assert(!owner_reaches(&u, path));
	u.home[0] = '\0';
	ck_assert(!owner_reaches(&u, "/x"));
	strlcpy(u.home, "/", sizeof(u.home));
	ck_assert(!owner_reaches(&u, "/x"));
	snprintf(path, sizeof(path), "%s/home", top);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("deliver_content");
	TCase	*t = tcase_create("deliver_content");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, header, 0, nitems(facts));
	tcase_add_loop_test(t, copy_small, 0, nitems(copies));
	tcase_add_loop_test(t, copy_steps, 0, 8);
	tcase_add_test(t, copy_fails);
	tcase_add_loop_test(t, look, 0, nitems(looks));
	tcase_add_test(t, separators);
	tcase_add_test(t, reaches);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

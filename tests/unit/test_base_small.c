/* tests/unit/test_base_small.c - arena, fault, now, and the quoting of mbox lines. */
#include <check.h>
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/large.h"
#include "common/base/now.h"
#include "common/fmt/mboxrd.h"

START_TEST(arena_blocks)
{
	static const size_t	sizes[] = { 1, 15, 16, 17, 2000, 2048, 2049,
				    100000, 0, 1 };
	struct arena		a;
	unsigned char		*got[nitems(sizes)];
	size_t			i, j;

	arena_init(&a, 1 << 20);
	ck_assert_ptr_null(a.blocks);
	for (i = 0; i < nitems(sizes); i++) {
		ck_assert_ptr_nonnull(got[i] = arena_get(&a, sizes[i]));
		ck_assert_uint_eq((uintptr_t)got[i] % alignof(max_align_t), 0);
		for (j = 0; j < sizes[i]; j++)
			ck_assert_int_eq(got[i][j], 0);
		memset(got[i], (int)i + 1, sizes[i]);
	}
	for (i = 0; i < nitems(sizes); i++)	/* none lies in another */
		for (j = 0; j < sizes[i]; j++)
			ck_assert_int_eq(got[i][j], (int)i + 1);
	arena_free(&a);
	ck_assert_ptr_null(a.blocks);
	ck_assert_uint_eq(a.used, 0);
	/* memory that was used before is zeroed, too */
	ck_assert_ptr_nonnull(got[0] = arena_get(&a, 2048));
	for (j = 0; j < 2048; j++)
		ck_assert_int_eq(got[0][j], 0);
	arena_free(&a);
	arena_free(&a);
}
END_TEST

static const struct { size_t max, n; bool ok; } limits[] = {
	{ 0, 0, true }, { 0, 1, false }, { 16, 16, true }, { 16, 17, false },
	{ 20, 17, false },	/* rounded up it does not fit */
	{ 32, 17, true }, { 100, SIZE_MAX, false }, { 100, SIZE_MAX - 7, false },
	{ SIZE_MAX, SIZE_MAX, false }, { SIZE_MAX, SIZE_MAX - 20, false },
	{ SIZE_MAX, SIZE_MAX - 40, false },
};

START_TEST(arena_limit)
{
	struct arena	a;

	arena_init(&a, limits[_i].max);
	errno = 0;
	ck_assert_int_eq(arena_get(&a, limits[_i].n) != NULL, limits[_i].ok);
	ck_assert(limits[_i].ok || errno == EMSGSIZE || errno == ENOMEM);
	arena_free(&a);
}
END_TEST

START_TEST(arena_sum)
{
	struct arena	a;
	int		i;

	arena_init(&a, 1600);
	for (i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(arena_get(&a, 1));
	ck_assert_ptr_null(arena_get(&a, 1));
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_ptr_nonnull(arena_get(&a, 0));
	arena_free(&a);
	ck_assert_ptr_nonnull(arena_get(&a, 1600));
	arena_free(&a);
}
END_TEST

START_TEST(arena_copies)
{
	struct arena	a;
	struct str	s = { "x", 1 }, big = { "", SIZE_MAX };
	char		from[] = "a\0b";

	arena_init(&a, 64);
	ck_assert_int_eq(arena_dup(&a, (struct str){ from, 3 }, &s), 0);
	from[0] = 'z';
	ck_assert_uint_eq(s.n, 3);
	ck_assert_mem_eq(s.p, "a\0b", 4);	/* and a NUL */
	ck_assert_int_eq(arena_dup(&a, (struct str){ NULL, 0 }, &s), 0);
	ck_assert_uint_eq(s.n, 0);
	ck_assert_int_eq(s.p[0], '\0');
	ck_assert_int_eq(arena_dup(&a, big, &s), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	big.n = 64;
	ck_assert_int_eq(arena_dup(&a, big, &s), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	big = (struct str){ "0123456789012345678901234567890", 31 };
	ck_assert_int_eq(arena_dup(&a, big, &s), 0);
	ck_assert_int_eq(arena_dup(&a, big, &s), -1);	/* nothing is left */
	ck_assert_int_eq(errno, EMSGSIZE);
	arena_free(&a);
}
END_TEST

static const struct {
	int		err;
	bool		temp;
	int		exit;
	const char	*status;
} errnos[] = {
	{ ENOSPC,	true,	EX_TEMPFAIL,	"4.3.1" },
	{ EDQUOT,	true,	EX_TEMPFAIL,	"4.2.2" },
	{ EROFS,	true,	EX_TEMPFAIL,	"4.3.1" },
	{ EIO,		true,	EX_TEMPFAIL,	"4.3.0" },
	{ ENOMEM,	true,	EX_TEMPFAIL,	"4.3.0" },
	{ EACCES,	true,	EX_TEMPFAIL,	"4.2.0" },
	{ EPERM,	true,	EX_TEMPFAIL,	"4.2.0" },
	{ ETIMEDOUT,	true,	EX_TEMPFAIL,	"4.4.1" },
	{ ENOENT,	true,	EX_TEMPFAIL,	"4.3.0" },
	{ EAGAIN,	true,	EX_TEMPFAIL,	"4.3.0" },
	{ 0,		true,	EX_TEMPFAIL,	"4.3.0" },
	{ 99999,	true,	EX_TEMPFAIL,	"4.3.0" },
	{ EINVAL,	false,	EX_DATAERR,	"5.6.0" },
	{ EBADMSG,	false,	EX_DATAERR,	"5.6.0" },
	{ EILSEQ,	false,	EX_DATAERR,	"5.6.0" },
	{ EMSGSIZE,	false,	EX_DATAERR,	"5.3.4" },
	{ EFBIG,	false,	EX_CANTCREAT,	"5.3.4" },
	{ ELOOP,	false,	EX_CANTCREAT,	"5.4.6" },
	{ ENAMETOOLONG,	false,	EX_CANTCREAT,	"5.1.3" },
};

START_TEST(fault_errno)
{
	ck_assert_int_eq(errno_is_temp(errnos[_i].err), errnos[_i].temp);
	ck_assert_int_eq(errno_sysexit(errnos[_i].err), errnos[_i].exit);
	ck_assert_str_eq(errno_status(errnos[_i].err), errnos[_i].status);
}
END_TEST

START_TEST(fault_agrees)	/* the ways to ask for every errno and status */
{
	int	i;

	for (i = 0; i < 200; i++) {
		ck_assert_int_eq(errno_is_temp(i), errno_status(i)[0] == '4');
		ck_assert_int_eq(errno_is_temp(i),
		    errno_sysexit(i) == EX_TEMPFAIL);
		ck_assert_int_eq(errno_is_temp(i),
		    exit_is_temp(errno_sysexit(i)));
	}
	for (i = -1; i < 300; i++)
		ck_assert_int_eq(exit_is_temp(i), exit_status(i)[0] == '4');
	ck_assert_str_eq(exit_status(0), "2.0.0");
	ck_assert_str_eq(exit_status(EX_NOUSER), "5.1.1");
	ck_assert_str_eq(exit_status(EX_NOPERM), "5.7.0");
	/* what is not listed is tried again: 1, 71, 74, 75, 127, signals */
	ck_assert(exit_is_temp(1) && exit_is_temp(EX_OSERR) &&
	    exit_is_temp(EX_IOERR) && exit_is_temp(EX_TEMPFAIL) &&
	    exit_is_temp(127) && exit_is_temp(128 + 9) && exit_is_temp(255));
	ck_assert(!exit_is_temp(0) && !exit_is_temp(EX_UNAVAILABLE) &&
	    !exit_is_temp(EX_CANTCREAT) && !exit_is_temp(EX_CONFIG));
}
END_TEST

/* Is memory there of which the kernel was told? -1: it has no large pages. */
static int
is_hinted(const void *p)
{
	FILE			*f = fopen("/proc/self/smaps", "r");
	char			 line[512];
	unsigned long long	 from = 0, to = 0, a, b;
	int			 r = -1;

	if (access("/sys/kernel/mm/transparent_hugepage", F_OK) == -1 ||
	    f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%llx-%llx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (strncmp(line, "VmFlags:", 8) == 0 &&
		    (uintptr_t)p >= from && (uintptr_t)p < to)
			r = strstr(line, " hg") != NULL;
	}
	(void)fclose(f);
	return r;
}

static const struct {
	size_t	size;
	bool	hinted;
} large[] = {
	{ 0, false },
	{ 100, false },
	{ (4u << 20) - 1, false },
	{ 4u << 20, true },
	{ 9u << 20, true },
};

/* All of it can be used as before, and become larger. */
START_TEST(large_memory)
{
	const size_t	n = large[_i].size;
	char		*p = malloc(n + 1), *more;
	size_t		 i;

	ck_assert_ptr_nonnull(p);
	memset(p, 'x', n + 1);
	errno = EDOM;
	large_hint(p, n);
	ck_assert_int_eq(errno, EDOM);
	if (is_hinted(p + n / 2) != -1)
		ck_assert_int_eq(is_hinted(p + n / 2), large[_i].hinted);
	ck_assert_ptr_nonnull(more = realloc(p, 5 * n + 1));
	for (i = 0; i <= n && more[i] == 'x'; i++)
		continue;
	ck_assert_uint_eq(i, n + 1);
	free(more);
}
END_TEST

START_TEST(clocks)
{
	int64_t		first = now_ms(), real = now_real_ms(), t;
	struct timespec	ts = now_real(), pause = { 0, 20000000 };
	int		i;

	ck_assert_int_gt(real, INT64_C(1700000000000));	/* ms, not s */
	ck_assert_int_lt(real, INT64_C(100000000000000));
	ck_assert_int_le(llabs((long long)ts.tv_sec * 1000 - real), 60000);
	ck_assert_int_eq(nanosleep(&pause, NULL), 0);
	ck_assert_int_ge(t = now_ms(), first + 19);
	for (i = 0; i < 1000; i++, t = first) {
		first = now_ms();
		ck_assert_int_ge(first, t);
	}
}
END_TEST

static const struct { struct str line; bool yes; } lines[] = {
	{ STR("From "), true }, { STR("From x"), true },
	{ STR(">From "), true }, { STR(">>>>From \xff"), true },
	{ STR("From"), false }, { STR(""), false }, { STR(">"), false },
	{ STR(">>>>"), false }, { STR(">Fro"), false }, { STR("from "), false },
	{ STR("FROM "), false }, { STR(" From "), false },
	{ STR("> From "), false }, { STR("From\t"), false },
	{ STR("From\0 "), false }, { STR("xFrom "), false },
};

START_TEST(mboxrd)
{
	ck_assert_int_eq(mboxrd_is_from(lines[_i].line), lines[_i].yes);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("base_small");
	TCase	*tc = tcase_create("base_small");
	SRunner	*sr;
	int	 failed;

	tcase_add_test(tc, arena_blocks);
	tcase_add_loop_test(tc, arena_limit, 0, nitems(limits));
	tcase_add_test(tc, arena_sum);
	tcase_add_test(tc, arena_copies);
	tcase_add_loop_test(tc, fault_errno, 0, nitems(errnos));
	tcase_add_test(tc, fault_agrees);
	tcase_add_loop_test(tc, large_memory, 0, (int)nitems(large));
	tcase_add_test(tc, clocks);
	tcase_add_loop_test(tc, mboxrd, 0, nitems(lines));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * tests/unit/test_sums.c - SHA-256, and the two body digests of a message.
 * The digests of the tables were made with another program, from RFC 6376's
 * words.
 */
#include "common/store/sums.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#define HEADER	"Subject: x\r\n y\r\n\r\n"
#define EMPTY	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	struct str	in;
	const char	*hex;
} texts[] = {	/* FIPS 180-4's examples */
	{ STR(""), EMPTY },
	{ STR("abc"),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ STR("\0"),
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
};

START_TEST(sha256)
{
	struct digest	*d = digest_new(), *copy;
	char		 hex[DIGEST_HEX + 1];
	size_t		 i;

	ck_assert_ptr_nonnull(d);
	for (i = 0; i < texts[_i].in.n; i++)
		digest_add(d, texts[_i].in.p + i, 1);
	ck_assert_ptr_nonnull(copy = digest_copy(d));
	digest_add(d, "more", 4);
	ck_assert_int_eq(digest_hex(d, hex), 0);
	ck_assert_str_ne(hex, texts[_i].hex);
	ck_assert_int_eq(digest_hex(copy, hex), 0);
	ck_assert_str_eq(hex, texts[_i].hex);
	/* both begin anew */
	ck_assert_int_eq(digest_hex(copy, hex), 0);
	ck_assert_str_eq(hex, EMPTY);
	ck_assert_int_eq(digest_hex(d, hex), 0);
	ck_assert_str_eq(hex, EMPTY);
	digest_free(&d);
	ck_assert_ptr_null(d);
	digest_free(&d);
	digest_free(&copy);
}
END_TEST

static const struct {
	struct str	body;
	const char	*simple, *relaxed;
} bodies[] = {
	{ STR(""),
	    "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ STR("\r\n"),
	    "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ STR("\r\n\r\n"),
	    "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ STR("hi\r\n"),
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535",
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535" },
	{ STR("hi"),
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535",
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535" },
	{ STR("hi\r\n\r\n\r\n"),
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535",
	    "44723dd4d0e0d46a3c7fa8aca254b61c27b6b5789f96177e82c80700409f1535" },
	{ STR(" C \r\nD \t E\r\n\r\n\r\n"),
	    "34e7a2bdb4250c7f5398d289530ec3e77c197ec93c60c67f853b955704e08bcb",
	    "ba76a4e891ead302fe4351cfedd5b5b63071f452c0e837dfa19d2aacbc1b6e9a" },
	{ STR(" \r\n"),
	    "6bdf66b5bf2a44e658bea2ee86695ab150a06e600bf67cd5cce245ad54962c61",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ STR("\t"),
	    "70c420db043292e8c3d67c848560e3a5d8c5e7fd76c84baa7eeeae3931c9c8e4",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ STR("a b c\r\n"),
	    "a5855e3e166375e8d48e34b0c52bd256dd67a86f30adbab709dbc1698ce1157c",
	    "a5855e3e166375e8d48e34b0c52bd256dd67a86f30adbab709dbc1698ce1157c" },
	{ STR("a  b\r\n"),
	    "35e6325be2a5469e02241ae1cb17080288de3f8d2ed97866eac1fdcd3c18485e",
	    "4ae1198f28938d4a755c7a46a662f0f5729aca3cb714cae4e37d60b84c4ee9cc" },
	{ STR("a\tb\r\n"),
	    "5de247b2161b94cd384a0011bf87e8a98fd2825df1a5031db1bc9ed2388e7a82",
	    "4ae1198f28938d4a755c7a46a662f0f5729aca3cb714cae4e37d60b84c4ee9cc" },
	{ STR("a \r\n\r\nb\r\n"),
	    "7e226eb1b00785e5c5fa20c5d1c946296bde7937e52d1b363415cba655417485",
	    "cc221980ce7d0388d921c5eb188ce1a680f65a14afd012e262790ac4509e827f" },
	{ STR("\r\n\r\na"),
	    "9ff1ce596bab5a1bae4f872be19748659c4fcf6b232e0efaddd7f48d1c91d404",
	    "9ff1ce596bab5a1bae4f872be19748659c4fcf6b232e0efaddd7f48d1c91d404" },
	{ STR("a\rb\r\n"),
	    "2f2291ad568eae2eb34fc7c93725966d7d1d26fbcd4150a5cb968262b60d6ac1",
	    "2f2291ad568eae2eb34fc7c93725966d7d1d26fbcd4150a5cb968262b60d6ac1" },
	{ STR("a\r"),
	    "9b03de62b82ec74f8a4266c87c17fd01910ad11179392bdf2d2bd9806771ef78",
	    "9b03de62b82ec74f8a4266c87c17fd01910ad11179392bdf2d2bd9806771ef78" },
	{ STR("\r\r\n"),
	    "f08153d16a9490d994a25d5a341ff8acfc405deddabd0d2134ef9af9d46acd54",
	    "f08153d16a9490d994a25d5a341ff8acfc405deddabd0d2134ef9af9d46acd54" },
	{ STR("a\nb\r\n"),
	    "09908e5976ef56a1d49699e026f6925c1435ea0a07e73002d0f1e5abe78e8634",
	    "09908e5976ef56a1d49699e026f6925c1435ea0a07e73002d0f1e5abe78e8634" },
	{ STR("a \rb\r\n"),
	    "27cf929793a65beb30a34266a735eabb2516c2f6e84aac97b6de8b897f3db12b",
	    "27cf929793a65beb30a34266a735eabb2516c2f6e84aac97b6de8b897f3db12b" },
};

static void
check_sums(struct str head, struct str body, size_t step, const char *simple,
    const char *relaxed)
{
	char		 s[DIGEST_HEX + 1], r[DIGEST_HEX + 1];
	struct sums	*sums = sums_new();
	struct str	 parts[2] = { head, body };
	size_t		 i, at, n;

	ck_assert_ptr_nonnull(sums);
	for (i = 0; i < 2; i++)
		for (at = 0; at < parts[i].n; at += n) {
			n = parts[i].n - at < step ? parts[i].n - at : step;
			sums_add(sums, parts[i].p + at, n);
		}
	sums_add(sums, "", 0);
	ck_assert_int_eq(sums_end(sums, s, r), 0);
	ck_assert_str_eq(s, simple);
	ck_assert_str_eq(r, relaxed);
	sums_free(&sums);
	ck_assert_ptr_null(sums);
	sums_free(&sums);
}

START_TEST(canonical)
{
	size_t	step;

	for (step = 1; step < 12; step++)
		check_sums(STR(HEADER), bodies[_i].body, step,
		    bodies[_i].simple, bodies[_i].relaxed);
	check_sums(STR(HEADER), bodies[_i].body, 4096, bodies[_i].simple,
	    bodies[_i].relaxed);
}
END_TEST

/* Where the body begins. */
static const struct str	heads[] = {
	STR("\r\n"), STR("a: b\r\n\r\n"), STR("a: b\r\n c\r\n\r\n"),
	STR("a: \r\rb\r\n\r\n"), STR("\ra\r\n\r\n"), STR("a: b\n\r\n"),
	STR("no field\r\n\r\n"), STR("\r\r\n")
};

START_TEST(heads_end)
{
	size_t	step;

	for (step = 1; step < 6; step++)
		check_sums(heads[_i], bodies[6].body, step, bodies[6].simple,
		    bodies[6].relaxed);
}
END_TEST

START_TEST(without_body)	/* a header that never ends */
{
	check_sums(STR(""), STR(""), 1, bodies[0].simple, bodies[0].relaxed);
	check_sums(STR("a: b\r\nc: d\r\n"), STR(""), 1, bodies[0].simple,
	    bodies[0].relaxed);
}
END_TEST

/* Larger than what is gathered; and the forms part late. */
START_TEST(large)
{
	static const char *const gaps[] = { " y\r\n", "  y\r\n" };
	static const char *const want[][2] = {
		{ "c6cd88aef9c66da4595747660f3ad08ac2fe69b543aa9d49afadefff6594caec",
		    "c6cd88aef9c66da4595747660f3ad08ac2fe69b543aa9d49afadefff6594caec" },
		{ "8e00302374d4899d4b6227a1a8c42984a60d3221be5a1652a26e200c190f31d5",
		    "c6cd88aef9c66da4595747660f3ad08ac2fe69b543aa9d49afadefff6594caec" },
	};
	size_t		i, n = 9999 + strlen(gaps[_i]);
	static const size_t steps[] = { 1, 777, 4096, 5000, 1000000 };
	char		*text = malloc(n * 20);

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < 20; i++) {
		memset(text + i * n, 'x', 9999);
		memcpy(text + i * n + 9999, gaps[_i], n - 9999);
	}
	for (i = 0; i < 5; i++)
		check_sums(STR("\r\n"), (struct str){ text, n * 20 }, steps[i],
		    want[_i][0], want[_i][1]);
	free(text);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("sums");
	TCase	*tc = tcase_create("sums");
	SRunner	*sr;
	int	 failed;

	tcase_add_loop_test(tc, sha256, 0, nitems(texts));
	tcase_add_loop_test(tc, canonical, 0, nitems(bodies));
	tcase_add_loop_test(tc, heads_end, 0, nitems(heads));
	tcase_add_test(tc, without_body);
	tcase_add_loop_test(tc, large, 0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

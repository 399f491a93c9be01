/* tests/unit/test_scram.c - the exchanges of RFC 5802 section 5 and RFC 7677 section 3; and base64. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/base64.h"
#include "common/store/digest.h"

static const struct { const struct scram_hash *h; const char *nonce, *first,
    *answer, *final; } rfcs[] = {
	{ &digest_scram_sha1, "fyko+d2lbbFgONRv9qkxdawL",
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
	    "i=4096",
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ &digest_scram_sha256, "rOprNGfwEbeRWgbNEkqO",
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

START_TEST(vectors)
{
	struct scram	s;
	struct buf	out;

	buf_init(&out, 4096);
	ck_assert_int_eq(scram_begin(&s, rfcs[_i].h, STR("user"),
	    str_from(rfcs[_i].nonce), &out), 0);
	ck_assert(str_starts_nocase(buf_view(&out), STR("n,,n=user,r=")));
	ck_assert(!scram_proven(&s, str_from(rfcs[_i].final)));
	buf_reset(&out);
	ck_assert_int_eq(scram_answer(&s, str_from(rfcs[_i].first),
	    STR("pencil"), &out), 0);
	ck_assert(str_eq(buf_view(&out), str_from(rfcs[_i].answer)));
	ck_assert(scram_proven(&s, str_from(rfcs[_i].final)));
	ck_assert(!scram_proven(&s, STR("v=AAAA")));
	ck_assert(!scram_proven(&s, STR("e=other-error")));
	ck_assert(!scram_proven(&s, STR("")));
	scram_free(&s);
	buf_free(&out);
}
END_TEST

/* Our nonce is "abc". */
static const char *const nonsense[] = {
	"", "r", "r=abc", "r=abc,s=AAAA,i=4096" /* nothing of the server's */,
	"r=xabcd,s=AAAA,i=4096", "r=abcd,s=AAAA,i=4095", "r=abcd,s=AAAA,i=1000001",
	"r=abcd,s=AAAA,i=-1", "r=abcd,s=AAAA,i=", "r=abcd,s=A,i=4096",
	"r=abcd,s=,i=4096", "m=x,r=abcd,s=AAAA,i=4096", "e=no-resources",
	"s=AAAA,r=abcd,i=4096",
};

START_TEST(refuses)
{
	struct scram	s;
	struct buf	out;

	buf_init(&out, 4096);
	ck_assert_int_eq(scram_begin(&s, &digest_scram_sha1, STR("u,s=r"),
	    STR("abc"), &out), 0);
	ck_assert(str_eq(buf_view(&out), STR("n,,n=u=2Cs=3Dr,r=abc")));
	buf_reset(&out);
	ck_assert_int_eq(scram_answer(&s, str_from(nonsense[_i]), STR("x"),
	    &out), -1);
	ck_assert_uint_eq(out.n, 0);
	scram_free(&s);
	buf_free(&out);
}
END_TEST

/* RFC 4648 section 10 */
static const struct { const char *plain, *coded; } pairs[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xff\xfe\xfd>?", "//79Pj8=" },
};

START_TEST(codes)
{
	struct buf	b;

	buf_init(&b, 4096);
	ck_assert_int_eq(base64_encode(&b, str_from(pairs[_i].plain)), 0);
	ck_assert(str_eq(buf_view(&b), str_from(pairs[_i].coded)));
	buf_reset(&b);
	ck_assert_int_eq(base64_decode(&b, str_from(pairs[_i].coded)), 0);
	ck_assert(str_eq(buf_view(&b), str_from(pairs[_i].plain)));
	buf_free(&b);
}
END_TEST

static const char *const bad[] = {
	"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==",
	"Zm9v\n", "Zm-v", "Zm 9", "=m9v",
};

START_TEST(strict)
{
	struct buf	b;

	buf_init(&b, 4096);
	ck_assert_int_eq(base64_decode(&b, str_from(bad[_i])), -1);
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("scram");
	TCase	*t = tcase_create("scram");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, vectors, 0, nitems(rfcs));
	tcase_add_loop_test(t, refuses, 0, nitems(nonsense));
	tcase_add_loop_test(t, codes, 0, nitems(pairs));
	tcase_add_loop_test(t, strict, 0, nitems(bad));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

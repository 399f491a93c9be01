/*
 * tests/unit/test_scram_server.c - the server's side of the exchanges of RFC 5802 section 5 and RFC 7677 section 3,
 * channel binding, and every wrong message.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/base64.h"
#include "common/fmt/scram_server.h"
#include "common/store/digest.h"

static const struct scram_channel	none;

static const struct { const struct scram_hash *h; const char *first, *nonce,
    *salt, *reply, *last, *end; } rfcs[] = {
	{ &digest_scram_sha1, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
	    "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,"
	    "i=4096",
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=" },
	{ &digest_scram_sha256, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" },
};

static void
keys_for(const struct scram_hash *h, const char *salt, const char *password,
    struct scram_keys *k)
{
	struct buf	b;

	memset(k, 0, sizeof(*k));
	k->iterations = 4096;
	buf_init(&b, sizeof(k->salt));
	ck_assert_int_eq(base64_decode(&b, str_from(salt)), 0);
	memcpy(k->salt, b.p, b.n);
	k->salt_n = b.n;
	buf_free(&b);
	ck_assert_int_eq(scram_keys_derive(h, str_from(password), k), 0);
}

START_TEST(vectors)	/* the second half: with another password */
{
	size_t			i = (size_t)_i % nitems(rfcs);
	bool			right = (size_t)_i < nitems(rfcs);
	struct scram_server	s;
	struct scram_keys	k, again;
	struct buf		out;

	keys_for(rfcs[i].h, rfcs[i].salt, right ? "pencil" : "pencils", &k);
	buf_init(&out, 4096);
	ck_assert_int_eq(scram_server_begin(&s, rfcs[i].h, &none,
	    str_from(rfcs[i].first)), SCRAM_OK);
	ck_assert_str_eq(s.user, "user");
	ck_assert_str_eq(s.authzid, "");
	ck_assert_int_eq(scram_server_salt(&s, str_from(rfcs[i].nonce),
	    (struct str){ (char *)k.salt, k.salt_n }, k.iterations, &out), 0);
	ck_assert(str_eq(buf_view(&out), str_from(rfcs[i].reply)));
	buf_reset(&out);
	ck_assert_int_eq(scram_server_final(&s, str_from(rfcs[i].last)),
	    SCRAM_OK);
	ck_assert_int_eq(scram_server_prove(&s, &k, &out),
	    right ? SCRAM_OK : SCRAM_PROOF);
	ck_assert(str_eq(buf_view(&out), right ? str_from(rfcs[i].end) :
	    STR("")));
	scram_server_free(&s);
	/* as they are written */
	buf_reset(&out);
	ck_assert_int_eq(scram_keys_text(rfcs[i].h, &k, &out), 0);
	memset(&again, 0, sizeof(again));
	ck_assert(scram_keys_parse(rfcs[i].h, buf_view(&out), &again));
	ck_assert_mem_eq(&k, &again, sizeof(k));
	buf_free(&out);
}
END_TEST

#define IN(s)	{ (s), sizeof(s) - 1 }
#define EXPORTER	"0123456789abcdef0123456789abcdef"
#define END_POINT	"fedcba"

static const struct {
	struct str		in;
	bool			plus, offered;
	enum scram_status	status;
	const char		*user, *authzid;
} firsts[] = {
	{ IN("n,,n=ann,r=abc"), false, false, SCRAM_OK, "ann", "" },
	{ IN("n,,n=ann,r=abc"), false, true, SCRAM_OK, "ann", "" },
	{ IN("y,,n=ann,r=abc"), false, false, SCRAM_OK, "ann", "" },
	{ IN("n,a=bob,n=ann,r=abc"), false, false, SCRAM_OK, "ann", "bob" },
	{ IN("n,,n=a=2Cb=3Dc,r=abc"), false, false, SCRAM_OK, "a,b=c", "" },
	{ IN("n,a==3D,n=a,r=abc"), false, false, SCRAM_OK, "a", "=" },
	{ IN("n,,n=ann,r=abc,x=ext"), false, false, SCRAM_OK, "ann", "" },
	{ IN("p=tls-exporter,,n=ann,r=abc"), true, true, SCRAM_OK, "ann", "" },
	{ IN("p=tls-server-end-point,,n=a,r=b"), true, true, SCRAM_OK, "a", "" },
	{ IN("y,,n=ann,r=abc"), false, true, SCRAM_DOWNGRADE, "", "" },
	{ IN("p=tls-unique,,n=ann,r=abc"), true, true, SCRAM_TYPE, "", "" },
	{ IN("p=tls-exporter,,n=ann,r=abc"), false, true, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=ann,r=abc"), true, true, SCRAM_SYNTAX, "", "" },
	{ IN("y,,n=ann,r=abc"), true, true, SCRAM_SYNTAX, "", "" },
	{ IN("p=,,n=ann,r=abc"), true, true, SCRAM_SYNTAX, "", "" },
	{ IN("p,,n=ann,r=abc"), true, true, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=ann,r="), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a=b,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a=2c,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a=2,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a\0b,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a,r=ab c"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a,r=ab\0c"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,n=a,r=abc,x=\0"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,m=x,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,,r=abc,n=a"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,a=,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,b=x,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("x,,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("nn,,n=a,r=abc"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n,"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN("n"), false, false, SCRAM_SYNTAX, "", "" },
	{ IN(""), false, false, SCRAM_SYNTAX, "", "" },
};

static void
channel_of(bool plus, bool offered, struct scram_channel *c)
{
	*c = (struct scram_channel){ plus, offered, STR(EXPORTER),
	    STR(END_POINT) };
}

START_TEST(first)
{
	struct scram_server	s;
	struct scram_channel	c;

	channel_of(firsts[_i].plus, firsts[_i].offered, &c);
	ck_assert_int_eq(scram_server_begin(&s, &digest_scram_sha1, &c,
	    firsts[_i].in), firsts[_i].status);
	if (firsts[_i].status == SCRAM_OK) {
		ck_assert_str_eq(s.user, firsts[_i].user);
		ck_assert_str_eq(s.authzid, firsts[_i].authzid);
	}
	scram_server_free(&s);
}
END_TEST

static char *
filled(const char *before, char c, size_t n, const char *after)
{
	char	*s = calloc(1, strlen(before) + n + strlen(after) + 1);

	ck_assert_ptr_nonnull(s);
	memcpy(s, before, strlen(before));
	memset(s + strlen(before), c, n);
	memcpy(s + strlen(before) + n, after, strlen(after));
	return s;
}

static void
huge(const char *before, size_t n, const char *after, enum scram_status st)
{
	struct scram_server	s;
	char			*text = filled(before, 'a', n, after);

	ck_assert_int_eq(scram_server_begin(&s, &digest_scram_sha1, &none,
	    str_from(text)), st);
	scram_server_free(&s);
	free(text);
}

START_TEST(lengths)
{
	huge("n,,n=", SCRAM_NAME_MAX, ",r=x", SCRAM_OK);
	huge("n,,n=", SCRAM_NAME_MAX + 1, ",r=x", SCRAM_SYNTAX);
	huge("n,a=", SCRAM_NAME_MAX, ",n=a,r=x", SCRAM_OK);
	huge("n,a=", SCRAM_NAME_MAX + 1, ",n=a,r=x", SCRAM_SYNTAX);
	huge("n,,n=a,r=", 512, "", SCRAM_OK);
	huge("n,,n=a,r=", 513, "", SCRAM_SYNTAX);
	huge("n,,n=a,r=x,e=", 12000, "", SCRAM_SYNTAX);
	huge("n,,n=a,r=x,e=", 100000, "", SCRAM_SYNTAX);
}
END_TEST

/* The client says "n,," or binds by tls-exporter; the nonce is "abcdef". */
#define PROOF	",p=AAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const struct { const char *in; bool plus; enum scram_status status; }
    lasts[] = {
	{ "c=biws,r=abcdef" PROOF, false, SCRAM_OK },
	{ "c=biws,r=abcdef,x=ext" PROOF, false, SCRAM_OK },
	{ "c=biws,r=abcdeg" PROOF, false, SCRAM_PROOF },
	{ "c=biws,r=abcdefg" PROOF, false, SCRAM_PROOF },
	{ "c=biws,r=abc" PROOF, false, SCRAM_PROOF },
	{ "c=eSws,r=abcdef" PROOF, false, SCRAM_BINDING },	/* "y,," */
	{ "c=biwsAAAA,r=abcdef" PROOF, false, SCRAM_BINDING },
	{ "c=biws,r=abcdef", false, SCRAM_SYNTAX },
	{ "c=biws,r=abcdef,p=", false, SCRAM_SYNTAX },
	{ "c=biws,r=abcdef,p=AAAA", false, SCRAM_SYNTAX },
	{ "c=biws,r=abcdef,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false,
	    SCRAM_SYNTAX },
	{ "c=biws,r=abcdef,p=AAAAAAAAAAAAAAAAAAAAAAAAAA!=", false,
	    SCRAM_SYNTAX },
	{ "c=biws,r=abcdef" PROOF ",x=y", false, SCRAM_SYNTAX },
	{ "c=b!ws,r=abcdef" PROOF, false, SCRAM_SYNTAX },
	{ "r=abcdef,c=biws" PROOF, false, SCRAM_SYNTAX },
	{ "c=biws" PROOF, false, SCRAM_SYNTAX },
	{ "p=AAAA", false, SCRAM_SYNTAX },
	{ ",", false, SCRAM_SYNTAX },
	{ "", false, SCRAM_SYNTAX },
	{ "c=cD10bHMtZXhwb3J0ZXIsLDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"
	    ",r=abcdef" PROOF, true, SCRAM_OK },
	{ "c=cD10bHMtZXhwb3J0ZXIsLDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVn"
	    ",r=abcdef" PROOF, true, SCRAM_BINDING },
	{ "c=cD10bHMtZXhwb3J0ZXIsLA==,r=abcdef" PROOF, true, SCRAM_BINDING },
	{ "c=biws,r=abcdef" PROOF, true, SCRAM_BINDING },
};

START_TEST(last)
{
	struct scram_server	s;
	struct scram_channel	c;
	struct buf		out;

	channel_of(lasts[_i].plus, true, &c);
	buf_init(&out, 4096);
	ck_assert_int_eq(scram_server_begin(&s, &digest_scram_sha1, &c,
	    lasts[_i].plus ? STR("p=tls-exporter,,n=ann,r=abc") :
	    STR("n,,n=ann,r=abc")), SCRAM_OK);
	ck_assert_int_eq(scram_server_salt(&s, STR("def"), STR("salt"), 4096,
	    &out), 0);
	ck_assert_int_eq(scram_server_final(&s, str_from(lasts[_i].in)),
	    lasts[_i].status);
	buf_free(&out);
	scram_server_free(&s);
}
END_TEST

#define K20	"AAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const char *const bad_keys[] = {
	"", "4096", "4096,AAAA", "4096,AAAA," K20, "4096,AAAA," K20 "," K20 ",x",
	"0,AAAA," K20 "," K20, "-1,AAAA," K20 "," K20,
	"1000001,AAAA," K20 "," K20, "4096,," K20 "," K20,
	"4096,AAA," K20 "," K20, "4096,AAAA,AAAA," K20, "4096,AAAA," K20 ",AAAA",
	"4096,AAAA," K20 "," K20 " ",
};

START_TEST(keys)
{
	struct scram_keys	k;

	ck_assert(scram_keys_parse(&digest_scram_sha1,
	    STR("1,AAAA," K20 "," K20), &k));
	ck_assert(!scram_keys_parse(&digest_scram_sha256,
	    STR("4096,AAAA," K20 "," K20), &k));
	ck_assert_msg(!scram_keys_parse(&digest_scram_sha1,
	    str_from(bad_keys[_i]), &k), "%s", bad_keys[_i]);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("scram_server");
	TCase	*t = tcase_create("scram_server");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, vectors, 0, 2 * nitems(rfcs));
	tcase_add_loop_test(t, first, 0, nitems(firsts));
	tcase_add_test(t, lengths);
	tcase_add_loop_test(t, last, 0, nitems(lasts));
	tcase_add_loop_test(t, keys, 0, nitems(bad_keys));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* tests/unit/test_jwks.c - files of keys, and signatures of the standards' examples. */
#include <check.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwks.h"
#include "common/base/attr.h"
#include "tests/unit/jwt_maker.h"

#define IN(s)	{ (s), sizeof(s) - 1 }
#define CLAIMS	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
/* RFC 7515 A.2 */
#define A2_KEY	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoT" \
	"bji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN" \
	"MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexM" \
	"dbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4" \
	"LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb5" \
	"4h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define A2_SIGNED "eyJhbGciOiJSUzI1NiJ9." CLAIMS
#define A2_SIG	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuH" \
	"Im4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--" \
	"f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOL" \
	"n6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI" \
	"8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
/* RFC 7515 A.3 */
#define A3_KEY	"{\"kty\":\"EC\",\"crv\":\"P-256\"," \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define A3_SIGNED "eyJhbGciOiJFUzI1NiJ9." CLAIMS
#define A3_SIG	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ" \
	"xfKTUJqPP3-Kg6NU1Q"
/* RFC 8037 A.4 */
#define ED_KEY	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define ED_SIGNED "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define ED_SIG	"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsP" \
	"t9g7sVvpAr_MuM0KAg"

static const struct {
	enum jwt_alg	alg;
	struct str	key, text, sig;
} vectors[] = {
	{ JWT_RS256, IN(A2_KEY), IN(A2_SIGNED), IN(A2_SIG) },
	{ JWT_ES256, IN(A3_KEY), IN(A3_SIGNED), IN(A3_SIG) },
	{ JWT_EDDSA, IN(ED_KEY), IN(ED_SIGNED), IN(ED_SIG) },
};

START_TEST(standard_examples)
{
	struct jwks	*s;
	struct diag	 why;
	struct buf	 sig;
	enum jwt_alg	 a;

	ck_assert_int_eq(jwks_parse(vectors[_i].key, &s, &why), 0);
	buf_init(&sig, 1024);
	ck_assert_int_eq(base64url_decode(&sig, vectors[_i].sig), 0);
	for (a = 0; a < JWT_ALGS; a++) {
		ck_assert_int_eq(jwks_verify(s, a, "", vectors[_i].text,
		    buf_view(&sig)), a == vectors[_i].alg);
		ck_assert_int_eq(jwks_verify(s, a, "named", vectors[_i].text,
		    buf_view(&sig)), a == vectors[_i].alg);
	}
	sig.p[sig.n - 1] ^= 1;
	ck_assert(!jwks_verify(s, vectors[_i].alg, "", vectors[_i].text,
	    buf_view(&sig)));
	sig.p[sig.n - 1] ^= 1;
	ck_assert(!jwks_verify(s, vectors[_i].alg, "", vectors[_i].text,
	    (struct str){ sig.p, sig.n - 1 }));
	ck_assert(!jwks_verify(s, vectors[_i].alg, "",
	    (struct str){ vectors[_i].text.p, vectors[_i].text.n - 1 },
	    buf_view(&sig)));
	buf_free(&sig);
	jwks_free(&s);
}
END_TEST

#define X256	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y256	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define SET(k)	"{\"keys\":[" k "]}"

static const struct { struct str text; int keys; } files[] = {
	{ IN(A2_KEY), 1 },
	{ IN(" \r\n\t" A2_KEY "\n"), 1 },
	{ IN(SET(A2_KEY "," A3_KEY "," ED_KEY)), 3 },
	{ IN(SET(A2_KEY ",{\"kty\":\"oct\",\"k\":\"AAAA\"}")), 1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"future\"}")), 1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-521\"," X256 "," Y256 "}")), 1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"enc\"," X256 ","
	    Y256 "}")), 1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ECDH-ES\"," X256
	    "," Y256 "}")), 1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"key_ops\":[\"deriveKey\"],"
	    X256 "," Y256 "}")), 1 },
	/* nothing that can be used */
	{ IN(""), -1 },
	{ IN("{}"), -1 },
	{ IN("{\"keys\":[]}"), -1 },
	{ IN("{\"keys\":{}}"), -1 },
	{ IN("{\"keys\":[7]}"), -1 },
	{ IN("{\"keys\":[{}]}"), -1 },
	{ IN("[" A2_KEY "]"), -1 },
	{ IN(SET(A2_KEY) "x"), -1 },
	{ IN(SET("{\"kty\":\"oct\",\"k\":\"AAAA\"}")), -1 },
	{ IN(SET("{\"kty\":7}")), -1 },
	/* a point that is not on the curve; coordinates of another length */
	{ IN(SET("{\"kty\":\"EC\",\"crv\":\"P-256\"," X256 ",\"y\":"
	    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}")), -1 },
	{ IN(SET("{\"kty\":\"EC\",\"crv\":\"P-256\"," X256 ",\"y\":\"AAAA\"}")), -1 },
	{ IN(SET("{\"kty\":\"EC\",\"crv\":\"P-384\"," X256 "," Y256 "}")), -1 },
	{ IN(SET("{\"kty\":\"EC\",\"crv\":\"P-256\"," X256 "}")), -1 },
	{ IN(SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}")), -1 },
	{ IN(SET("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcv"
	    "PapiMlrwIaaPcHURo\"}")), -1 },
	/* RSA: too short, exponents that prove nothing */
	{ IN(SET("{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJj\",\"e\":\"AQAB\"}")), -1 },
	{ IN(SET("{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}")), -1 },
	{ IN(SET("{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\"}")), -1 },
	/* one private key spoils all of it, and so does a key for what it is not */
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\"," X256 "," Y256
	    ",\"d\":\"AAAA\"}")), -1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"RS256\"," X256 ","
	    Y256 "}")), -1 },
	{ IN(SET(A2_KEY ",{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":7," X256 "," Y256
	    "}")), -1 },
	{ IN("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), -1 },
	{ IN("-----BEGIN PUBLIC KEY-----\n"), -1 },
	{ IN("no key at all\n"), -1 },
};

START_TEST(files_of_keys)
{
	struct jwks	*s;
	struct diag	 why = { "" };

	ck_assert_msg(jwks_parse(files[_i].text, &s, &why) ==
	    (files[_i].keys == -1 ? -1 : 0), "%s", why.text);
	if (files[_i].keys == -1) {
		ck_assert_ptr_null(s);
		ck_assert_str_ne(why.text, "");
		return;
	}
	ck_assert_uint_eq(jwks_count(s), (size_t)files[_i].keys);
	jwks_free(&s);
}
END_TEST

/* e of 1: every signature would be the text itself; even ones prove nothing. */
START_TEST(exponents)
{
	const char	*bad[] = { "AQ", "AAE", "Ag", "AA", "", "AQABAQABAQABAQ" };
	struct buf	 b;
	struct jwks	*s;
	struct diag	 why;
	char		*at;
	size_t		 i;

	for (i = 0; i < nitems(bad); i++) {
		buf_init(&b, JWKS_FILE_MAX);
		buf_adds(&b, A2_KEY);
		at = b.p + b.n - strlen("AQAB\"}");
		b.n = (size_t)(at - b.p);
		buf_addf(&b, "%s\"}", bad[i]);
		ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), -1);
		buf_free(&b);
	}
}
END_TEST

static void
add_pem(struct buf *b, EVP_PKEY *k, bool private)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*p;
	long	 n;

	if (private)
		ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, k, NULL, NULL, 0,
		    NULL, NULL), 1);
	else
		ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, k), 1);
	n = BIO_get_mem_data(bio, &p);
	ck_assert_int_eq(buf_add(b, p, (size_t)n), 0);
	BIO_free(bio);
}

static void
add_certificate(struct buf *b, EVP_PKEY *k)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	X509	*x = X509_new();
	char	*p;
	long	 n;

	X509_gmtime_adj(X509_getm_notBefore(x), -100);
	X509_gmtime_adj(X509_getm_notAfter(x), -10);	/* the keys count, not the dates */
	X509_set_pubkey(x, k);
	ck_assert_int_gt(X509_sign(x, k, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
	n = BIO_get_mem_data(bio, &p);
	ck_assert_int_eq(buf_add(b, p, (size_t)n), 0);
	X509_free(x);
	BIO_free(bio);
}

START_TEST(pem)
{
	EVP_PKEY	*rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
	EVP_PKEY	*weak = EVP_RSA_gen(1024);
	unsigned char	 sig[1100];
	struct jwks	*s;
	struct diag	 why = { "" };
	struct buf	 b;
	size_t		 n;

	buf_init(&b, JWKS_FILE_MAX);
	buf_adds(&b, "# of the provider\n");
	add_pem(&b, rsa, false);
	buf_adds(&b, "\ntext between\n");
	add_certificate(&b, ec);
	ck_assert_msg(jwks_parse(buf_view(&b), &s, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(jwks_count(s), 2);
	n = maker_sign(ec, EVP_sha256(), false, true, STR("text"), sig);
	ck_assert(jwks_verify(s, JWT_ES256, "any", STR("text"),
	    (struct str){ (char *)sig, n }));
	n = maker_sign(rsa, EVP_sha256(), false, true, STR("text"), sig);
	ck_assert(jwks_verify(s, JWT_RS256, "any", STR("text"),
	    (struct str){ (char *)sig, n }));
	jwks_free(&s);

	add_pem(&b, ec, true);
	ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), -1);
	buf_reset(&b);
	add_pem(&b, weak, false);
	ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), -1);
	buf_free(&b);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(weak);
}
END_TEST

START_TEST(too_many)
{
	struct buf	b;
	struct jwks	*s;
	struct diag	why;
	size_t		i;

	buf_init(&b, JWKS_FILE_MAX);
	buf_adds(&b, "{\"keys\":[");
	for (i = 0; i < JWKS_KEYS_MAX; i++)
		buf_addf(&b, "%s%s", i == 0 ? "" : ",", A3_KEY);
	buf_adds(&b, "]}");
	ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), 0);
	jwks_free(&s);
	b.n -= 2;
	buf_adds(&b, "," A3_KEY "]}");
	ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "more than"));
	buf_free(&b);
}
END_TEST

/* Without a name only the first few are tried; by its name any of them. */
START_TEST(tries)
{
	EVP_PKEY	*ec = EVP_EC_gen("P-256");
	unsigned char	 sig[1100];
	struct jwks	*s;
	struct diag	 why;
	struct buf	 b;
	size_t		 i, n;

	buf_init(&b, JWKS_FILE_MAX);
	buf_adds(&b, "{\"keys\":[");
	for (i = 0; i < JWKS_TRIES_MAX; i++)
		buf_adds(&b, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
		    X256 "," Y256 "},");
	maker_jwk(&b, ec, ",\"kid\":\"b\"");
	buf_adds(&b, "]}");
	ck_assert_int_eq(jwks_parse(buf_view(&b), &s, &why), 0);
	n = maker_sign(ec, EVP_sha256(), false, true, STR("text"), sig);
	ck_assert(!jwks_verify(s, JWT_ES256, "", STR("text"),
	    (struct str){ (char *)sig, n }));
	ck_assert(!jwks_verify(s, JWT_ES256, "a", STR("text"),
	    (struct str){ (char *)sig, n }));
	ck_assert(jwks_verify(s, JWT_ES256, "b", STR("text"),
	    (struct str){ (char *)sig, n }));
	ck_assert(!jwks_verify(s, JWT_ES384, "b", STR("text"),
	    (struct str){ (char *)sig, n }));
	jwks_free(&s);
	buf_free(&b);
	EVP_PKEY_free(ec);
}
END_TEST

static const struct { struct str in; const char *out; } url[] = {
	{ IN(""), "" },
	{ IN("Zg"), "f" },
	{ IN("Zm8"), "fo" },
	{ IN("Zm9v"), "foo" },
	{ IN("Zm9vYg"), "foob" },
	{ IN("-_-_"), "\xfb\xff\xbf" },
	{ IN("+/+/"), NULL },
	{ IN("Zg=="), NULL },
	{ IN("Zm8="), NULL },
	{ IN("Z"), NULL },
	{ IN("Zm9vY"), NULL },
	{ IN("Zh"), NULL },	/* bits that are not used must be 0 */
	{ IN("Zm9"), NULL },
	{ IN("Zm 9"), NULL },
	{ IN("Zm9\0"), NULL },
	{ IN("Zg\n"), NULL },
};

START_TEST(base64url)
{
	struct buf	b;

	buf_init(&b, 100);
	ck_assert_int_eq(base64url_decode(&b, url[_i].in),
	    url[_i].out == NULL ? -1 : 0);
	if (url[_i].out != NULL)
		ck_assert(str_eq(buf_view(&b), str_from(url[_i].out)));
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("jwks");
	TCase	*t = tcase_create("jwks");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_loop_test(t, standard_examples, 0, nitems(vectors));
	tcase_add_loop_test(t, files_of_keys, 0, nitems(files));
	tcase_add_test(t, exponents);
	tcase_add_test(t, pem);
	tcase_add_test(t, too_many);
	tcase_add_test(t, tries);
	tcase_add_loop_test(t, base64url, 0, nitems(url));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* tests/unit/test_jwt.c - tokens that are signed JWTs, good ones and every kind of bad one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "common/base/attr.h"
#include "tests/unit/jwt_maker.h"

#define NOW	1800000000LL
#define IN(s)	{ (s), sizeof(s) - 1 }

static EVP_PKEY		*rsa, *other_rsa, *small_rsa, *p256, *p384, *ed;
static struct settings	*st;
static struct jwks	*keys;

static void
setup(void)
{
	struct buf	b;
	struct diag	why;

	buf_init(&b, JWKS_FILE_MAX);
	rsa = EVP_RSA_gen(2048);
	other_rsa = EVP_RSA_gen(2048);
	small_rsa = EVP_RSA_gen(1024);
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	buf_adds(&b, "{\"keys\":[");
	maker_jwk(&b, rsa, ",\"kid\":\"r\",\"use\":\"sig\"");
	buf_addc(&b, ',');
	maker_jwk(&b, p256, ",\"kid\":\"e\",\"alg\":\"ES256\"");
	buf_addc(&b, ',');
	maker_jwk(&b, p384, ",\"key_ops\":[\"verify\"]");
	buf_addc(&b, ',');
	maker_jwk(&b, ed, "");
	buf_addc(&b, ',');
	maker_jwk(&b, other_rsa, ",\"kid\":\"enc\",\"use\":\"enc\"");
	buf_adds(&b, ",{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"r\"}]}");
	ck_assert_msg(jwks_parse(buf_view(&b), &keys, &why) == 0, "%s",
	    why.text);
	ck_assert_uint_eq(jwks_count(keys), 4);
	buf_free(&b);
	ck_assert_int_eq(settings_parse(STR("auth {\n"
	    "token-keys /k\ntoken-issuer https://id.test/realm other\n"
	    "token-audience mail imap\ntoken-scope mail.read mail.send\n"
	    "token-algorithms RS256 PS256 ES256 ES384 EdDSA\n}\n"), "conf", &st,
	    &why), 0);
}

static void
teardown(void)
{
	jwks_free(&keys);
	settings_free(&st);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(other_rsa);
	EVP_PKEY_free(small_rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(ed);
}

#define WHO	"\"email\":\"bob@here.test\""
#define ISS	"\"iss\":\"https://id.test/realm\""
#define AUD	"\"aud\":\"mail\""
#define SCOPE	"\"scope\":\"openid mail.send mail.read\""
#define EXP	"\"exp\":1800000300"
#define GOOD	WHO "," ISS "," AUD "," SCOPE "," EXP
#define D5	"[[[[["
#define E5	"]]]]]"

static const struct {
	struct str	 claims;
	const char	*why;	/* NULL: good */
} claims[] = {
	{ IN("{" GOOD "}"), NULL },
	{ IN("{" GOOD ",\"email_verified\":true,\"nbf\":1800000000,"
	    "\"iat\":1799999999.5,\"jti\":\"a-1\"}"), NULL },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE ",\"aud\":[\"x\",\"imap\"]}"), NULL },
	{ IN("{" WHO "," ISS "," EXP "," AUD
	    ",\"scp\":[\"mail.read\",\"mail.send\"]}"), NULL },
	{ IN("{" WHO "," EXP "," AUD "," SCOPE ",\"iss\":\"other\"}"), NULL },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":1799999971}"), NULL },
	{ IN("{" GOOD ",\"nbf\":1800000030,\"iat\":1800000030}"), NULL },
	/* times */
	{ IN("{" WHO "," ISS "," AUD "," SCOPE "}"), "no exp" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":1799999970}"), "expired" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":0}"), "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":-5}"), "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":\"1800000300\"}"),
	    "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":1e300}"), "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":1e400}"), "malformed" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE
	    ",\"exp\":99999999999999999999}"), "malformed" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":null}"), "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":[1800000300]}"),
	    "no time" },
	{ IN("{" WHO "," ISS "," AUD "," SCOPE ",\"exp\":1834560001}"),
	    "too far" },
	{ IN("{" GOOD ",\"exp\":1800000300}"), "malformed" },	/* twice */
	{ IN("{" GOOD ",\"nbf\":1800000031}"), "not valid yet" },
	{ IN("{" GOOD ",\"nbf\":\"x\"}"), "no time" },
	{ IN("{" GOOD ",\"iat\":1800000031}"), "in the future" },
	{ IN("{" GOOD ",\"iat\":true}"), "no time" },
	/* by whom, for whom */
	{ IN("{" WHO "," EXP "," AUD "," SCOPE "}"), "issuer" },
	{ IN("{" WHO "," EXP "," AUD "," SCOPE
	    ",\"iss\":\"https://id.test/realm/\"}"), "issuer" },
	{ IN("{" WHO "," EXP "," AUD "," SCOPE
	    ",\"iss\":[\"https://id.test/realm\"]}"), "issuer" },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE "}"), "audience" },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE ",\"aud\":\"mail2\"}"), "audience" },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE ",\"aud\":[]}"), "audience" },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE ",\"aud\":[\"a\",[\"mail\"]]}"),
	    "aud is" },
	{ IN("{" WHO "," ISS "," EXP "," SCOPE ",\"aud\":{\"mail\":1}}"),
	    "audience" },
	{ IN("{" WHO "," ISS "," EXP "," AUD "}"), "scope" },
	{ IN("{" WHO "," ISS "," EXP "," AUD ",\"scope\":\"mail.read\"}"), "scope" },
	{ IN("{" WHO "," ISS "," EXP "," AUD
	    ",\"scope\":\"mail.readmail.send mail.read\"}"), "scope" },
	{ IN("{" WHO "," ISS "," EXP "," AUD ",\"scope\":7}"), "scope" },
	/* who */
	{ IN("{" ISS "," EXP "," AUD "," SCOPE ",\"sub\":\"bob\"}"), "names the user" },
	{ IN("{" ISS "," EXP "," AUD "," SCOPE ",\"email\":\"\"}"), "empty" },
	{ IN("{" ISS "," EXP "," AUD "," SCOPE ",\"email\":[\"bob\"]}"), "plain" },
	{ IN("{" ISS "," EXP "," AUD "," SCOPE ",\"email\":7}"), "plain" },
	{ IN("{" ISS "," EXP "," AUD "," SCOPE
	    ",\"email\":\"bob\\u0000@here.test\"}"), "malformed" },
	{ IN("{" ISS "," EXP "," AUD "," SCOPE
	    ",\"email\":\"bob\\u000a@here.test\"}"), "plain" },
	{ IN("{" GOOD ",\"email\":\"eve@here.test\"}"), "malformed" },
	{ IN("{" GOOD ",\"email_verified\":false}"), "verified" },
	{ IN("{" GOOD ",\"email_verified\":\"true\"}"), "verified" },
	/* what it is */
	{ IN("{" GOOD ",\"cnf\":{\"jkt\":\"x\"}}"), "bound" },
	{ IN("{" GOOD ",\"token_type\":\"DPoP\"}"), "bearer" },
	{ IN("{" GOOD ",\"token_type\":\"bearer\"}"), NULL },
	/* JSON */
	{ IN(""), "malformed" },
	{ IN("[" "]"), "malformed" },
	{ IN("{" GOOD), "malformed" },
	{ IN("{" GOOD "}x"), "malformed" },
	{ IN("{" GOOD "}\0"), "malformed" },
	{ IN("{" GOOD ",\"x\":\"\xff\"}"), "malformed" },
	{ IN("{" GOOD ",\"x\":" D5 D5 D5 E5 E5 E5 "}"), NULL },
	{ IN("{" GOOD ",\"x\":" D5 D5 D5 "[" E5 E5 E5 "]}"), "malformed" },
	{ IN("{" GOOD ",\"x\":\"[[[[[[[[[[[[[[[[[[[[\\\"{{{{\"}"), NULL },
};

START_TEST(claims_of_all_kinds)
{
	struct buf	t;
	struct claims	c;
	struct refusal	r = { 0, "" };
	bool		ok;

	buf_init(&t, JWT_MAX);
	maker_token(&t, p256, EVP_sha256(), false, STR("{\"alg\":\"ES256\"}"),
	    claims[_i].claims);
	ok = jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r);
	if (claims[_i].why == NULL) {
		ck_assert_msg(ok, "%s", r.why);
		ck_assert_str_eq(c.user, "bob@here.test");
	} else {
		ck_assert(!ok);
		ck_assert_msg(strstr(r.why, claims[_i].why) != NULL, "%s",
		    r.why);
		ck_assert_int_eq(r.error, strcmp(claims[_i].why, "scope") == 0 ?
		    OAUTH_INSUFFICIENT_SCOPE : OAUTH_INVALID_TOKEN);
	}
	buf_free(&t);
}
END_TEST

enum who { RSA_KEY, RSA_PSS, OTHER, SMALL, EC256, EC384, ED };

static const struct {
	struct str	 header;
	enum who	 who;	/* signs */
	const char	*why;
} headers[] = {
	{ IN("{\"alg\":\"RS256\"}"), RSA_KEY, NULL },
	{ IN("{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"JWT\"}"), RSA_KEY, NULL },
	{ IN("{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}"), RSA_KEY, NULL },
	{ IN("{\"alg\":\"PS256\"}"), RSA_PSS, NULL },
	{ IN("{\"alg\":\"ES256\",\"kid\":\"e\"}"), EC256, NULL },
	{ IN("{\"alg\":\"ES384\"}"), EC384, NULL },
	{ IN("{\"alg\":\"ES384\",\"kid\":\"new\"}"), EC384, NULL }, /* its key has no name */
	{ IN("{\"alg\":\"EdDSA\"}"), ED, NULL },
	/* what is not looked at */
	{ IN("{\"alg\":\"RS256\",\"jku\":\"https://evil.test/\","
	    "\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"},\"x5c\":[\"AA\"]}"), RSA_KEY, NULL },
	/* another key, another scheme */
	{ IN("{\"alg\":\"RS256\"}"), OTHER, "signature" },
	{ IN("{\"alg\":\"RS256\"}"), SMALL, "signature" },
	{ IN("{\"alg\":\"RS256\"}"), RSA_PSS, "signature" },
	{ IN("{\"alg\":\"PS256\"}"), RSA_KEY, "signature" },
	{ IN("{\"alg\":\"RS256\"}"), EC256, "signature" },
	{ IN("{\"alg\":\"ES256\"}"), RSA_KEY, "signature" },
	{ IN("{\"alg\":\"ES384\"}"), EC256, "signature" },
	{ IN("{\"alg\":\"ES256\"}"), EC384, "signature" },
	{ IN("{\"alg\":\"EdDSA\"}"), EC256, "signature" },
	/* names of keys */
	{ IN("{\"alg\":\"RS256\",\"kid\":\"x\"}"), RSA_KEY, "no key" },
	{ IN("{\"alg\":\"RS256\",\"kid\":\"e\"}"), RSA_KEY, "no key" },
	{ IN("{\"alg\":\"ES256\",\"kid\":\"r\"}"), EC256, "no key" },
	{ IN("{\"alg\":\"RS256\",\"kid\":\"enc\"}"), OTHER, "no key" },
	{ IN("{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}"), RSA_KEY, "no key" },
	{ IN("{\"alg\":\"RS256\",\"kid\":\"r\\u0000\"}"), RSA_KEY, "malformed" },
	{ IN("{\"alg\":\"RS256\",\"kid\":7}"), RSA_KEY, "kid" },
	{ IN("{\"alg\":\"RS256\",\"kid\":null}"), RSA_KEY, "kid" },
	/* algorithms that are none here */
	{ IN("{\"alg\":\"none\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":\"None\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":\"HS256\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":\"rs256\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":\"\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":[\"RS256\"]}"), RSA_KEY, "(alg)" },
	{ IN("{\"typ\":\"JWT\"}"), RSA_KEY, "(alg)" },
	{ IN("{\"alg\":\"none\",\"alg\":\"RS256\"}"), RSA_KEY, "malformed" },
	{ IN("{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}"), RSA_KEY, "crit" },
	{ IN("{\"alg\":\"RS256\",\"crit\":[]}"), RSA_KEY, "crit" },
	{ IN("{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}"), RSA_KEY, "typ" },
	{ IN("{\"alg\":\"RS256\",\"typ\":1}"), RSA_KEY, "typ" },
	{ IN("\"RS256\""), RSA_KEY, "malformed" },
	{ IN("{\"alg\":\"RS256\"} "), RSA_KEY, NULL },
	{ IN("{\"alg\":\"RS256\"}{}"), RSA_KEY, "malformed" },
};

static void
sign_by(enum who who, struct buf *t, struct str header)
{
	EVP_PKEY	*by[] = { rsa, rsa, other_rsa, small_rsa, p256, p384, ed };
	const EVP_MD	*md = EVP_sha256();

	if (who == EC384)
		md = EVP_sha384();
	else if (who == ED)
		md = NULL;
	maker_token(t, by[who], md, who == RSA_PSS, header,
	    STR("{" GOOD ",\"jti\":\"id-1\"}"));
}

START_TEST(headers_of_all_kinds)
{
	struct buf	t;
	struct claims	c;
	struct refusal	r = { 0, "" };
	bool		ok;

	buf_init(&t, JWT_MAX);
	sign_by(headers[_i].who, &t, headers[_i].header);
	ok = jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r);
	ck_assert_msg(ok == (headers[_i].why == NULL), "%s", r.why);
	if (ok)
		ck_assert_str_eq(c.id, "id-1");
	else {
		ck_assert_msg(strstr(r.why, headers[_i].why) != NULL, "%s",
		    r.why);
		ck_assert_str_eq(c.id, "");	/* nothing unproven */
	}
	buf_free(&t);
}
END_TEST

/* Every byte of a good token matters. */
START_TEST(no_bit_can_change)
{
	struct buf	t;
	struct claims	c;
	struct refusal	r;
	size_t		i;
	char		was;

	buf_init(&t, JWT_MAX);
	maker_token(&t, ed, NULL, false, STR("{\"alg\":\"EdDSA\"}"),
	    STR("{" GOOD "}"));
	for (i = 0; i < t.n; i++) {
		was = t.p[i];
		t.p[i] = was == 'A' ? 'B' : 'A';
		ck_assert_msg(!jwt_check(buf_view(&t), keys, &st->token, NOW,
		    &c, &r), "%zu", i);
		t.p[i] = '\0';
		ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c,
		    &r));
		t.p[i] = was;
	}
	for (i = 0; i < t.n; i++)
		ck_assert(!jwt_check((struct str){ t.p, i }, keys, &st->token,
		    NOW, &c, &r));
	ck_assert(jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	ck_assert(!jwt_check(buf_view(&t), NULL, &st->token, NOW, &c, &r));
	buf_free(&t);
}
END_TEST

/* The public key as the secret of HMAC, which a library that is told by the header would take. */
START_TEST(public_key_as_secret)
{
	struct buf	t, pem;
	struct claims	c;
	struct refusal	r = { 0, "" };
	EVP_PKEY	*secret;
	unsigned char	*der = NULL;
	int		 n;

	buf_init(&t, JWT_MAX);
	buf_init(&pem, JWT_MAX);
	n = i2d_PUBKEY(rsa, &der);
	secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, der,
	    (size_t)n);
	maker_token(&t, secret, EVP_sha256(), false,
	    STR("{\"alg\":\"HS256\"}"), STR("{" GOOD "}"));
	ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	ck_assert_ptr_nonnull(strstr(r.why, "(alg)"));
	maker_token(&t, secret, EVP_sha256(), false,
	    STR("{\"alg\":\"RS256\"}"), STR("{" GOOD "}"));
	ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	ck_assert_ptr_nonnull(strstr(r.why, "signature"));
	OPENSSL_free(der);
	EVP_PKEY_free(secret);
	buf_free(&t);
	buf_free(&pem);
}
END_TEST

/* ECDSA as DER, which RFC 7518 3.4 does not mean. */
START_TEST(ecdsa_is_raw)
{
	struct buf	t;
	struct claims	c;
	struct refusal	r = { 0, "" };
	unsigned char	sig[1100] = { 0 };
	size_t		n;

	buf_init(&t, JWT_MAX);
	maker_b64url(&t, STR("{\"alg\":\"ES256\"}"));
	buf_addc(&t, '.');
	maker_b64url(&t, STR("{" GOOD "}"));
	n = maker_sign(p256, EVP_sha256(), false, false, buf_view(&t), sig);
	buf_addc(&t, '.');
	maker_b64url(&t, (struct str){ (char *)sig, n });
	ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	ck_assert_ptr_nonnull(strstr(r.why, "signature"));
	/* r = s = 0, CVE-2022-21449 */
	buf_reset(&t);
	maker_b64url(&t, STR("{\"alg\":\"ES256\"}"));
	buf_addc(&t, '.');
	maker_b64url(&t, STR("{" GOOD "}"));
	buf_addc(&t, '.');
	memset(sig, 0, sizeof(sig));
	maker_b64url(&t, (struct str){ (char *)sig, 64 });
	ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	buf_free(&t);
}
END_TEST

static const struct { struct str token; bool is; } forms[] = {
	{ IN("a.b.c"), true },
	{ IN("a.."), true },		/* unsecured: refused later, by its header */
	{ IN("a.b.c.d"), false },
	{ IN("a.b.c.d.e"), false },	/* encrypted */
	{ IN("a.b"), false },
	{ IN(".b.c"), false },
	{ IN("a.b=.c"), false },
	{ IN("a.b+.c"), false },
	{ IN("a.b\n.c"), false },
	{ IN("2YotnFZFEjr1zCsicMWpAA"), false },
	{ IN(""), false },
};

START_TEST(forms_of_tokens)
{
	struct claims	c;
	struct refusal	r = { 0, "" };

	ck_assert_int_eq(jwt_is(forms[_i].token), forms[_i].is);
	ck_assert(!jwt_check(forms[_i].token, keys, &st->token, NOW, &c, &r));
}
END_TEST

START_TEST(too_long)
{
	struct buf	t, claims_text;
	struct claims	c;
	struct refusal	r = { 0, "" };

	buf_init(&t, 4 * JWT_MAX);
	buf_init(&claims_text, 4 * JWT_MAX);
	buf_adds(&claims_text, "{" GOOD ",\"x\":\"");
	while (claims_text.n < JWT_MAX)
		buf_adds(&claims_text, "0123456789");
	buf_adds(&claims_text, "\"}");
	maker_token(&t, p256, EVP_sha256(), false, STR("{\"alg\":\"ES256\"}"),
	    buf_view(&claims_text));
	ck_assert(!jwt_check(buf_view(&t), keys, &st->token, NOW, &c, &r));
	ck_assert_str_eq(r.why, "too long");
	buf_free(&t);
	buf_free(&claims_text);
}
END_TEST

/* Only the listed ones, though the keys could do more. */
START_TEST(algorithms_of_the_settings)
{
	struct settings	*few;
	struct diag	 why;
	struct buf	 t;
	struct claims	 c;
	struct refusal	 r = { 0, "" };

	ck_assert_int_eq(settings_parse(STR("auth.token-issuer other\n"),
	    "conf", &few, &why), 0);
	buf_init(&t, JWT_MAX);
	sign_by(EC384, &t, STR("{\"alg\":\"ES384\"}"));
	ck_assert(!jwt_check(buf_view(&t), keys, &few->token, NOW, &c, &r));
	ck_assert_ptr_nonnull(strstr(r.why, "auth.token-algorithms"));
	sign_by(EC256, &t, STR("{\"alg\":\"ES256\"}"));
	ck_assert(!jwt_check(buf_view(&t), keys, &few->token, NOW, &c, &r));
	ck_assert_ptr_nonnull(strstr(r.why, "issuer"));
	buf_free(&t);
	settings_free(&few);
}
END_TEST

static const struct { struct str json; const char *why; bool is; } answers[] = {
	{ IN("{\"active\":true," GOOD "}"), NULL, true },
	{ IN("{\"active\":true," WHO "," ISS "," AUD "," SCOPE "}"), NULL, true },
	{ IN("{\"active\":false}"), "not active", true },
	{ IN("{" GOOD "}"), "not active", false },
	{ IN("{\"active\":\"true\"," GOOD "}"), "not active", false },
	{ IN("{\"active\":1," GOOD "}"), "not active", false },
	{ IN("{\"active\":false,\"active\":true," GOOD "}"), "malformed", false },
	{ IN("{\"active\":true," WHO "," ISS "," AUD "," SCOPE ",\"exp\":1}"),
	    "expired", true },
	{ IN("{\"active\":true," ISS "," AUD "," SCOPE "," EXP "}"), "names", true },
	{ IN("{\"active\":true," GOOD ",\"token_type\":\"Bearer\"}"), NULL, true },
	{ IN("{\"active\":true," GOOD ",\"token_type\":\"mac\"}"), "bearer", true },
	{ IN("<html>"), "malformed", false },
};

START_TEST(introspected)
{
	struct claims	c;
	struct refusal	r = { 0, "" };
	bool		ok;

	ck_assert_int_eq(claims_is_answer(answers[_i].json),
	    answers[_i].is);
	ok = claims_check(answers[_i].json, CLAIMS_INTROSPECTED, &st->token,
	    NOW, &c, &r);
	ck_assert_msg(ok == (answers[_i].why == NULL), "%s", r.why);
	if (!ok)
		ck_assert_ptr_nonnull(strstr(r.why, answers[_i].why));
}
END_TEST

static const struct { struct str json; const char *id; } ids[] = {
	{ IN("{\"jti\":\"0a-_.:Z\"}"), "0a-_.:Z" },
	{ IN("{\"jti\":\"a b\"}"), "" },
	{ IN("{\"jti\":\"a\\\"b\"}"), "" },
	{ IN("{\"jti\":7}"), "" },
	{ IN("{\"jti\":\"0123456789012345678901234567890123456789"
	    "0123456789012345678901234\"}"), "" },
};

START_TEST(names_of_tokens)
{
	struct claims	c;
	struct refusal	r;

	ck_assert(!claims_check(ids[_i].json, CLAIMS_SIGNED, &st->token, NOW,
	    &c, &r));
	ck_assert_str_eq(c.id, ids[_i].id);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("jwt");
	TCase	*t = tcase_create("jwt");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_unchecked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, claims_of_all_kinds, 0, nitems(claims));
	tcase_add_loop_test(t, headers_of_all_kinds, 0, nitems(headers));
	tcase_add_test(t, no_bit_can_change);
	tcase_add_test(t, public_key_as_secret);
	tcase_add_test(t, ecdsa_is_raw);
	tcase_add_loop_test(t, forms_of_tokens, 0, nitems(forms));
	tcase_add_test(t, too_long);
	tcase_add_test(t, algorithms_of_the_settings);
	tcase_add_loop_test(t, introspected, 0, nitems(answers));
	tcase_add_loop_test(t, names_of_tokens, 0, nitems(ids));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

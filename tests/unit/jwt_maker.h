/* tests/unit/jwt_maker.h - keys and tokens for the tests, made by OpenSSL. */
#ifndef JWT_MAKER_H
#define JWT_MAKER_H

#include <check.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/fmt/base64.h"

static inline void
maker_b64url(struct buf *out, struct str s)
{
	struct buf	b;
	size_t		i;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(base64_encode(&b, s), 0);
	for (i = 0; i < b.n && b.p[i] != '='; i++)
		buf_addc(out, b.p[i] == '+' ? '-' : b.p[i] == '/' ? '_' :
		    b.p[i]);
	buf_free(&b);
}

static inline void
maker_member(struct buf *out, EVP_PKEY *k, const char *param,
    const char *member, int size)
{
	unsigned char	raw[1100];
	BIGNUM		*bn = NULL;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(k, param, &bn), 1);
	if (size == 0)
		size = BN_num_bytes(bn);
	ck_assert_int_eq(BN_bn2binpad(bn, raw, size), size);
	buf_addf(out, ",\"%s\":\"", member);
	maker_b64url(out, (struct str){ (char *)raw, (size_t)size });
	buf_addc(out, '"');
	BN_free(bn);
}

/* The public half as one JWK; more: "" or further members with a comma in front. */
static inline void
maker_jwk(struct buf *out, EVP_PKEY *k, const char *more)
{
	unsigned char	raw[32];
	size_t		n = sizeof(raw);
	int		size;

	switch (EVP_PKEY_get_base_id(k)) {
	case EVP_PKEY_RSA:
		buf_adds(out, "{\"kty\":\"RSA\"");
		maker_member(out, k, OSSL_PKEY_PARAM_RSA_N, "n", 0);
		maker_member(out, k, OSSL_PKEY_PARAM_RSA_E, "e", 0);
		break;
	case EVP_PKEY_EC:
		size = (EVP_PKEY_get_bits(k) + 7) / 8;
		buf_addf(out, "{\"kty\":\"EC\",\"crv\":\"P-%d\"", size * 8);
		maker_member(out, k, OSSL_PKEY_PARAM_EC_PUB_X, "x", size);
		maker_member(out, k, OSSL_PKEY_PARAM_EC_PUB_Y, "y", size);
		break;
	default:
		ck_assert_int_eq(EVP_PKEY_get_raw_public_key(k, raw, &n), 1);
		buf_adds(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		maker_b64url(out, (struct str){ (char *)raw, n });
		buf_addc(out, '"');
	}
	buf_addf(out, "%s}", more);
}

/* DER of the signature; for ECDSA the two numbers if raw. */
static inline size_t
maker_sign(EVP_PKEY *k, const EVP_MD *md, bool pss, bool raw, struct str text,
    unsigned char sig[1100])
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*pctx;
	ECDSA_SIG	*pair;
	const unsigned char *p = sig;
	unsigned char	 both[200];
	size_t		 n = 1100;
	int		 size = (EVP_PKEY_get_bits(k) + 7) / 8;

	ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, md, NULL, k), 1);
	if (pss) {
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx,
		    RSA_PKCS1_PSS_PADDING), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
		    RSA_PSS_SALTLEN_DIGEST), 1);
	}
	ck_assert_int_eq(EVP_DigestSign(ctx, sig, &n,
	    (const unsigned char *)text.p, text.n), 1);
	EVP_MD_CTX_free(ctx);
	if (EVP_PKEY_get_base_id(k) != EVP_PKEY_EC || !raw)
		return n;
	pair = d2i_ECDSA_SIG(NULL, &p, (long)n);
	ck_assert_ptr_nonnull(pair);
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), both, size);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), both + size, size);
	ECDSA_SIG_free(pair);
	memcpy(sig, both, 2 * (size_t)size);
	return 2 * (size_t)size;
}

static inline void
maker_token(struct buf *out, EVP_PKEY *k, const EVP_MD *md, bool pss,
    struct str header, struct str claims)
{
	unsigned char	sig[1100];
	size_t		n;

	buf_reset(out);
	maker_b64url(out, header);
	buf_addc(out, '.');
	maker_b64url(out, claims);
	n = maker_sign(k, md, pss, true, buf_view(out), sig);
	buf_addc(out, '.');
	maker_b64url(out, (struct str){ (char *)sig, n });
	ck_assert(buf_ok(out));
}

#endif

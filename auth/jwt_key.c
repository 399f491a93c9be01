/*
 * auth/jwt_key.c - signatures by OpenSSL; the only file of auth that includes
 * it. Keys come from the administrator's file, signatures from strangers.
 */
#include "auth/jwt_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"

#define RSA_BITS_MIN	2048	/* RFC 7518 3.3 */
#define RSA_BITS_MAX	8192	/* more is only slow */
#define RSA_E_MAX	8u	/* bytes; OpenSSL's own limit for large keys */
#define EC_SIZE_MAX	48u

enum key_type { KEY_RSA, KEY_P256, KEY_P384, KEY_ED25519 };

struct jwt_key {
	enum key_type	 type;
	EVP_PKEY	*pkey;
};

static const struct {
	const char	*name;
	enum key_type	 type;
	const EVP_MD	*(*md)(void);	/* NULL: the scheme's own */
} algs[] = {
	[JWT_RS256] = { "RS256", KEY_RSA, EVP_sha256 },
	[JWT_PS256] = { "PS256", KEY_RSA, EVP_sha256 },
	[JWT_ES256] = { "ES256", KEY_P256, EVP_sha256 },
	[JWT_ES384] = { "ES384", KEY_P384, EVP_sha384 },
	[JWT_EDDSA] = { "EdDSA", KEY_ED25519, NULL }
};

static const struct {
	enum key_type	 type;
	const char	*jwk, *group;
	size_t		 size;		/* bytes of a coordinate */
} curves[] = {
	{ KEY_P256, "P-256", "prime256v1", 32 },
	{ KEY_P384, "P-384", "secp384r1", 48 }
};

bool
jwt_alg_find(struct str name, enum jwt_alg *out)
{
	size_t	i;

	for (i = 0; i < nitems(algs); i++)
		if (str_eq(name, str_from(algs[i].name))) {
			*out = (enum jwt_alg)i;
			return true;
		}
	return false;
}

static const unsigned char *
bytes(struct str s)
{
	return (const unsigned char *)s.p;
}

/* Of its type and strong enough? Takes the EVP_PKEY over in any case. */
static struct jwt_key *
key_new(EVP_PKEY *pkey)
{
	struct jwt_key	*k = NULL;
	char		 group[32];
	size_t		 i, n;
	int		 bits;

	if (pkey == NULL || (k = calloc(1, sizeof(*k))) == NULL)
		goto fail;
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		k->type = KEY_RSA;
		bits = EVP_PKEY_get_bits(pkey);
		if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
			goto fail;
		break;
	case EVP_PKEY_EC:
		if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1)
			goto fail;
		for (i = 0; i < nitems(curves); i++)
			if (strcmp(group, curves[i].group) == 0)
				break;
		if (i == nitems(curves))
			goto fail;
		k->type = curves[i].type;
		break;
	case EVP_PKEY_ED25519:
		k->type = KEY_ED25519;
		break;
	default:
		goto fail;
	}
	k->pkey = pkey;
	return k;
fail:
	EVP_PKEY_free(pkey);
	free(k);
	ERR_clear_error();
	return NULL;
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM	*params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY	*pkey = NULL;

	if (ctx == NULL || params == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey,
	    EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* An even number has no inverse, and 1 would make every signature good. */
static bool
exponent_ok(struct str e)
{
	while (e.n > 0 && e.p[0] == '\0') {
		e.p++;
		e.n--;
	}
	return e.n > 0 && e.n <= RSA_E_MAX && (e.p[e.n - 1] & 1) != 0 &&
	    (e.n > 1 || e.p[0] != 1);
}

struct jwt_key *
jwt_key_rsa(struct str n, struct str e)
{
	OSSL_PARAM_BLD	*bld = OSSL_PARAM_BLD_new();
	EVP_PKEY	*pkey = NULL;
	BIGNUM		*bn_n = NULL, *bn_e = NULL;

	if (exponent_ok(e) && n.n <= RSA_BITS_MAX / 8 + 1) {
		bn_n = BN_bin2bn(bytes(n), (int)n.n, NULL);
		bn_e = BN_bin2bn(bytes(e), (int)e.n, NULL);
	}
	if (bld != NULL && bn_n != NULL && bn_e != NULL &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
		pkey = from_params("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn_n);
	BN_free(bn_e);
	return key_new(pkey);
}

static EVP_PKEY *
on_curve(const char *group, struct str x, struct str y)
{
	unsigned char	 point[1 + 2 * EC_SIZE_MAX];
	OSSL_PARAM_BLD	*bld = OSSL_PARAM_BLD_new();
	EVP_PKEY	*pkey = NULL;

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(point + 1, x.p, x.n);
	memcpy(point + 1 + x.n, y.p, y.n);
	if (bld != NULL && OSSL_PARAM_BLD_push_utf8_string(bld,
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
	    point, 1 + x.n + y.n) == 1)
		pkey = from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return pkey;
}

struct jwt_key *
jwt_key_ec(struct str curve, struct str x, struct str y)
{
	size_t	i;

	for (i = 0; i < nitems(curves); i++)
		if (str_eq(curve, str_from(curves[i].jwk)))
			break;
	/* RFC 7518 6.2.1.2: of the full length */
	if (i == nitems(curves) || x.n != curves[i].size ||
	    y.n != curves[i].size)
		return NULL;
	return key_new(on_curve(curves[i].group, x, y));
}

struct jwt_key *
jwt_key_ed25519(struct str x)
{
	return key_new(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    bytes(x), x.n));
}

static EVP_PKEY *
from_der(const char *name, const unsigned char *der, long n)
{
	const unsigned char	*p = der;
	EVP_PKEY		*pkey = NULL;
	X509			*cert;

	if (strcmp(name, PEM_STRING_PUBLIC) == 0)
		return d2i_PUBKEY(NULL, &p, n);
	if (strcmp(name, PEM_STRING_X509) != 0)
		return NULL;
	if ((cert = d2i_X509(NULL, &p, n)) != NULL)
		pkey = X509_get_pubkey(cert);
	X509_free(cert);
	return pkey;
}

int
jwt_key_pem(struct str *text, struct jwt_key **out)
{
	BIO		*bio = BIO_new_mem_buf(text->p, (int)text->n);
	unsigned char	*der = NULL;
	char		*name = NULL, *header = NULL;
	size_t		 left;
	long		 n;
	int		 r = 0;

	*out = NULL;
	if (bio == NULL)
		return -1;
	if (PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
		*out = key_new(from_der(name, der, n));
		r = *out == NULL ? -1 : 1;
		OPENSSL_cleanse(der, (size_t)n);	/* it may be a private one */
	} else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		r = -1;
	left = (size_t)BIO_pending(bio);
	text->p += text->n - left;
	text->n = left;
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

void
jwt_key_free(struct jwt_key **kp)
{
	if (*kp == NULL)
		return;
	EVP_PKEY_free((*kp)->pkey);
	free(*kp);
	*kp = NULL;
}

bool
jwt_key_fits(const struct jwt_key *k, enum jwt_alg alg)
{
	return k->type == algs[alg].type;
}

/* The two numbers at full length (RFC 7518 3.4), never DER; as the DER that OpenSSL wants. */
static int
ecdsa_der(struct str raw, size_t size, unsigned char **der)
{
	ECDSA_SIG	*sig = NULL;
	BIGNUM		*r, *s;
	int		 n = -1;

	*der = NULL;
	if (raw.n != 2 * size)
		return -1;
	r = BN_bin2bn(bytes(raw), (int)size, NULL);
	s = BN_bin2bn(bytes(raw) + size, (int)size, NULL);
	if (r != NULL && s != NULL && (sig = ECDSA_SIG_new()) != NULL &&
	    ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL;
		n = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return n;
}

static bool
verify(const struct jwt_key *k, enum jwt_alg alg, struct str text,
    const unsigned char *sig, size_t n)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*pctx;
	bool		 ok = false;

	if (ctx == NULL || EVP_DigestVerifyInit(ctx, &pctx,
	    algs[alg].md == NULL ? NULL : algs[alg].md(), NULL, k->pkey) != 1)
		goto done;
	if (alg == JWT_PS256 && (EVP_PKEY_CTX_set_rsa_padding(pctx,
	    RSA_PKCS1_PSS_PADDING) != 1 || EVP_PKEY_CTX_set_rsa_pss_saltlen(
	    pctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		goto done;
	ok = EVP_DigestVerify(ctx, sig, n, bytes(text), text.n) == 1;
done:
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool
jwt_key_verify(const struct jwt_key *k, enum jwt_alg alg, struct str text,
    struct str signature)
{
	unsigned char	*der;
	bool		 ok;
	int		 n;

	if (!jwt_key_fits(k, alg))
		return false;
	if (k->type != KEY_P256 && k->type != KEY_P384)
		return verify(k, alg, text, bytes(signature), signature.n);
	n = ecdsa_der(signature, k->type == KEY_P256 ? 32 : 48, &der);
	ok = n > 0 && verify(k, alg, text, der, (size_t)n);
	OPENSSL_free(der);
	return ok;
}

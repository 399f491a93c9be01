/* keys/self.c - makes a key and signs its own certificate; `keys self-signed`. */
#include "keys/self.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <string.h>

#include "common/base/fdio.h"
#include "common/base/str.h"

#define DAYS		3650L
#define CLOCK_SLACK	(-3600L)	/* for those whose clock is behind ours */
#define COMMON_MAX	64		/* ub-common-name, RFC 5280 A.1 */

static bool
extend(X509 *x, X509V3_CTX *ctx, int what, const char *value)
{
	X509_EXTENSION	*e = X509V3_EXT_conf_nid(NULL, ctx, what, value);
	bool		 ok = e != NULL && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets; nobody shall guess it. */
static bool
set_serial(X509 *x)
{
	BIGNUM	*n = BN_new();
	bool	 ok;

	ok = n != NULL && BN_rand(n, 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool
set_names(X509 *x, const char *hostname)
{
	X509_NAME	*subject = X509_get_subject_name(x);

	/* what does not fit stands in subjectAltName, which is what counts */
	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)(strlen(hostname) <= COMMON_MAX ? hostname :
	    "Posthouse"), -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, subject) == 1;
}

static bool
fill(X509 *x, EVP_PKEY *key, const char *hostname)
{
	X509V3_CTX	ctx;
	char		san[300];

	if ((size_t)snprintf(san, sizeof(san), "DNS:%s", hostname) >=
	    sizeof(san))
		return false;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), CLOCK_SLACK) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x), DAYS * 86400) != NULL &&
	    set_names(x, hostname) && X509_set_pubkey(x, key) == 1 &&
	    extend(x, &ctx, NID_basic_constraints, "critical,CA:FALSE") &&
	    extend(x, &ctx, NID_key_usage, "critical,digitalSignature") &&
	    extend(x, &ctx, NID_ext_key_usage, "serverAuth") &&
	    extend(x, &ctx, NID_subject_key_identifier, "hash") &&
	    extend(x, &ctx, NID_subject_alt_name, san) &&
	    X509_sign(x, key, EVP_sha256()) > 0;
}

static int
write_out(BIO *pem, int fd)
{
	char	*p;
	long	 n = BIO_get_mem_data(pem, &p);

	return n > 0 ? fdio_write(fd, p, (size_t)n) : -1;
}

static int
write_both(X509 *x, EVP_PKEY *pair, int certificate, int key, struct diag *why)
{
	BIO	*open = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	int	 r = -1;

	if (open == NULL || secret == NULL ||
	    PEM_write_bio_X509(open, x) != 1 ||
	    PEM_write_bio_PrivateKey(secret, pair, NULL, NULL, 0, NULL,
	    NULL) != 1)
		diag_set(why, "certificate: OpenSSL failed");
	else if (write_out(open, certificate) == -1 ||
	    write_out(secret, key) == -1)
		diag_errno(why, "write");
	else
		r = 0;
	BIO_free(open);
	BIO_free(secret);
	return r;
}

int
self_signed(const char *hostname, int certificate, int key, struct diag *why)
{
	EVP_PKEY	*pair = EVP_EC_gen("P-256");
	X509		*x = X509_new();
	int		 r = -1;

	if (pair == NULL || x == NULL || !fill(x, pair, hostname))
		diag_set(why, "certificate for %s: OpenSSL failed", hostname);
	else
		r = write_both(x, pair, certificate, key, why);
	ERR_clear_error();
	X509_free(x);
	EVP_PKEY_free(pair);
	return r;
}

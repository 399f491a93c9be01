/*
 * keys/pair.c - reads what the administrator has given us: PEM, to be believed
 * as little as anything that is parsed. Runs as ph-keys in its sandbox.
 */
#include "keys/pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"

#define RSA_LEAST	2048

void
pair_files_init(struct pair_files *f)
{
	buf_init(&f->certificate, PAIR_FILE_MAX);
	buf_init(&f->key, PAIR_FILE_MAX);
	buf_init(&f->ocsp, KEYS_OCSP_MAX);
}

void
pair_files_wipe(struct pair_files *f)
{
	buf_wipe(&f->certificate);	/* the key may stand in the same file */
	buf_wipe(&f->key);
	buf_wipe(&f->ocsp);
}

void
pair_free(struct pair *p)
{
	free(p->file);
	EVP_PKEY_free(p->key);
	buf_free(&p->chain);
	buf_free(&p->ocsp);
	explicit_bzero(p, sizeof(*p));
}

static int
bad(struct diag *why, const char *file, const char *what)
{
	ERR_clear_error();
	return diag_set(why, "%s: %s", file, what);
}

/* An encrypted key has nobody here who knows its password. */
static int
no_password(char *dst, int size, int writing, void *asked)
{
	(void)dst;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *
read_key(const struct buf *pem, const char *file, struct diag *why)
{
	BIO		*in = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY	*key = NULL;
	bool		 asked = false;

	if (in != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, no_password, &asked);
	BIO_free(in);
	if (key == NULL)
		bad(why, file, asked ? "the key is encrypted, expected one "
		    "without a password" :
		    "there is no private key in it, expected PEM");
	return key;
}

static int
check_kind(const EVP_PKEY *key, const char *file, struct diag *why)
{
	char	group[64] = "";
	size_t	n;

	if (EVP_PKEY_is_a(key, "RSA")) {
		if (EVP_PKEY_get_bits(key) >= RSA_LEAST)
			return 0;
		return diag_set(why, "%s: the key has %d bits, expected %d or "
		    "more", file, EVP_PKEY_get_bits(key), RSA_LEAST);
	}
	if (EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group,
	    sizeof(group), &n) == 1 && (strcmp(group, "prime256v1") == 0 ||
	    strcmp(group, "secp384r1") == 0))
		return 0;
	return bad(why, file, "the key is of no kind that we know, expected "
	    "RSA, ECDSA with P-256 or P-384, or Ed25519");
}

static STACK_OF(X509) *
read_chain(const struct buf *pem, const char *file, struct diag *why)
{
	BIO		*in = BIO_new_mem_buf(pem->p, (int)pem->n);
	STACK_OF(X509)	*all = sk_X509_new_null();
	X509		*x = NULL;

	while (in != NULL && all != NULL &&
	    (x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(all, x) <= 0) {
			X509_free(x);
			break;
		}
	BIO_free(in);
	if (all == NULL || sk_X509_num(all) == 0)
		bad(why, file, "there is no certificate in it, expected PEM");
	else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		bad(why, file, "it is broken, expected certificates in PEM");
	else if (sk_X509_num(all) > (int)PAIR_CHAIN_MAX)
		bad(why, file, "there are too many certificates in it, "
		    "expected at most 8");
	else {
		ERR_clear_error();
		return all;
	}
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

/* RFC 5246 7.4.2: each one certifies the one before it. */
static int
check_order(STACK_OF(X509) *all, const char *file, struct diag *why)
{
	int	i;

	for (i = 1; i < sk_X509_num(all); i++)
		if (X509_check_issued(sk_X509_value(all, i),
		    sk_X509_value(all, i - 1)) != X509_V_OK) {
			ERR_clear_error();
			return diag_set(why, "%s: certificate %d has not "
			    "issued certificate %d, expected the server's "
			    "own first and each one's issuer behind it", file,
			    i + 1, i);
		}
	return 0;
}

static void
check_dates(const X509 *leaf, const char *file, struct diag *warning)
{
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
		diag_set(warning, "%s: the certificate has expired", file);
	else if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		diag_set(warning, "%s: the certificate is not valid yet", file);
}

static int
keep_chain(struct pair *p, STACK_OF(X509) *all)
{
	unsigned char	*der;
	int		 i, n;

	for (i = 0; i < sk_X509_num(all); i++) {
		der = NULL;
		if ((n = i2d_X509(sk_X509_value(all, i), &der)) <= 0)
			return -1;
		record_put(&p->chain, KEYS_CHAIN,
		    (struct str){ (char *)der, (size_t)n });
		OPENSSL_free(der);
	}
	return buf_ok(&p->chain) ? 0 : -1;
}

static int
keep_name(struct pair *p, const X509 *leaf)
{
	unsigned char	*spki = NULL;
	int		 n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
	bool		 ok;

	ok = n > 0 && SHA256(spki, (size_t)n, (unsigned char *)p->name) != NULL;
	OPENSSL_free(spki);
	return ok ? 0 : -1;
}

static int
take(struct pair *p, STACK_OF(X509) *all, const struct pair_files *f,
    const char *certificate, const char *key, struct diag *warning,
    struct diag *why)
{
	X509	*leaf = sk_X509_value(all, 0);

	if (check_order(all, certificate, why) == -1)
		return -1;
	if ((p->key = read_key(&f->key, key, why)) == NULL ||
	    check_kind(p->key, key, why) == -1)
		return -1;
	if (X509_check_private_key(leaf, p->key) != 1) {
		ERR_clear_error();
		return diag_set(why, "%s: the key does not fit the "
		    "certificate in %s", key, certificate);
	}
	if (keep_chain(p, all) == -1)
		return bad(why, certificate, "the chain is too long, expected "
		    "at most 32 KiB");
	if (keep_name(p, leaf) == -1 ||
	    buf_addstr(&p->ocsp, buf_view(&f->ocsp)) == -1)
		return bad(why, certificate, "out of memory");
	check_dates(leaf, certificate, warning);
	return 0;
}

int
pair_load(struct pair *p, const struct pair_files *f, const char *certificate,
    const char *key, struct diag *warning, struct diag *why)
{
	STACK_OF(X509)	*all;
	int		 r;

	memset(p, 0, sizeof(*p));
	warning->text[0] = '\0';
	buf_init(&p->chain, KEYS_CHAIN_MAX);
	buf_init(&p->ocsp, KEYS_OCSP_MAX);
	if ((p->file = strdup(certificate)) == NULL)
		return bad(why, certificate, "out of memory");
	if ((all = read_chain(&f->certificate, certificate, why)) == NULL)
		return -1;
	r = take(p, all, f, certificate, key, warning, why);
	sk_X509_pop_free(all, X509_free);
	if (r == -1) {
		EVP_PKEY_free(p->key);
		p->key = NULL;
		buf_free(&p->chain);
		buf_free(&p->ocsp);
	}
	return r;
}

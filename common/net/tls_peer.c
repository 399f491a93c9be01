/* common/net/tls_peer.c - what is known about a connection that speaks TLS, whichever side it is of. */
#include "common/net/tls_impl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PEER_NAME_MAX	128

/* What the peer has proven to be: its certificate, or NULL. */
static X509 *
proven(const SSL *ssl)
{
	X509	*cert = SSL_get0_peer_certificate(ssl);

	return cert != NULL && SSL_get_verify_result(ssl) == X509_V_OK ?
	    cert : NULL;
}

/* For a log line and a header: printable, without blanks and quotes. */
static bool
show(const ASN1_STRING *s, char *dst, size_t size)
{
	const unsigned char	*p = ASN1_STRING_get0_data(s);
	int			 i, n = ASN1_STRING_length(s);

	for (i = 0; i < n && (size_t)i < size - 1; i++)
		dst[i] = p[i] > ' ' && p[i] <= '~' &&
		    strchr("\"\\()<>", p[i]) == NULL ? (char)p[i] : '?';
	dst[i] = '\0';
	return i > 0;
}

/* The first address or host name of the certificate, else its common name, else "". */
static void
name_of(X509 *cert, char *dst, size_t size)
{
	GENERAL_NAMES		*all;
	const GENERAL_NAME	*g;
	X509_NAME		*subject = X509_get_subject_name(cert);
	bool			 found = false;
	int			 i;

	dst[0] = '\0';
	all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (i = 0; !found && i < sk_GENERAL_NAME_num(all); i++) {
		g = sk_GENERAL_NAME_value(all, i);
		if (g->type == GEN_EMAIL || g->type == GEN_DNS)
			found = show(g->d.ia5, dst, size);
	}
	GENERAL_NAMES_free(all);
	if (!found && (i = X509_NAME_get_index_by_NID(subject, NID_commonName,
	    -1)) >= 0)
		(void)show(X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(subject, i)), dst, size);
}

const char *
tls_text(const struct conn *c, char *dst, size_t size)
{
	SSL	*ssl = tls_of(c);
	X509	*cert;
	char	 name[PEER_NAME_MAX];

	dst[0] = '\0';
	if (ssl == NULL)
		return dst;
	cert = proven(ssl);
	name[0] = '\0';
	if (cert != NULL && SSL_is_server(ssl))
		name_of(cert, name, sizeof(name));
	/* a server's certificate proves something if it was to prove a name */
	else if (cert != NULL &&
	    X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl), 0) == NULL)
		cert = NULL;
	snprintf(dst, size, "%s %s%s%s%s", SSL_get_version(ssl),
	    SSL_get_cipher_name(ssl), cert != NULL ? " verified" : "",
	    name[0] != '\0' ? " " : "", name);
	return dst;
}

const char *
tls_server_name(const struct conn *c)
{
	SSL		*ssl = tls_of(c);
	const char	*name = ssl == NULL ? NULL : SSL_get_app_data(ssl);

	return name == NULL ? "" : name;
}

int
tls_peer_certificate(const struct conn *c, struct buf *der)
{
	SSL		*ssl = tls_of(c);
	X509		*cert = ssl == NULL ? NULL : proven(ssl);
	unsigned char	*p = NULL;
	int		 n, r;

	if (cert == NULL)
		return 0;
	if ((n = i2d_X509(cert, &p)) <= 0) {
		ERR_clear_error();
		errno = ENOMEM;
		return -1;
	}
	buf_reset(der);
	r = buf_add(der, p, (size_t)n);
	OPENSSL_free(p);
	return r == -1 ? -1 : 1;
}

/* RFC 9266 3: the same secret on both sides of one connection only, which TLS 1.2 needs RFC 7627 for. */
static int
exporter(SSL *ssl, struct buf *out)
{
	static const char	label[] = "EXPORTER-Channel-Binding";
	unsigned char		value[32];

	if ((SSL_version(ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(ssl) != 1) ||
	    SSL_export_keying_material(ssl, value, sizeof(value), label,
	    sizeof(label) - 1, (const unsigned char *)"", 0, 1) != 1) {
		ERR_clear_error();
		errno = ENOTSUP;
		return -1;
	}
	return buf_add(out, value, sizeof(value));
}

/* RFC 5929 4.1: a digest that was good enough to sign the certificate with, but not MD5 and SHA-1. */
static int
end_point(SSL *ssl, struct buf *out)
{
	const X509	*cert;
	unsigned char	 value[EVP_MAX_MD_SIZE];
	unsigned int	 n;
	int		 digest = NID_undef;

	cert = SSL_is_server(ssl) ? SSL_get_certificate(ssl) :
	    SSL_get0_peer_certificate(ssl);
	if (cert != NULL && X509_get_signature_info((X509 *)(uintptr_t)cert,
	    &digest, NULL, NULL, NULL) == 1 &&
	    (digest == NID_md5 || digest == NID_sha1))
		digest = NID_sha256;
	if (cert == NULL || digest == NID_undef || X509_digest(cert,
	    EVP_get_digestbynid(digest), value, &n) != 1) {
		ERR_clear_error();
		errno = ENOTSUP;
		return -1;
	}
	return buf_add(out, value, n);
}

int
tls_binding(const struct conn *c, const char *type, struct buf *out)
{
	SSL	*ssl = tls_of(c);

	buf_reset(out);
	if (ssl != NULL && strcmp(type, "tls-exporter") == 0)
		return exporter(ssl, out);
	if (ssl != NULL && strcmp(type, "tls-server-end-point") == 0)
		return end_point(ssl, out);
	errno = ENOTSUP;
	return -1;
}

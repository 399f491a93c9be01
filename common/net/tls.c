/*
 * common/net/tls.c - TLS by OpenSSL, for clients. Runs in processes that have
 * no files: certificates come from a descriptor.
 */
#include "common/net/tls_impl.h"

#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "common/net/addr.h"

struct tls_client {
	SSL_CTX	*ctx;
};

int
tls_client_new(struct tls_client **out, int ca, const char *name,
    struct diag *why)
{
	struct tls_client	*t;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return diag_errno(why, "TLS");
	if ((t->ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1) {
		tls_client_free(&t);
		return tls_error(why, "TLS");
	}
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION);
	/* Each connection is another destination: nothing to resume. */
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	if (ca != -1 && tls_believe_file(t->ctx, ca, name, NULL, why) == -1) {
		tls_client_free(&t);
		return -1;
	}
	*out = t;
	return 0;
}

void
tls_client_free(struct tls_client **tp)
{
	if (*tp == NULL)
		return;
	SSL_CTX_free((*tp)->ctx);
	free(*tp);
	*tp = NULL;
}

/* Whom the certificate must name; and SNI, which has no addresses (RFC 6066 3). */
static bool
set_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM	*param = SSL_get0_param(ssl);
	struct addr		 a;
	char			 sni[256];	/* the macro takes no const */

	if (addr_parse(str_from(name), &a) == 0)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	/* RFC 9525: not the common name, no wildcard that is part of a label */
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return strlcpy(sni, name, sizeof(sni)) < sizeof(sni) &&
	    X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	    SSL_set_tlsext_host_name(ssl, sni) == 1;
}

int
tls_client_start(struct tls_client *t, struct conn *c, const char *name,
    bool proof, int64_t timeout, struct diag *why)
{
	SSL	*ssl;

	if (conn_pending(c).n > 0)
		return diag_set(why, "the server sent more than its reply "
		    "to STARTTLS");
	if ((ssl = SSL_new(t->ctx)) == NULL || SSL_set_fd(ssl, c->fd) != 1 ||
	    (name[0] != '\0' && !set_name(ssl, name))) {
		SSL_free(ssl);
		return tls_error(why, "TLS");
	}
	SSL_set_verify(ssl, proof ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!proof)	/* weak is better than nothing, which comes next */
		SSL_set_security_level(ssl, 1);
	if (tls_handshake(c, ssl, SSL_connect, timeout, why) == -1) {
		SSL_free(ssl);
		return -1;
	}
	tls_attach(c, ssl);
	return 0;
}

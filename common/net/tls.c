/*
 * common/net/tls.c - TLS by OpenSSL, for clients. Runs in processes that have
 * no files: certificates come from a descriptor.
 */
#include "common/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/net/addr.h"

#define CA_MAX	(8u << 20)

struct tls_client {
	SSL_CTX	*ctx;
};

/* The first thing that OpenSSL has to say, and nothing left for the next one. */
static int
say_error(struct diag *why, const char *what)
{
	unsigned long	e = ERR_get_error();
	const char	*reason = e == 0 ? NULL : ERR_reason_error_string(e);

	ERR_clear_error();
	return diag_set(why, "%s: %s", what,
	    reason == NULL ? "failed" : reason);
}

/* The number of certificates that are believed now; -1: one makes no sense. */
static int
believe(X509_STORE *store, struct str pem)
{
	BIO			*in = BIO_new_mem_buf(pem.p, (int)pem.n);
	STACK_OF(X509_INFO)	*all = NULL;
	const X509_INFO		*one;
	int			 i, n = 0;

	if (in != NULL)
		all = PEM_X509_INFO_read_bio(in, NULL, NULL, NULL);
	BIO_free(in);
	if (all == NULL)
		return -1;
	for (i = 0; n != -1 && i < sk_X509_INFO_num(all); i++) {
		one = sk_X509_INFO_value(all, i);
		if ((one->x509 != NULL &&
		    X509_STORE_add_cert(store, one->x509) != 1) ||
		    (one->crl != NULL &&
		    X509_STORE_add_crl(store, one->crl) != 1))
			n = -1;
		else
			n += one->x509 != NULL;
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	return n;
}

static int
load_ca(SSL_CTX *ctx, int fd, const char *name, struct diag *why)
{
	struct buf	pem;
	int		n = -1, r;

	buf_init(&pem, CA_MAX);
	if ((r = fdio_slurp(fd, &pem)) == -1)
		diag_errno(why, "%s", name);
	else if ((n = believe(SSL_CTX_get_cert_store(ctx),
	    buf_view(&pem))) == -1)
		say_error(why, name);
	else if (n == 0)
		diag_set(why, "%s: there are no certificates in it", name);
	buf_free(&pem);
	return r == -1 || n <= 0 ? -1 : 0;
}

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
		return say_error(why, "TLS");
	}
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION);
	/* Each connection is another destination: nothing to resume. */
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	if (ca != -1 && load_ca(t->ctx, ca, name, why) == -1) {
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

/* What a call that did not succeed means to its caller. */
static ssize_t
outcome(SSL *ssl, int r, short *want)
{
	int	saved = errno;

	switch (SSL_get_error(ssl, r)) {
	case SSL_ERROR_WANT_READ:
		*want = POLLIN;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*want = POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		errno = saved == 0 ? ECONNRESET : saved;
		break;
	default:
		/* Many close the connection without close_notify: the end. */
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return 0;
		}
		errno = EPROTO;
		break;
	}
	saved = errno;
	ERR_clear_error();
	errno = saved;
	return -1;
}

static ssize_t
io_recv(void *arg, void *p, size_t n, short *want)
{
	int	r;

	errno = 0;
	r = SSL_read(arg, p, n > 1 << 20 ? 1 << 20 : (int)n);
	return r > 0 ? r : outcome(arg, r, want);
}

static ssize_t
io_send(void *arg, const void *p, size_t n, short *want)
{
	ssize_t	r;

	errno = 0;
	r = SSL_write(arg, p, n > 1 << 20 ? 1 << 20 : (int)n);
	if (r <= 0 && (r = outcome(arg, (int)r, want)) == 0) {
		errno = EPIPE;
		r = -1;
	}
	return r;
}

static void
io_free(void *arg)
{
	/* close_notify, if it can go at once; nobody waits for the answer */
	if (SSL_is_init_finished(arg))
		(void)SSL_shutdown(arg);
	ERR_clear_error();
	SSL_free(arg);
}

static const struct conn_io	tls_io = { io_recv, io_send, io_free };

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

static int
handshake(struct conn *c, SSL *ssl, int64_t timeout, struct diag *why)
{
	int64_t	deadline = now_ms() + timeout;
	long	verdict;
	short	want;
	int	r;

	for (;;) {
		errno = 0;
		if ((r = SSL_connect(ssl)) == 1)
			return 0;
		want = 0;
		switch (SSL_get_error(ssl, r)) {
		case SSL_ERROR_WANT_READ:
			want = POLLIN;
			break;
		case SSL_ERROR_WANT_WRITE:
			want = POLLOUT;
			break;
		}
		if (want != 0 && conn_wait(c, want, deadline) == 0)
			continue;
		if (want != 0 || (ERR_peek_error() == 0 && errno != 0))
			return diag_errno(why, "TLS handshake");
		verdict = SSL_get_verify_result(ssl);
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_CERTIFICATE_VERIFY_FAILED) {
			ERR_clear_error();
			return diag_set(why, "certificate: %s",
			    X509_verify_cert_error_string(verdict));
		}
		return say_error(why, "TLS handshake");
	}
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
		return say_error(why, "TLS");
	}
	SSL_set_verify(ssl, proof ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!proof)	/* weak is better than nothing, which comes next */
		SSL_set_security_level(ssl, 1);
	if (handshake(c, ssl, timeout, why) == -1) {
		SSL_free(ssl);
		return -1;
	}
	c->io = &tls_io;
	c->io_arg = ssl;
	return 0;
}

const char *
tls_text(const struct conn *c, char *dst, size_t size)
{
	SSL	*ssl = c->io_arg;
	X509	*cert;

	dst[0] = '\0';
	if (c->io != &tls_io)
		return dst;
	cert = SSL_get0_peer_certificate(ssl);
	snprintf(dst, size, "%s %s%s", SSL_get_version(ssl),
	    SSL_get_cipher_name(ssl), cert != NULL &&
	    SSL_get_verify_result(ssl) == X509_V_OK &&
	    X509_VERIFY_PARAM_get0_host(SSL_get0_param(ssl), 0) != NULL ?
	    " verified" : "");
	return dst;
}

/*
 * common/net/tls_io.c - a connection that speaks TLS by OpenSSL, whichever side
 * it is of. Runs in processes that have no files.
 */
#include "common/net/tls_impl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "common/base/fdio.h"
#include "common/base/now.h"

#define CA_MAX	(8u << 20)
#define PIECE	(1u << 20)	/* OpenSSL counts in int */

int
tls_error(struct diag *why, const char *what)
{
	const char	*text = NULL, *reason;
	int		 flags = 0;
	unsigned long	 e = ERR_get_error_all(NULL, NULL, NULL, &text, &flags);

	reason = e == 0 ? NULL : ERR_reason_error_string(e);
	/* our own words, of tls_key.c */
	if (ERR_GET_LIB(e) == ERR_LIB_USER && (flags & ERR_TXT_STRING) != 0) {
		diag_set(why, "%s: %s", what, text);
		ERR_clear_error();
		return -1;
	}
	ERR_clear_error();
	return diag_set(why, "%s: %s", what,
	    reason == NULL ? "failed" : reason);
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

/* All records that have come already, as far as there is room. */
static ssize_t
io_recv(void *arg, void *p, size_t n, short *want)
{
	char	*to = p;
	size_t	got = 0, piece;
	int	r;

	do {
		piece = n - got > PIECE ? PIECE : n - got;
		errno = 0;
		if ((r = SSL_read(arg, to + got, (int)piece)) <= 0)
			break;
		got += (size_t)r;
	} while (got < n && SSL_has_pending(arg));
	/* An end or an error behind it shows at the next call. */
	if (got > 0) {
		if (r <= 0)
			ERR_clear_error();
		return (ssize_t)got;
	}
	return outcome(arg, r, want);
}

static ssize_t
io_send(void *arg, const void *p, size_t n, short *want)
{
	ssize_t	r;

	errno = 0;
	r = SSL_write(arg, p, n > PIECE ? (int)PIECE : (int)n);
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
	free(SSL_get_app_data(arg));
	SSL_free(arg);
}

static const struct conn_io	tls_io = { io_recv, io_send, io_free };

void
tls_attach(struct conn *c, SSL *ssl)
{
	c->io = &tls_io;
	c->io_arg = ssl;
}

SSL *
tls_of(const struct conn *c)
{
	return c->io == &tls_io ? c->io_arg : NULL;
}

bool
tls_is_on(const struct conn *c)
{
	return tls_of(c) != NULL;
}

/* Why it failed; the connection's own failure comes in errno. */
static int
refused(SSL *ssl, int error, struct diag *why)
{
	long	verdict;

	if (ERR_peek_error() == 0 && error != 0) {
		errno = error;
		return diag_errno(why, "TLS handshake");
	}
	verdict = SSL_get_verify_result(ssl);
	if (ERR_GET_REASON(ERR_peek_error()) ==
	    SSL_R_CERTIFICATE_VERIFY_FAILED) {
		ERR_clear_error();
		return diag_set(why, "certificate: %s",
		    X509_verify_cert_error_string(verdict));
	}
	return tls_error(why, "TLS handshake");
}

/*
 * Once all that had come before the handshake is taken the rest comes from
 * where the replies go to. True: there is more to be tried.
 */
static bool
went_on(SSL *ssl)
{
	BIO	*in = SSL_get_rbio(ssl), *out = SSL_get_wbio(ssl);

	if (in == out || BIO_pending(in) > 0 || BIO_up_ref(out) != 1)
		return false;
	SSL_set0_rbio(ssl, out);
	return true;
}

int
tls_handshake(struct conn *c, SSL *ssl, int (*step)(SSL *), int64_t timeout,
    struct diag *why)
{
	int64_t	deadline = now_ms() + timeout;
	short	want;
	int	r;

	for (;;) {
		errno = 0;
		if ((r = step(ssl)) == 1)
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
		if (want == 0)
			return refused(ssl, errno, why);
		if (want == POLLIN && went_on(ssl))
			continue;
		if (conn_wait(c, want, deadline) == -1)
			return diag_errno(why, "TLS handshake");
	}
}

/* One of a file; its name goes into names if they are wanted. */
static int
believe_one(X509_STORE *store, const X509_INFO *one,
    STACK_OF(X509_NAME) *names)
{
	X509_NAME	*copy;

	if (one->crl != NULL && X509_STORE_add_crl(store, one->crl) != 1)
		return -1;
	if (one->x509 == NULL)
		return 0;
	if (X509_STORE_add_cert(store, one->x509) != 1)
		return -1;
	if (names == NULL)
		return 1;
	copy = X509_NAME_dup(X509_get_subject_name(one->x509));
	if (copy == NULL || sk_X509_NAME_push(names, copy) <= 0) {
		X509_NAME_free(copy);
		return -1;
	}
	return 1;
}

/* The number of certificates that are believed now; -1: one makes no sense. */
static int
believe(X509_STORE *store, struct str pem, STACK_OF(X509_NAME) *names)
{
	BIO			*in = BIO_new_mem_buf(pem.p, (int)pem.n);
	STACK_OF(X509_INFO)	*all = NULL;
	int			 i, r, n = 0;

	if (in != NULL)
		all = PEM_X509_INFO_read_bio(in, NULL, NULL, NULL);
	BIO_free(in);
	if (all == NULL)
		return -1;
	for (i = 0; n != -1 && i < sk_X509_INFO_num(all); i++) {
		r = believe_one(store, sk_X509_INFO_value(all, i), names);
		n = r == -1 ? -1 : n + r;
	}
	sk_X509_INFO_pop_free(all, X509_INFO_free);
	return n;
}

int
tls_believe_file(SSL_CTX *ctx, int fd, const char *name,
    STACK_OF(X509_NAME) *names, struct diag *why)
{
	struct buf	pem;
	int		n = -1, r;

	buf_init(&pem, CA_MAX);
	if ((r = fdio_slurp(fd, &pem)) == -1)
		diag_errno(why, "%s", name);
	else if ((n = believe(SSL_CTX_get_cert_store(ctx), buf_view(&pem),
	    names)) == -1)
		tls_error(why, name);
	else if (n == 0)
		diag_set(why, "%s: there are no certificates in it", name);
	buf_free(&pem);
	return r == -1 || n <= 0 ? -1 : 0;
}

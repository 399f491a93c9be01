/* common/net/tls_impl.h - what the parts of TLS share; nobody else includes this. */
#ifndef NET_TLS_IMPL_H
#define NET_TLS_IMPL_H

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include "common/base/str.h"
#include "common/net/tls.h"

/* ---- tls_io.c: a connection, whichever side it is of */

/* The first thing that OpenSSL has to say, and nothing left for the next one. Always -1. */
int	tls_error(struct diag *, const char *what);
/* Waits for the end of the handshake that step (SSL_connect, SSL_accept) does. */
int	tls_handshake(struct conn *, SSL *, int (*step)(SSL *), int64_t timeout_ms, struct diag *) must_check;
/* The conn speaks through the SSL from now on and frees it. */
void	tls_attach(struct conn *, SSL *);
/* Of a conn that speaks TLS, else NULL. */
SSL	*tls_of(const struct conn *);
/* What is in a file of certificates is believed. name: for *why. */
int	tls_believe_file(SSL_CTX *, int fd, const char *name, STACK_OF(X509_NAME) *names, struct diag *) must_check;

/* ---- tls_key.c: private keys that are only names */

/* Before keys are made, which it has to outlive; then OSSL_PROVIDER_unload. NULL: OpenSSL's error queue says why. */
OSSL_PROVIDER *tls_key_init(void) must_check;
/* The key whose public half is spki (DER), to be signed with by keys at the socket, whose path must outlive it. NULL: OpenSSL's error queue says why. */
EVP_PKEY *tls_key_new(const char *socket, struct str spki) must_check;

/* ---- tls_ticket.c: session tickets that any worker of the listener can take (RFC 5077, RFC 8446 4.6.1) */

struct tickets;			/* in memory shared with the workers that are forked later */
int	tickets_new(struct tickets **) must_check;
void	tickets_free(struct tickets **);
/* The context's tickets are sealed with those that tls_server_tickets finds. */
int	tickets_use(SSL_CTX *) must_check;
/* In tls_server.c. */
struct tickets *tls_server_tickets(SSL *);

/* ---- tls_warm.c: handshakes with ourselves */

/*
 * What OpenSSL makes and looks up at first use is made now, to be shared with the workers, and not by each of them.
 * -1: keys does not sign, or what is set does not fit together. What it took stays in use until tls_warm_free, for
 * otherwise a worker's connection would lie in its holes, all over the pages that are shared.
 */
struct tls_warm {
	SSL_CTX	*ctx;		/* of the client */
	SSL	*server, *client;
};
int	tls_warm(struct tls_warm[2], SSL_CTX *) must_check;
void	tls_warm_free(struct tls_warm[2]);
/*
 * Takes what is free between what is in use, so that a worker's connection lies in pages of its own, side by side. The
 * list for tls_unplug; NULL: there was nothing.
 */
struct tls_plug {
	struct tls_plug	*next;
};
struct tls_plug *tls_plug(struct tls_plug *);
void	tls_unplug(struct tls_plug *);

/* ---- tls_certs.c: a listener's certificates */

struct tls_certs;
/* Asks keys for the list. */
int	tls_certs_load(struct tls_certs **, const char *socket, struct diag *) must_check;
void	tls_certs_free(struct tls_certs **);
/* Those that are shown to whoever names no name, or none of ours: the first, and those of other kinds of key for the same names. */
int	tls_certs_default(const struct tls_certs *, SSL_CTX *) must_check;
/* Those for the name, if there are any and they are not the default's. */
int	tls_certs_choose(const struct tls_certs *, SSL *, const char *name) must_check;
/* The stored OCSP response for the certificate, empty if there is none. */
struct str tls_certs_ocsp(const struct tls_certs *, const X509 *);

#endif

/*
 * common/net/tls.h - TLS behind the calls of conn.h, for clients and servers. TLS 1.2 at the least (RFC 8996).
 * A server has no private key: keys(8) signs for it (proto_keys.h).
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/net/conn.h"

#define TLS_TEXT_MAX	192	/* what tls_text needs at the most, with its NUL */

/* What all connections of a client share; made before files are out of reach. */
struct tls_client;

/* ca: open file of the certificates that are believed, -1: none, and nothing is ever proven; name: of that file, for *why. */
int	tls_client_new(struct tls_client **, int ca, const char *name, struct diag *) must_check;
void	tls_client_free(struct tls_client **);
/*
 * Shakes hands; from then on conn speaks TLS. name: of the server, for SNI and its certificate, or its
 * address as text. proof: the certificate must prove the name. Anything that was received already is an error
 * (RFC 3207 6). -1: *why, and the connection is of no more use.
 */
int	tls_client_start(struct tls_client *, struct conn *, const char *name, bool proof, int64_t timeout_ms, struct diag *why) must_check;

/* What all connections of a listener share: certificates, and the keys of session tickets in memory that its workers share. */
struct tls_server;

struct tls_options {
	const char	*minimum;	/* "1.2" or "1.3"; NULL: "1.2" */
	const char	*ciphers;	/* of TLS 1.2, in OpenSSL's notation; NULL or "": ours */
	const char	*ciphersuites;	/* of TLS 1.3, likewise */
	const char	*groups;	/* likewise */
	int		 client_ca;	/* open file of those that may sign clients' certificates, or -1; stays the caller's */
	bool		 ask_client;	/* for a certificate; it need not have one */
	const char	*alpn;		/* "pop3", "imap" (RFC 7301), or NULL */
};

/*
 * In the listener, in its chroot, before workers are forked. keys: path of the socket of keys(8), which is waited for
 * while it starts (a minute at the most); this path and the name in alpn must outlive the server. -1: *why.
 */
int	tls_server_new(struct tls_server **, const char *keys, const struct tls_options *, struct diag *) must_check;
void	tls_server_free(struct tls_server **);
/* Once the server before it was freed, and before workers are forked: their connections lie together then, and take less memory. */
void	tls_server_settle(struct tls_server *);
/*
 * In a worker: shakes hands; from then on conn speaks TLS, and the server must live as long as it. What was received
 * already is the beginning of the handshake (RFC 9051 6.2.1), and nothing else: it is taken from conn's buffer. -1: *why,
 * and the connection is of no more use.
 */
int	tls_server_start(struct tls_server *, struct conn *, int64_t timeout_ms, struct diag *) must_check;

bool	tls_is_on(const struct conn *);
/*
 * "TLSv1.3 TLS_AES_256_GCM_SHA384", with " verified" if the peer's certificate proves the name that was asked for
 * or, of a client, " verified NAME"; "" in the clear. Printable ASCII without quotes.
 */
const char *tls_text(const struct conn *, char *, size_t);
/*
 * The channel binding "tls-exporter" (RFC 9266) or "tls-server-end-point" (RFC 5929 4.1), the same on both sides.
 * -1: ENOTSUP if this connection has none of this type.
 */
int	tls_binding(const struct conn *, const char *type, struct buf *) must_check;
/* Of a client: 1 and its certificate as DER if it proved that it has the key and client_ca leads to it; 0: there is none; -1: error. */
int	tls_peer_certificate(const struct conn *, struct buf *der) must_check;
/* The name that the client asked for (SNI), in lower case, or "". */
const char *tls_server_name(const struct conn *);

#endif

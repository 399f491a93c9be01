/*
 * common/net/tls.h - TLS behind the calls of conn.h; tls.c is the only file that includes OpenSSL's TLS.
 * TLS 1.2 at the least (RFC 8996).
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/net/conn.h"

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
/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", the last word if the certificate proves the name; "" in the clear. */
const char *tls_text(const struct conn *, char *, size_t);

#endif

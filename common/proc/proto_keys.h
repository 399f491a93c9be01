/*
 * common/proc/proto_keys.h - listeners and their workers to keys. Sockets incoming/sock/keys and login/keys.
 * V list, N number (0 first) -> V certificate, G, n, F, C's, O; V none, G, n if there is no such number.
 * V sign, F, M, D, P -> V signature, S; V refused, T.
 * A connection may ask more than once; an answer comes before the next question is read.
 */
#ifndef PROC_PROTO_KEYS_H
#define PROC_PROTO_KEYS_H

#define KEYS_VERB	'V'
/* list */
#define KEYS_NUMBER	'N'
#define KEYS_GENERATION	'G'	/* another one: the list is another */
#define KEYS_COUNT	'n'	/* of the certificates */
#define KEYS_CHAIN	'C'	/* DER, the server's own first */
#define KEYS_OCSP	'O'	/* DER of a response to staple, missing if there is none */
/* sign */
#define KEYS_KEY	'F'	/* SHA-256 of the public key (SubjectPublicKeyInfo), 32 bytes */
#define KEYS_DIGEST	'D'	/* "SHA256", "SHA384", "SHA512"; "" for Ed25519, which has its own */
#define KEYS_PADDING	'P'	/* of RSA: "pss" (salt as long as the digest) or "pkcs1"; missing else */
#define KEYS_MESSAGE	'M'	/* all that is signed: what a TLS server signs and nothing else */
#define KEYS_SIGNATURE	'S'
#define KEYS_TEXT	'T'	/* why not */

#define KEYS_KEY_SIZE	32
#define KEYS_MESSAGE_MAX 4096	/* RFC 8446 4.4.3: 146 at the most; RFC 5246 7.4.3 with a large group: 2 KiB */
#define KEYS_CHAIN_MAX	32768	/* bytes of a chain */
#define KEYS_OCSP_MAX	16384
#define KEYS_CERTIFICATES_MAX 200

#endif

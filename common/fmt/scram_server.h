/*
 * common/fmt/scram_server.h - the server's side of SCRAM (RFC 5802, RFC 7677), with channel binding (RFC 5929,
 * RFC 9266), and the keys that it keeps instead of a password. Pure: what hashes is given by the caller.
 */
#ifndef FMT_SCRAM_SERVER_H
#define FMT_SCRAM_SERVER_H

#include "common/fmt/scram.h"

#define SCRAM_NAME_MAX	256u	/* of a user */
#define SCRAM_SALT_MAX	256u

/* What of a password is kept; wiped by its owner. */
struct scram_keys {
	unsigned	iterations;
	uint8_t		salt[SCRAM_SALT_MAX];
	size_t		salt_n;
	uint8_t		stored[SCRAM_HASH_MAX], server[SCRAM_HASH_MAX];
};

/* "4096,SALT,STORED,SERVER" with base64, as Dovecot writes it behind "{SCRAM-SHA-256}". */
bool	scram_keys_parse(const struct scram_hash *, struct str, struct scram_keys *);
int	scram_keys_text(const struct scram_hash *, const struct scram_keys *, struct buf *) must_check;
/* From salt and iterations: stored and server. -1 if it cannot be computed. */
int	scram_keys_derive(const struct scram_hash *, struct str password, struct scram_keys *) must_check;

/* The connection: views that live as long as the conversation. */
struct scram_channel {
	bool		plus;		/* the mechanism is one with -PLUS */
	bool		offered;	/* the client was offered one */
	struct str	exporter, end_point;	/* tls-exporter, tls-server-end-point; empty: there is none */
};

enum scram_status {
	SCRAM_OK,
	SCRAM_SYNTAX,		/* not such a message */
	SCRAM_TYPE,		/* a channel binding that the connection does not have */
	SCRAM_DOWNGRADE,	/* somebody hid from the client that we can bind channels (RFC 5802 6) */
	SCRAM_BINDING,		/* bound to another connection */
	SCRAM_PROOF		/* he does not know the password */
};

struct scram_server {
	const struct scram_hash	*h;
	struct scram_channel	 channel;
	struct str		 binding;	/* the one that the client has chosen */
	char			 user[SCRAM_NAME_MAX + 1], authzid[SCRAM_NAME_MAX + 1];
	struct buf		 header;	/* GS2 */
	struct buf		 messages;	/* AuthMessage, as far as it is known */
	size_t			 nonce_at, nonce_n;	/* in it, the whole nonce */
	uint8_t			 proof[SCRAM_HASH_MAX];
};

/* client-first-message: user and authzid ("": none) are known then. */
enum scram_status scram_server_begin(struct scram_server *, const struct scram_hash *, const struct scram_channel *,
    struct str);
/* Appends server-first-message. nonce: printable, no comma, never used before. -1: ENOMEM. */
int	scram_server_salt(struct scram_server *, struct str nonce, struct str salt, unsigned iterations, struct buf *)
	    must_check;
/* client-final-message, but for its proof. */
enum scram_status scram_server_final(struct scram_server *, struct str);
/* SCRAM_OK: he knows the password; then server-final-message is appended. */
enum scram_status scram_server_prove(struct scram_server *, const struct scram_keys *, struct buf *);
void	scram_server_free(struct scram_server *);	/* wiped; all zero is fine, too */

#endif

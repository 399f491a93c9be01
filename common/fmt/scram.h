/*
 * common/fmt/scram.h - the client's messages of SCRAM (RFC 5802, RFC 7677), without channel binding. Pure: what
 * hashes is given by the caller.
 */
#ifndef FMT_SCRAM_H
#define FMT_SCRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define SCRAM_HASH_MAX		32
#define SCRAM_ITERATIONS_MIN	4096u		/* RFC 7677 4 */
#define SCRAM_ITERATIONS_MAX	1000000u	/* more is an attack on our time */

/* -1 only if it cannot be computed. Each is given what it is a member of. */
struct scram_hash {
	size_t	size;
	int	(*hash)(const struct scram_hash *, struct str, uint8_t *);
	int	(*hmac)(const struct scram_hash *, struct str key, struct str data, uint8_t *);
	int	(*pbkdf2)(const struct scram_hash *, struct str password, struct str salt, unsigned iterations,
		    uint8_t *);
};

struct scram {
	const struct scram_hash	*h;
	struct buf	bare;		/* client-first-message-bare */
	size_t		nonce_at;	/* in it */
	uint8_t		server[SCRAM_HASH_MAX];	/* its signature, when it is known */
	bool		known;
};

/* nonce: printable, no comma, never used before. Appends client-first-message. */
int	scram_begin(struct scram *, const struct scram_hash *, struct str user, struct str nonce, struct buf *) must_check;
/* server-first-message; appends client-final-message. -1 EPROTO: it makes no sense, or asks for too little or too much work. */
int	scram_answer(struct scram *, struct str, struct str password, struct buf *) must_check;
/* server-final-message: does the server know the password, too? */
bool	scram_proven(const struct scram *, struct str);
void	scram_free(struct scram *);	/* wiped */

#endif

/*
 * auth/scheme.h - records of passwords, "{SCHEME}text" or "{SCHEME.ENCODING}text" as Dovecot writes them: what is in
 * one, whether a password fits it, and new ones. ENCODING is HEX, B64 or BASE64.
 */
#ifndef AUTH_SCHEME_H
#define AUTH_SCHEME_H

#include <crypt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/scram_server.h"

#define SCHEME_SALT_MAX		64
/* What a check may cost; records that ask for more fit no password. */
#define SCHEME_MEMORY_MAX	(1u << 30)	/* bytes: argon2, yescrypt, scrypt */
#define SCHEME_WORK_MAX		(1ull << 34)	/* bytes written by argon2: memory times passes */
#define SCHEME_LANES_MAX	64		/* argon2 */
#define SCHEME_ROUNDS_MAX	10000000u	/* SHA-crypt, PBKDF2 */
#define SCHEME_BCRYPT_MAX	16		/* log2 of rounds */

struct scheme;

/* What a record consists of; views into it. */
struct scheme_record {
	const struct scheme	*scheme;
	struct str		 text;		/* behind the braces */
	char			 encoding;	/* 'b' base64, 'h' hexadecimal, '-' as the scheme has it */
};

/* False: no such scheme, or nothing in it. A record without braces is {CRYPT}. */
bool	scheme_split(struct str record, struct scheme_record *);
/* By name, whatever its case, without encoding; NULL. */
const struct scheme *scheme_find(struct str name);
const char *scheme_name(const struct scheme *);
/* In its order; NULL after the last. */
const struct scheme *scheme_at(size_t);
/* Can new records be made of it? */
bool	scheme_makes(const struct scheme *);
/* Takes microseconds: nothing that would hold up an event loop. */
bool	scheme_is_cheap(const struct scheme *);

/*
 * Does the password fit? Takes as long as the scheme and its parameters need, whatever the password is. The scratch
 * is wiped.
 */
bool	scheme_check(const struct scheme_record *, struct str password, struct crypt_data *scratch);
/*
 * Appends a new record with its braces. cost: rounds, iterations or log2 of them as the scheme has it; 0: its
 * default. -1 ENOTSUP: only checked, never made; EINVAL: the cost; ENOMEM, EIO.
 */
int	scheme_make(const struct scheme *, struct str password, unsigned long cost, struct buf *) must_check;
/* Is what stands in the record well-formed and within the bounds, so that some password can fit? *why: what is wrong. */
bool	scheme_record_ok(const struct scheme_record *, const char **why);

/* The keys in a record of SCRAM-SHA-1 or SCRAM-SHA-256 (hash says which is wanted). False: it is another. */
bool	scheme_scram(struct str record, const struct scram_hash *hash, struct scram_keys *);
/* Appends the password itself; the caller wipes. False: the record does not hold it. */
bool	scheme_plain(struct str record, struct buf *);

#endif

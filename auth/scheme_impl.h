/* auth/scheme_impl.h - what the parts of scheme share; nobody else includes this. */
#ifndef AUTH_SCHEME_IMPL_H
#define AUTH_SCHEME_IMPL_H

#include "auth/scheme.h"
#include "common/store/digest.h"
#include "common/store/users.h"

#define ENCODING_TEXT	'-'
#define ENCODING_BASE64	'b'
#define ENCODING_HEX	'h'

struct scheme {
	const char	*name;
	char		 encoding;	/* without one in the record */
	bool		 cheap;
	enum digest_kind kind;		/* of hashes */
	const char	*prefix;	/* of crypt(5), of argon2 */
	unsigned long	 cost;		/* when none is asked for */
	/* raw is decoded. NULL: well-formed and not too costly; else what is wrong. */
	const char	*(*wrong)(const struct scheme *, struct str raw);
	/* Called only with what is not wrong and a password that is not empty. */
	bool		 (*fits)(const struct scheme *, struct str raw, struct str password, struct crypt_data *);
	/* Appends raw bytes, which are encoded afterwards. NULL: never made. */
	int		 (*make)(const struct scheme *, struct str password, unsigned long cost, struct buf *);
};

/* In constant time for a given length. */
bool	scheme_same(struct str, struct str);
/* Base64 without its padding, as argon2 has it. False: malformed, or more than max bytes. */
bool	scheme_base64(struct str, uint8_t *, size_t max, size_t *n);
/* "m=" of "m=65536,": the number behind the word, up to the end. False: there is none, or it is above max. */
bool	scheme_number(struct str *in, const char *word, char end, unsigned long long max, unsigned long long *out);

/* scheme_crypt.c */
const char *crypt_wrong(const struct scheme *, struct str);
bool	crypt_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	crypt_make(const struct scheme *, struct str, unsigned long, struct buf *);
/* scheme_hash.c: plain texts, hashes with and without salt */
const char *plain_wrong(const struct scheme *, struct str);
bool	plain_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	plain_make(const struct scheme *, struct str, unsigned long, struct buf *);
const char *hash_wrong(const struct scheme *, struct str);
const char *salted_wrong(const struct scheme *, struct str);
bool	hash_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	salted_make(const struct scheme *, struct str, unsigned long, struct buf *);
/* scheme_argon2.c */
const char *argon2_wrong(const struct scheme *, struct str);
bool	argon2_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	argon2_make(const struct scheme *, struct str, unsigned long, struct buf *);
/* scheme_pbkdf2.c */
const char *pbkdf2_wrong(const struct scheme *, struct str);
bool	pbkdf2_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	pbkdf2_make(const struct scheme *, struct str, unsigned long, struct buf *);
/* scheme_scram.c */
const char *scram_wrong(const struct scheme *, struct str);
bool	scram_fits(const struct scheme *, struct str, struct str, struct crypt_data *);
int	scram_make(const struct scheme *, struct str, unsigned long, struct buf *);

#endif

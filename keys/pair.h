/* keys/pair.h - a certificate with its chain and its private key, read from PEM and checked. */
#ifndef KEYS_PAIR_H
#define KEYS_PAIR_H

#include <openssl/evp.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/proto_keys.h"

#define PAIR_FILE_MAX	65536u	/* bytes of a certificate's or key's file */
#define PAIR_CHAIN_MAX	8u	/* certificates in a chain */

/* What the master's descriptors held. */
struct pair_files {
	struct buf	certificate, key, ocsp;
};

struct pair {
	char		*file;		/* the certificate's */
	struct buf	 chain;		/* record fields as proto_keys.h wants them */
	struct buf	 ocsp;
	EVP_PKEY	*key;
	char		 name[KEYS_KEY_SIZE];	/* SHA-256 of the public key */
};

void	pair_files_init(struct pair_files *);
void	pair_files_wipe(struct pair_files *);
/* The names are those of the files, for *why and *warning ("" if there is none). -1: *why, and nothing but the file is held. */
int	pair_load(struct pair *, const struct pair_files *, const char *certificate, const char *key,
	    struct diag *warning, struct diag *why) must_check;
void	pair_free(struct pair *);

#endif

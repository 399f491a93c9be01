/*
 * keys/vault.h - the keys that there are: the present ones, and for a while those that they replaced. Several threads
 * look into it.
 */
#ifndef KEYS_VAULT_H
#define KEYS_VAULT_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "keys/pair.h"

#define VAULT_OLD_MS	3600000	/* workers with the old chain have gone by then */
#define VAULT_OLD_MAX	1000	/* keys that were replaced; of more the oldest go */

struct vault;

int	vault_new(struct vault **) must_check;
void	vault_free(struct vault **);	/* nobody may use it any more */
/*
 * The pairs are the vault's from now on, the array stays the caller's; those that it had are old. In place of one
 * without a key it goes on with what it has from the same file, if anything. -1: ENOMEM, or EINVAL for
 * there would be none at all; then it has what it had, and the pairs are the caller's.
 */
int	vault_replace(struct vault *, const struct pair *, size_t, int64_t now) must_check;
/* Forgets what is too old. */
void	vault_time(struct vault *, int64_t now);
size_t	vault_count(const struct vault *);
/* The answer to a packet of proto_keys.h, to be made whatever it says. -1: it is malformed, drop the peer. */
int	vault_answer(struct vault *, struct str packet, struct buf *answer) must_check;
/* Signatures made, and orders that were refused. */
void	vault_counts(const struct vault *, unsigned long long *made, unsigned long long *refused);

#endif

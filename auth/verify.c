/*
 * auth/verify.c - does the password fit the record? Runs in auth's workers.
 * The time it takes depends on the record's scheme and on nothing that the
 * client does not know.
 */
#include "auth/verify.h"

#include "auth/scheme.h"

bool
verify_password(struct str record, struct str password,
    struct crypt_data *scratch)
{
	struct scheme_record	r;

	return scheme_split(record, &r) && scheme_check(&r, password, scratch);
}


/* auth/verify.h - does the password fit the record? */
#ifndef AUTH_VERIFY_H
#define AUTH_VERIFY_H

#include <crypt.h>
#include <stdbool.h>

#include "common/base/str.h"

/*
 * record: "{SCHEME}text" (scheme.h), or a hash of crypt(5) alone. An empty record or password, one longer than
 * AUTH_PASS_MAX, a locked ("!", "*") or unknown or too costly record: no. May take long. The scratch is wiped.
 */
bool	verify_password(struct str record, struct str password, struct crypt_data *scratch);

#endif

/* deliver/remote_pass.h - remote.auth and remote.passwords: as whom to log in where. */
#ifndef DELIVER_REMOTE_PASS_H
#define DELIVER_REMOTE_PASS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/proc/settings.h"

struct passwords;

/* Reads the open file, which none but its owner may be able to read; path is its name, "": there are none. */
int	passwords_load(struct passwords **, int fd, const char *path, struct diag *) must_check;
void	passwords_free(struct passwords **);	/* wiped */
/* Pure: the password of a line "host:user:password" in the text; a password may hold colons. A host is a name, or "[address]". */
bool	passwords_find(struct str text, struct str host, struct str user, struct str *password);
/* The user of remote.auth for this host, NULL if there is none. */
const char *auth_user(const struct remote_settings *, const char *host);
bool	auth_password(const struct passwords *, const char *host, const char *user, struct str *password);

#endif

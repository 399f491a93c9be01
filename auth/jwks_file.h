/*
 * auth/jwks_file.h - the file of the provider's keys, read anew whenever it has changed. Its directory is held open, so
 * that it can be reached from auth's own.
 */
#ifndef AUTH_JWKS_FILE_H
#define AUTH_JWKS_FILE_H

#include <stdint.h>

#include "auth/jwks.h"
#include "common/base/attr.h"
#include "common/base/diag.h"

struct jwks_file;

/* Opens the directory and reads nothing yet. path must live as long. -1: *why. */
int	jwks_file_open(struct jwks_file **, const char *path, struct diag *why) must_check;
void	jwks_file_close(struct jwks_file **);
/* Of the same text, in a configuration that will live. */
void	jwks_file_path(struct jwks_file *, const char *path);
int	jwks_file_dir(const struct jwks_file *);
/*
 * The keys as they are; NULL: there have never been any that could be read. The file is looked at once in a second, now
 * is now_ms; what cannot be read is logged once, and the keys of before go on. A view until the next call.
 */
const struct jwks *jwks_file_keys(struct jwks_file *, int64_t now);

#endif

/* auth/bounded_json.h - JSON (RFC 8259) of strangers, by jansson, within bounds. */
#ifndef AUTH_BOUNDED_JSON_H
#define AUTH_BOUNDED_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/str.h"

#define BOUNDED_JSON_DEPTH	16u

/* Once, before the sandbox is entered: jansson would look for a seed of its hash tables in a file. */
void	bounded_json_seed(void);
/*
 * An object, which the caller frees with json_decref. NULL: longer than max, deeper than the above, malformed, not an
 * object, a member that is there twice, a NUL in a string.
 */
json_t	*bounded_json(struct str text, size_t max) must_check;

enum json_text { JSON_TEXT_NONE, JSON_TEXT_OK, JSON_TEXT_WRONG };
/* A member that is a string; WRONG: of another type, longer than dst, or with control characters. */
enum json_text bounded_json_text(const json_t *, const char *member, char *dst, size_t size);

#endif

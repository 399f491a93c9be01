/* common/fmt/mime.h - the fields of a header that say what a body is (RFC 2045). Pure. */
#ifndef FMT_MIME_H
#define FMT_MIME_H

#include <stdbool.h>

#include "common/base/str.h"

#define MIME_BOUNDARY_MAX	70	/* RFC 2046 5.1.1 */

enum mime_encoding {	/* of the transfer, RFC 2045 6 */
	MIME_7BIT, MIME_8BIT, MIME_BINARY, MIME_QP, MIME_BASE64, MIME_UNKNOWN
};

struct mime_type {
	struct str	type, subtype;	/* views */
	char		boundary[MIME_BOUNDARY_MAX + 1];	/* "": none, or none that could be one */
};

/* The body of a Content-Type field, folded as it stands. False: it makes no sense. */
bool	mime_type(struct str, struct mime_type *);
bool	mime_type_is(const struct mime_type *, const char *type, const char *subtype);	/* subtype NULL: any */
/* The body of a Content-Transfer-Encoding field. */
enum mime_encoding mime_encoding(struct str);

#endif

/*
 * common/fmt/parts.h - the tree of a message's MIME parts (RFC 2045, 2046), found while its bytes pass by. Pure: the
 * caller reads. Linear in time whatever is in the message; depth and number of parts are bounded: what is deeper or more
 * is a leaf's text. Takes LF and CRLF ends, mixed; counts octets as they are in the file and as IMAP sends them (CRLF).
 * Broken mail of all sorts has a tree, too.
 */
#ifndef FMT_PARTS_H
#define FMT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/mime.h"

#define PARTS_DEPTH_MAX	100
#define PARTS_MAX	10000
#define PARTS_HEADER_MAX 262144	/* bytes of one header that are looked at for its fields */
#define PARTS_HEADERS_MAX 1048576	/* and of all headers: those of the parts behind are passed over */
#define PARTS_PARAMS_MAX 64	/* of one field; more are passed over */
#define PARTS_ARENA_MAX	33554432	/* an arena of so many bytes is enough for the parts of any message */

enum part_kind { PART_LEAF, PART_MULTIPART, PART_MESSAGE /* message/rfc822 or message/global: its one child is the message in it */ };

struct part {
	uint32_t	parent, next, child;	/* numbers; 0: there is none (0 is the message itself) */
	uint8_t		kind;			/* enum part_kind */
	uint8_t		encoding;		/* enum mime_encoding */
	uint8_t		is_text;		/* text/..., or no Content-Type */
	uint8_t		spare;
	uint64_t	header, body, end;	/* offsets in the file; the header with its empty line is header .. body */
	uint64_t	header_wire, body_wire;	/* octets with CRLF ends */
	uint32_t	header_lines, body_lines;
};

/* What a header says of a part; views into the arena. p NULL: not said. Texts are unfolded, comments gone, as IMAP's BODYSTRUCTURE wants them (RFC 3501 7.4.2). */
struct part_param {
	struct str	name, value;		/* value unquoted; RFC 2231 left as it stands, continuations as they stand */
	struct part_param *next;
};
struct part_fields {
	struct str	type, subtype;		/* as written; NULL: default */
	struct part_param *params;
	struct str	id, description, encoding, md5, location;
	struct str	disposition;
	struct part_param *disposition_params;
	struct str	languages[8];
	size_t		nlanguages;
	struct str	header;			/* the header's bytes, for an envelope: of the message and of what is in message/rfc822; LF or CRLF as it is */
};

struct parts;	/* the parser */

/* All that it keeps is in the arena. NULL: no memory. */
struct parts *parts_begin(struct arena *);
/* -1: ENOMEM or EMSGSIZE. */
int	parts_feed(struct parts *, struct str) must_check;
int	parts_end(struct parts *) must_check;
/* Valid as long as the arena. */
const struct part *parts_list(const struct parts *, size_t *n);
const struct part_fields *parts_fields(const struct parts *, size_t number);

/* "1.2.3" (RFC 3501 6.4.5 part specifiers) in a table of parts; false: there is none. "1" of a message that is no multipart is its body. */
bool	parts_find(const struct part *, size_t n, const uint32_t *numbers, size_t nnumbers, size_t *out);

#endif

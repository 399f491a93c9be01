/*
 * imapd/fetch_wire.h - lines as IMAP sends them: with CRLF ends, whatever the file has; a bare CR stays. And the fields of a
 * header that were asked for. Pure.
 */
#ifndef IMAPD_FETCH_WIRE_H
#define IMAPD_FETCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "imapd/fetch_parse.h"

/* Octets with CRLF ends; *last is the byte before (0: none), and is the last one afterwards. */
uint64_t wire_count(struct str, char *last);
/* Appends them. -1: the buffer's errno. */
int	wire_put(struct buf *, struct str, char *last) must_check;

/* Fields of a header (RFC 3501 6.4.5, HEADER.FIELDS and HEADER.FIELDS.NOT), which comes in pieces. */
struct wire_fields {
	const struct str *names;
	size_t		 n;
	bool		 except;	/* NOT */
	bool		 inside;	/* of a line that began in the piece before */
	bool		 taken;		/* the field under way is one of them */
};
void	wire_fields_begin(struct wire_fields *, const struct str *names, size_t n, bool except);
/*
 * Appends what was asked for of a piece that begins with a line, or goes on with one that had no end. Only whole lines are taken, all of it if it has no
 * line's end, or if it is the last. How many bytes of it were; -1: the buffer's errno.
 */
int	wire_fields_take(struct wire_fields *, struct str, bool last, struct buf *, size_t *taken) must_check;

/*
 * The end of a header in a piece of the same kind: the empty line's end. False: not within it; *taken bytes have been looked at.
 */
bool	wire_header_end(struct str, bool last, size_t *taken);

#endif

/* imapd/append.h - what the files of APPEND and REPLACE share. */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include "common/store/save.h"
#include "imapd/incoming.h"
#include "imapd/place.h"

struct append {
	struct incoming	 in;
	struct session	*s;
	struct command	*c;
	struct place	 place;
	struct save	*save;
	uint64_t	 freed, nfreed;	/* of the quota there, by REPLACE: bytes, messages */
	/* of the message under way */
	uint64_t	 octets;
	bool		 in_header, eight_bit;	/* there was some in it */
	bool		 utf8;			/* the client has said so (RFC 6855, 4) */
	size_t		 line;			/* octets in this line of the header */
	struct view	*other;			/* of the last URL; NULL, or not the selected one */
};

/* append_message.c */
/* One message: flags, date, content. False: it has been answered, or the client has gone. */
bool	append_message(struct append *);
/* Content. False: as above. */
bool	append_bytes(struct append *, struct str);
/* May so many more octets come? Before they are asked for. */
bool	append_room(struct append *, uint64_t octets);
/* The literal at the cursor. */
bool	append_literal(struct append *);
/* "(~{n}...)" behind UTF8 */
bool	append_utf8(struct append *);
/* catenate.c: what stands behind "CATENATE (". */
bool	append_catenate(struct append *);
/* What was opened for it. */
void	append_catenate_end(struct append *);

#endif

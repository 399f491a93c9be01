/* imapd/fetch_impl.h - what the files of FETCH share. */
#ifndef IMAPD_FETCH_IMPL_H
#define IMAPD_FETCH_IMPL_H

#include "common/fmt/mime.h"
#include "imapd/fetch_file.h"
#include "imapd/fetch_parse.h"
#include "imapd/session.h"

#define FETCH_OUT_FULL	65536		/* so much of the answer goes out */
#define FETCH_OUT_MAX	(64u << 20)	/* the attributes of one message */
#define FETCH_KEEP_MAX	(256u << 10)	/* of what had to be made for its length, per message */

/* How the text of a section is made. */
enum text_how {
	TEXT_NONE,	/* there is no such part: empty, as Dovecot answers */
	TEXT_LEFT_OUT,	/* cannot be decoded */
	TEXT_RANGE,	/* a range of the file */
	TEXT_KEPT,	/* has been made */
	TEXT_FIELDS,	/* fields of a header */
	TEXT_DECODED	/* without its transfer encoding */
};

/* A section of the message under way. */
struct section_text_of {
	enum text_how	 how;
	uint64_t	 from, to;	/* in the file */
	uint64_t	 wire;		/* octets as they are sent, of all of it, or (cut) of the piece that was asked for */
	bool		 cut;
	size_t		 kept;		/* where, in fetch.kept */
	enum mime_encoding encoding;
	bool		 nul;
	bool		 lines;		/* decoded it is text, and its lines end with CRLF (RFC 3516, 6) */
};

struct fetch {
	struct session	*s;
	struct fetch_request r;
	struct buf	 out;
	struct fetch_file file;
	struct buf	 kept;
	struct buf	 piece;		/* as it is sent */
	struct buf	 decoded;	/* with the ends of lines that it has */
	struct section_text_of *texts;	/* as many as r.sections */
	/* of the message under way */
	size_t		 at;
	bool		 first;		/* nothing of it is in out yet */
	bool		 head_known;
	uint64_t	 head_to, head_wire;
	/* for the reply */
	uint32_t	 limited;	/* UID of the last that could be looked at (RFC 9738); 0: all */
	size_t		 gone;
	int		 error;		/* errno of the first that could not be read */
	bool		 unknown_cte;
};

/* fetch.c: buffers, of one command or for as long as messages are told of. */
void	fetch_begin(struct fetch *);
void	fetch_end(struct fetch *);

/* fetch_text.c: where bytes of a section go. */
struct fetch_sink {
	struct session	*s;		/* gets out when it is full; NULL: it is kept, or only counted */
	struct buf	*out;
	uint64_t	 count;
	uint64_t	 skip, left;
	bool		 plain;		/* NUL becomes 0x80 */
	bool		 nul, full;
};
int	fetch_make(struct fetch *, const struct fetch_section *, const struct section_text_of *, struct fetch_sink *,
	    bool *malformed) must_check;
/* The answer of a section, with its label. */
int	fetch_put_section(struct fetch *, const struct fetch_section *, const struct section_text_of *) must_check;

/* fetch_section.c: opens the message and finds its sections. -1: errno, nothing has been written. */
int	fetch_find_sections(struct fetch *) must_check;

/* fetch_preview.c: appended, as it is sent. */
int	fetch_preview(struct fetch *, struct buf *) must_check;

/* fetch_send.c: the answer for a message. extra: bits as in wants that are told as well. */
void	fetch_message(struct fetch *, size_t at, unsigned extra, bool uid);
/* It is gone, or cannot be read: for the reply, and the log. */
void	fetch_failed(struct fetch *, int error);

#endif

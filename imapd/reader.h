/*
 * imapd/reader.h - commands come in: lines, and the literals in them (RFC 3501 4.3, RFC 7888). Every length is bounded; what
 * goes beyond a limit is answered with BAD, or with BYE where the client could not be understood any more.
 */
#ifndef IMAPD_READER_H
#define IMAPD_READER_H

#include "imapd/session.h"

enum reader_status {
	READER_OK,
	READER_BAD,	/* answered already */
	READER_OVER	/* s->end says why */
};

/*
 * The next command, whole, into *text, with its literals: "a LOGIN {1}\r\nx y". One that reads its own literals (command_streams) is given as
 * far as the first of them.
 */
enum reader_status reader_next(struct session *, struct buf *text);
/* A line of a continuation that is no command: of IDLE, AUTHENTICATE. READER_BAD: too long, or it announces a literal; read away. */
enum reader_status reader_line(struct session *, struct str *);

/*
 * For commands that stream, at a literal that args ends with: "+ go ahead" is said unless it comes anyway. Then the bytes are given piece by piece.
 * -1: the client has gone, s->end says why.
 */
int	reader_literal_begin(struct session *, const struct imap_literal *) must_check;
/* Up to left bytes, at least one; counts them off. */
int	reader_literal_some(struct session *, uint64_t *left, struct str *piece) must_check;
/* The rest is thrown away (a literal that is refused though it comes anyway). */
int	reader_literal_skip(struct session *, uint64_t left) must_check;
/*
 * What follows a literal in a command that streams: the rest of the line (up to CRLF) into *text, which is reset; it may end with the next
 * one's announcement. READER_BAD: too long, control characters, no UTF-8; nothing has been said, the command has to.
 */
enum reader_status reader_more(struct session *, struct buf *text);

/* The connection has failed as errno says (0: it was closed): s->end is set, and BYE said where it can be. */
void	reader_over(struct session *);

#endif

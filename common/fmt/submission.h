/*
 * common/fmt/submission.h - what a message is given and what is taken from it where it is handed in (RFC 6409 8;
 * RFC 5322 3.6.3, 3.6.6). A stream: pieces of any size in, what is to be stored out; no more than one field is held.
 *
 * In the header, which ends at an empty line or before the first line that is no field:
 *	Bcc and Resent-Bcc go, with SUBMISSION_MAILBOX also Return-Path and Content-Length;
 *	mailboxes without a domain get one in From, Sender, Reply-To, To, Cc and the same with Resent-;
 *	From, Date and Message-ID that are missing are added at its end, Resent-From, Resent-Date and
 *	Resent-Message-ID at the end of the newest block, if there is one;
 *	if it ends before a line that is no field, an empty line is put there.
 * No Sender is added (RFC 6409 8.1 leaves it open): who sent it stands in the envelope.
 * All else stays, byte for byte. What was through it once comes through a second time as it is.
 */
#ifndef FMT_SUBMISSION_H
#define FMT_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/resent.h"

#define SUBMISSION_FIELD_MAX	65536u	/* addresses in a longer field stay as they are */
#define SUBMISSION_NAME_MAX	998u	/* a longer one is no field's */
#define SUBMISSION_LINE_MAX	998u	/* RFC 5322 2.1.1: a line that would be longer is not completed */

enum submission_flags { SUBMISSION_MAILBOX = 1 };

/* Views that live as long as the stream. What is empty is not added. */
struct submission_set {
	unsigned	flags;
	struct str	from;		/* mailbox, as in a From field */
	struct str	date;		/* as of date_format */
	struct str	id, host;	/* Message-ID: <id@host> */
	struct str	domain;		/* for mailboxes without one */
};

enum submission_state { SUBMISSION_START, SUBMISSION_NAME, SUBMISSION_LINE, SUBMISSION_BODY };
enum submission_what { SUBMISSION_PASS, SUBMISSION_DROP, SUBMISSION_HOLD };

struct submission {
	struct submission_set	 set;
	enum submission_state	 state;
	enum submission_what	 what;		/* becomes of this field */
	bool			 field;		/* a line that begins with a blank goes on with it */
	bool			 first;		/* nothing but "From " lines so far */
	bool			 open;		/* the last line given out has no end yet */
	bool			 from, date, id;	/* these fields were there */
	struct resent		 resent;
	struct buf		 held;		/* a name, or a field of addresses */
};

void	submission_init(struct submission *, const struct submission_set *);
/* What is to be stored is added to out; out's buf_ok tells of all memory. */
void	submission_add(struct submission *, struct str piece, struct buf *out);
/* The message has ended. */
void	submission_end(struct submission *, struct buf *out);
void	submission_free(struct submission *);

#endif

/*
 * common/fmt/dsn.h - reports of delivery: multipart/report (RFC 6522) with a text for a
 * person, a part for programs (RFC 3464; RFC 6533 with SMTPUTF8), and the message or its header.
 * Pure: the caller puts the returned content between dsn_begin and dsn_end.
 */
#ifndef FMT_DSN_H
#define FMT_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

enum dsn_kind { DSN_FAILURE, DSN_DELAY, DSN_SUCCESS };

struct dsn_rcpt {
	struct str	 addr;		/* as the sender gave it */
	struct str	 orcpt;		/* ORCPT as it was given, "type;xtext", or empty */
	const char	*action;	/* failed, delayed, delivered, relayed, expanded (RFC 3464 2.3.3) */
	struct str	 status;	/* "5.1.1"; anything else becomes "5.0.0" (4, 2: by the kind) */
	struct str	 remote;	/* the host whose reply it is, or empty */
	struct str	 diagnostic;	/* its reply, or our own words; may be empty */
	struct str	 history;	/* one line for each attempt, LF ends, for the person; may be empty */
	int64_t		 last_s;	/* the last attempt, seconds since 1970; 0 not known */
	int64_t		 until_s;	/* of a delay: when it will be given up; 0 none */
};

struct dsn {
	enum dsn_kind	 kind;
	const char	*hostname;	/* of the reporting MTA */
	const char	*id;		/* of this report: Message-ID and boundary are made of it */
	const char	*about;		/* id of the message */
	struct str	 to;		/* its sender */
	struct str	 envid;		/* xtext as it was given, or empty */
	struct str	 subject;	/* of the message, unfolded, or empty */
	int64_t		 now_s, arrival_s;
	bool		 utf8;		/* in the form of RFC 6533: there is UTF-8 that the other cannot hold */
	bool		 eightbit;	/* what is returned may have bytes above 127 */
	bool		 full;		/* the message is returned, not only its header */
	bool		 postmaster;	/* it had no sender, and the postmaster is told */
};

/* Header, the first two parts, and the header of the third, CRLF ends. -1: the buffer's errno. */
int	dsn_begin(struct buf *, const struct dsn *, const struct dsn_rcpt *, size_t) must_check;
/* The end, behind content that ended with CRLF. */
int	dsn_end(struct buf *, const struct dsn *) must_check;

/* Does the report hold bytes above 127? Its envelope needs 8BITMIME then. */
bool	dsn_is_eightbit(const struct dsn *, const struct dsn_rcpt *, size_t);

/* ---- for dsn.c, dsn_text.c and dsn_addr.c only */
void	dsn_text(struct buf *, const struct dsn *, const struct dsn_rcpt *, size_t);
/* Without control characters, cut at max bytes (never within a character); what is not ASCII, or UTF-8 if that may be, becomes '?'. */
void	dsn_clean(struct buf *, struct str, bool utf8, size_t max);
void	dsn_date(struct buf *, int64_t);
/* What is returned, in words. */
const char *dsn_what(const struct dsn *);
/* "type;address" of a recipient, and of his ORCPT without its encoding. */
void	dsn_final(struct buf *, const struct dsn *, struct str addr);
void	dsn_original(struct buf *, const struct dsn *, struct str orcpt);

#endif

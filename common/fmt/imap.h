/*
 * common/fmt/imap.h - the words of IMAP (RFC 3501 9, RFC 9051 9), for server and client. Pure. A command is parsed as
 * it came, its literals within: "{5}\r\nhello" is a string of five bytes. What has to be copied (quoted strings with
 * escapes) goes into an arena; everything else is a view of the command. All match and advance, or leave the cursor where it was.
 */
#ifndef FMT_IMAP_H
#define FMT_IMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define IMAP_TAG_MAX	128
#define IMAP_SET_MAX	100000	/* ranges in one set */
#define IMAP_DATE_SIZE	32

bool	is_imap_atom(unsigned char);	/* ATOM-CHAR */
bool	is_imap_astring(unsigned char);	/* ASTRING-CHAR: also ']' */
bool	imap_sp(struct cur *);		/* one blank */
bool	imap_tag(struct cur *, struct str *);	/* ASTRING-CHARs without '+' */
bool	imap_atom(struct cur *, struct str *);
/* Quoted or literal (also "~{", literal8, and "{n+}"); 8-bit bytes are let through, NUL only in literal8. */
bool	imap_string(struct cur *, struct arena *, struct str *);
bool	imap_astring(struct cur *, struct arena *, struct str *);
/* NIL gives true and *is_nil. */
bool	imap_nstring(struct cur *, struct arena *, struct str *, bool *is_nil);
/* list-mailbox: an astring that may have '%' and '*' */
bool	imap_list_mailbox(struct cur *, struct arena *, struct str *);
bool	imap_number(struct cur *, uint32_t *);
bool	imap_nz_number(struct cur *, uint32_t *);
bool	imap_number64(struct cur *, uint64_t *);	/* up to 2^63 - 1 */
/* "\Seen", "keyword" or "$MDNSent", with the backslash; not "\*" */
bool	imap_flag(struct cur *, struct str *);

struct imap_literal {
	uint64_t	n;
	bool		plus;		/* LITERAL+ or LITERAL-: it comes without being asked for */
	bool		binary;		/* "~{": literal8 (RFC 3516) */
};
/*
 * Clients say more blanks than one, and some inside of parentheses and at the end: they are taken out of a line (or of what follows a literal), in place; not
 * those in quotes, and none that makes an announcement of what is not. The new length.
 */
size_t	imap_blanks(char *, size_t);
/* Does a line (without CRLF) end in the announcement of a literal? *line is cut in front of it. */
bool	imap_literal_at_end(struct str *line, struct imap_literal *);

/* date: "1-Feb-1994", quoted or not; days since 1970-01-01. */
bool	imap_date(struct cur *, int64_t *days);
/* date-time: "\" 1-Feb-1994 21:52:25 -0800\"" with the quotes; seconds since 1970 UTC, minutes east of it */
bool	imap_date_time(struct cur *, int64_t *, int *zone);
/* The same without quotes, zone +0000 unless given. */
const char *imap_put_date_time(char[IMAP_DATE_SIZE], int64_t, int zone);

/* A sequence-set (RFC 3501 9): sorted, ranges do not touch, after imap_set_end. '*' is 0 until then. */
struct imap_range {
	uint32_t	from, to;
};
struct imap_set {
	struct imap_range *r;
	size_t		 n;
};
/* "1:3,7,*"; not "$". The ranges are in the arena. Too many: no match. */
bool	imap_set(struct cur *, struct arena *, struct imap_set *);
/* What '*' is: the largest number there is (0: none, and '*' and what is above it match nothing, RFC 3501 6.4.8). Sorts and merges; keeps "n:*" with n above largest as largest. */
void	imap_set_end(struct imap_set *, uint32_t largest);
bool	imap_set_has(const struct imap_set *, uint32_t);
/* "1:3,7" of sorted numbers, for responses. */
int	imap_put_numbers(struct buf *, const uint32_t *, size_t);
/* As above, built one by one: pass each number in order, then put_set_end. */
struct imap_run {
	struct buf	*out;
	uint32_t	 from, to;	/* 0: none yet */
	bool		 some;
};
void	imap_run_begin(struct imap_run *, struct buf *);
void	imap_run_add(struct imap_run *, uint32_t);
void	imap_run_add_range(struct imap_run *, uint32_t from, uint32_t to);
void	imap_run_end(struct imap_run *);

/* Strings for responses. utf8: the client takes UTF-8 in quoted strings (RFC 6855, RFC 9051). Quoted if it can be, else a literal. */
int	imap_put_string(struct buf *, struct str, bool utf8);
int	imap_put_astring(struct buf *, struct str, bool utf8);	/* an atom if it can be */
int	imap_put_nstring(struct buf *, struct str, bool utf8);	/* p NULL: NIL */

#endif

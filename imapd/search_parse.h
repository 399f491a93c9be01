/*
 * imapd/search_parse.h - the program of a SEARCH, SORT or THREAD: its keys (RFC 3501 6.4.4, RFC 9051 6.4.4, and extensions of them)
 * as a tree. Pure: nothing is looked up here. Depth and number of keys are bounded.
 */
#ifndef IMAPD_SEARCH_PARSE_H
#define IMAPD_SEARCH_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/fmt/charset.h"
#include "common/fmt/cur.h"
#include "common/fmt/imap.h"

#define SEARCH_DEPTH_MAX	100	/* parentheses and first arguments of OR in each other */
#define SEARCH_KEYS_MAX		5000
#define SEARCH_TEXT_MAX		8192	/* octets of one string, as UTF-8 */

enum search_key {
	KEY_ALL, KEY_AND, KEY_OR,	/* of child and what follows it */
	KEY_FLAGS,			/* set and clear */
	KEY_KEYWORD,			/* text */
	KEY_NUMBERS, KEY_UIDS,		/* numbers */
	KEY_RESULT,			/* "$", RFC 5182 */
	KEY_MODSEQ,			/* value, RFC 7162 3.1.5 */
	KEY_LARGER, KEY_SMALLER,	/* value */
	KEY_DATE,			/* date, when, value: days since 1970 */
	KEY_OLDER, KEY_YOUNGER,		/* value: seconds, RFC 5032 */
	KEY_EMAILID, KEY_THREADID,	/* text, RFC 8474 */
	KEY_HEADER,			/* field, name, text */
	KEY_BODY, KEY_TEXT		/* text */
};
enum search_date { DATE_INTERNAL, DATE_SENT, DATE_SAVED };
enum search_when { WHEN_BEFORE, WHEN_ON, WHEN_SINCE };
/* Fields that an ENVELOPE has are found without the header. */
enum search_field {
	FIELD_DATE, FIELD_SUBJECT, FIELD_FROM, FIELD_TO, FIELD_CC, FIELD_BCC,
	FIELD_IN_REPLY_TO, FIELD_MESSAGE_ID, FIELD_OTHER
};

struct search_node {
	struct search_node *child, *next;
	uint8_t		 key, field, date, when;	/* enums above */
	bool		 negated;
	uint8_t		 cost;		/* of search_run.c */
	uint16_t	 set, clear;	/* VIEW_... */
	uint32_t	 slot;		/* of search_run.c */
	uint64_t	 value;
	struct imap_set	 numbers;	/* as imap_set gives them: '*' is not known here */
	struct str	 name, text;	/* text is UTF-8 */
};

struct search_program {
	struct search_node *root;	/* KEY_AND */
	unsigned	 nkeys;
	bool		 has_numbers;	/* message sequence numbers */
	bool		 has_result;	/* "$" */
	bool		 has_modseq;
};

/*
 * All keys up to the end (or to a closing parenthesis, which stays). Strings are in that charset; NULL: in one that is not known, and nobody will search. False: *why says what is wrong
 * (and the cursor stays). Everything is in the arena.
 */
bool	search_parse(struct cur *, struct arena *, const struct charset *, struct search_program *, const char **why);

#endif

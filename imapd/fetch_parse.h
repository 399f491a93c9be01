/*
 * imapd/fetch_parse.h - what FETCH asks for (RFC 3501 6.4.5 and 9, RFC 9051, RFC 3516, 7162, 8474, 8514, 8970, 9394). Pure: what is
 * not a view of the command is in the arena.
 */
#ifndef IMAPD_FETCH_PARSE_H
#define IMAPD_FETCH_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define FETCH_SECTIONS_MAX	1000	/* BODY[...] and their like in one command */
#define FETCH_NAMES_MAX		500	/* fields in one HEADER.FIELDS */
#define FETCH_DEPTH_MAX		100	/* numbers in "1.2.3" */

/* Attributes that are no text of the message. */
enum fetch_att {
	FETCH_FLAGS, FETCH_MODSEQ, FETCH_INTERNALDATE, FETCH_SIZE, FETCH_ENVELOPE, FETCH_BODY, FETCH_STRUCTURE,
	FETCH_EMAILID, FETCH_THREADID, FETCH_SAVEDATE, FETCH_PREVIEW, FETCH_ATTS
};

enum section_kind { SECTION_BODY, SECTION_BINARY, SECTION_BINARY_SIZE };
enum section_text {
	SECTION_ALL, SECTION_HEADER, SECTION_FIELDS, SECTION_FIELDS_NOT, SECTION_TEXT, SECTION_MIME
};

struct fetch_section {
	enum section_kind kind;
	enum section_text text;
	const uint32_t	*part;		/* 1.2.3 */
	size_t		 npart;
	const struct str *names;	/* of fields, ordered by names_has */
	size_t		 nnames;
	bool		 partial;
	uint64_t	 from, count;	/* of a partial */
	struct str	 label;		/* as the answer names it: "BODY[1.MIME]<0>" */
};

struct fetch_request {
	enum fetch_att	 atts[FETCH_ATTS];	/* as asked for, each once */
	size_t		 natts;
	unsigned	 wants;			/* the same as bits, 1 << FETCH_... */
	bool		 uid;
	bool		 seen;			/* \Seen is set */
	bool		 lazy;			/* PREVIEW (LAZY) */
	struct fetch_section *sections;
	size_t		 nsections;
	/* modifiers */
	bool		 since_given, vanished;
	uint64_t	 since;
	bool		 slice, slice_last;	/* PARTIAL; counted from the end */
	uint32_t	 slice_from, slice_to;	/* in order, from 1 */
};

/* uid: of UID FETCH. What follows the set, to the end of the command: "(FLAGS BODY[]) (CHANGEDSINCE 5)". False: *why is what BAD says. */
bool	fetch_parse(struct cur *, struct arena *, bool uid, struct fetch_request *, const char **why);
/* "(FLAGS BODY[])" alone, wherever it stands (RFC 5465 8). False: *why. */
bool	fetch_parse_list(struct cur *, struct arena *, struct fetch_request *, const char **why);
/* One more attribute that is not asked for yet. */
void	fetch_want(struct fetch_request *, enum fetch_att);
static inline bool
fetch_wants(const struct fetch_request *r, enum fetch_att a)
{
	return (r->wants & 1u << a) != 0;
}
/* Is it among a section's names (ASCII case ignored)? */
bool	names_has(const struct str *, size_t, struct str);
/* Puts them in the order that names_has wants. */
void	names_order(struct str *, size_t);

#endif

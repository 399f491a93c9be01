/*
 * common/fmt/imap_url.h - URLs of messages on this server and of parts of them (RFC 5092), as CATENATE has them (RFC 4469):
 * "/Drafts;UIDVALIDITY=3/;UID=20/;SECTION=1.2.MIME/;PARTIAL=0.1024". Pure.
 */
#ifndef FMT_IMAP_URL_H
#define FMT_IMAP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/str.h"

#define IMAP_URL_PARTS	100	/* depth of a section */
#define IMAP_URL_NAMES	200	/* fields in one HEADER.FIELDS */

enum imap_url_text {
	IMAP_URL_WHOLE, IMAP_URL_HEADER, IMAP_URL_FIELDS, IMAP_URL_FIELDS_NOT, IMAP_URL_TEXT, IMAP_URL_MIME
};

struct imap_url {
	struct str	mailbox;		/* UTF-8, decoded; in the arena */
	uint32_t	validity;		/* 0: any */
	uint32_t	uid;
	uint32_t	numbers[IMAP_URL_PARTS];	/* of the section */
	size_t		nnumbers;
	enum imap_url_text text;
	struct str	*names;			/* of fields, as they stand there; in the arena */
	size_t		nnames;
	bool		partial;
	uint64_t	offset, length;		/* length UINT64_MAX: to the end */
};

/* False: it is none, or of another server. */
bool	imap_url(struct str, struct arena *, struct imap_url *) must_check;

#endif

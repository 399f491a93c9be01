/*
 * common/store/box_uidlist.h - the text of dovecot-uidlist, read and written;
 * pure. Version 3:
 *
 *	3 V<uidvalidity> N<next uid> [X<more>]...\n
 *	<uid> [X<value>]... :<file name>\n
 *
 * with W<octets with CRLF line ends> and P<name for POP3's UIDL> among the X. Version 1 is
 * "1 <uidvalidity> <next uid>\n" and "<uid> <file name>\n".
 */
#ifndef STORE_BOX_UIDLIST_H
#define STORE_BOX_UIDLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

struct uidlist_head {
	unsigned	version;	/* 1 or 3 */
	uint32_t	validity, next;
	struct str	more;		/* other fields, as they stand */
};

struct uidlist_line {
	uint32_t	uid;
	struct str	more;		/* fields as they stand, without the last blank */
	struct str	name;		/* base name: no flags, no '/' */
};

/* The first line; false if it is none. */
bool	uidlist_head(struct cur *, struct uidlist_head *);
/*
 * The next line with a UID above *last, which it becomes. Lines that say
 * nothing of use are skipped and counted; false at the end.
 */
bool	uidlist_next(struct cur *, unsigned version, uint32_t *last,
	    size_t *skipped, struct uidlist_line *);
/* The value of a field. */
bool	uidlist_field(struct str more, char key, struct str *);
/*
 * A name for POP3's UIDL by Dovecot's pop3_uidl_format: %u is the UID, %v the validity, %f the file's base name; X in front
 * of the letter: in hexadecimal; 0 and a number: as wide as that; %%. False: the format knows more, or it does not fit.
 */
bool	uidlist_pop3_name(const char *format, uint32_t uid, uint32_t validity, struct str name, char *, size_t);
/* Can a line hold this base name? */
bool	uidlist_name_ok(struct str);
/* Version 3; errors stay in the buffer. */
void	uidlist_put_head(struct buf *, const struct uidlist_head *);
void	uidlist_put(struct buf *, const struct uidlist_line *);

#endif

/*
 * imapd/acl_file.h - who may do what with a folder, as Dovecot keeps it in "dovecot-acl" (its vfile format), one line each:
 *
 *	anyone lr
 *	user=bob lrws
 *	-user=carol w
 *	"group=the staff" lr :lookup read
 *
 * and the same as IMAP has it (RFC 4314): "bob", "-carol", "$the staff", "!group that overrides", "anyone", "authenticated",
 * "owner". Pure.
 */
#ifndef IMAPD_ACL_FILE_H
#define IMAPD_ACL_FILE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

/* Rights of RFC 4314, 2.1, as bits. */
enum {
	RIGHT_LOOKUP = 1, RIGHT_READ = 2, RIGHT_SEEN = 4, RIGHT_WRITE = 8, RIGHT_INSERT = 16, RIGHT_POST = 32,
	RIGHT_CREATE = 64, RIGHT_DELETE = 128, RIGHT_REMOVE = 256 /* 't' */, RIGHT_EXPUNGE = 512, RIGHT_ADMIN = 1024,
	RIGHTS_ALL = 2047
};

#define ACL_ENTRIES_MAX	256
#define ACL_NAME_MAX	255	/* bytes of a user's or group's name */
#define ACL_FILE_MAX	(128u << 10)
#define ACL_LETTERS	16	/* room for the letters of all rights */

/* Later ones go before earlier ones, whatever their rights. */
enum acl_kind {
	ACL_ANYONE, ACL_AUTHENTICATED, ACL_GROUP, ACL_OWNER, ACL_USER, ACL_GROUP_OVERRIDE
};

struct acl_entry {
	enum acl_kind	kind;
	bool		negative;
	struct str	name;		/* of the user or group */
	unsigned	rights;
};

struct acl {
	struct acl_entry e[ACL_ENTRIES_MAX];
	size_t		 n;
};

struct acl_who {
	const char	*user;
	const char	*const *groups;	/* names, ended by NULL; may be NULL */
	bool		 owner;
};

/* Letters into bits, with 'c' and 'd' of RFC 2086 as RFC 4314, 2.1.1 has them; false: one that is none. */
bool	acl_rights_parse(struct str, unsigned *);
/* All of them, in the usual order; with 'c' and 'd' behind them if old. */
const char *acl_rights_text(unsigned, bool old, char[ACL_LETTERS]);
/* False: a line is none of these; then nobody can say who has which rights. Names are views, or in the arena. */
bool	acl_file_parse(struct str text, struct arena *, struct acl *);
void	acl_file_put(struct buf *, const struct acl *);
unsigned acl_rights_of(const struct acl *, const struct acl_who *);
/* An identifier of IMAP. False: nobody can be called that. */
bool	acl_id_parse(struct str, struct acl_entry *);
/* Appends the identifier, not quoted. */
void	acl_id_put(struct buf *, const struct acl_entry *);
/* The entry for the same; NULL: there is none. */
struct acl_entry *acl_find(struct acl *, const struct acl_entry *);

#endif

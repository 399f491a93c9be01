/*
 * common/store/users.h - who is a user: the system's (getpwnam), or in a passwd-file
 * "name:password:uid:gid:gecos:home:shell:extra" as Dovecot reads it, or in an SQLite database. Files and databases
 * are compiled into users.cdb (no passwords; for route and local) and auth.cdb (passwords; for auth alone).
 */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/str.h"

#define USER_NAME_MAX	128
#define USER_PATH_MAX	1024
#define USER_PASSWORD_MAX 1024
#define USER_APPS_MAX	32	/* application passwords of one user */
#define USER_APP_MAX	32	/* letters of the name of one */
#define USER_LIST_MAX	1024	/* of services, of networks */

struct user {
	char		name[USER_NAME_MAX + 1];
	uid_t		uid;
	gid_t		gid;
	char		home[USER_PATH_MAX];
	char		mailbox[USER_PATH_MAX];	/* "" = the configuration's; else "maildir:..." */
	uint64_t	quota;			/* bytes, 0 = the configuration's */
	bool		system;			/* it is in the system's database: so are its groups */
};

struct users_app {
	struct str	name, services, record;	/* services "": all */
};

/* All that a source says of a user; views into what it was read from. */
struct users_entry {
	struct user	 user;
	struct str	 uid_name, gid_name;	/* instead of numbers; "" none */
	struct str	 password;		/* "{SCHEME}text", or of the source's default scheme; "": none */
	const char	*scheme;		/* of records without braces; NULL: the source's, then CRYPT */
	struct users_app apps[USER_APPS_MAX];
	size_t		 napps;
	struct str	 services, networks;	/* "pop3,imap", "192.0.2.0/24,!192.0.2.7"; "": all */
	struct str	 reason;		/* of nologin */
	bool		 master, any, nologin;	/* any: nopassword */
};

/*
 * Pure: one line of a passwd-file. 1 a user, 0 blank or comment, -1 malformed (*what, *col). An empty uid, gid or
 * home is 0 or "".
 */
int	users_parse_line(struct str line, struct users_entry *, const char **what, unsigned *col) must_check;
void	users_entry_init(struct users_entry *);
/*
 * Pure: one of what an entry consists of, by the name it has in the last field of a line, or "name", "password".
 * NULL; or what is wrong with the value. *known is false if that means nothing here.
 */
const char *users_entry_set(struct users_entry *, struct str key, struct str value, bool *known);
/* Pure: an application password. NULL, or what is wrong. */
const char *users_entry_add_app(struct users_entry *, struct str name, struct str services, struct str record);
/* Can somebody be called so? */
bool	users_name_ok(struct str);

enum users_kind { USERS_FILE, USERS_SQLITE, USERS_SYSTEM };

struct users_source {
	enum users_kind	 kind;
	const char	*path;		/* NULL: system */
	const char	*scheme;	/* of records without braces; NULL: CRYPT */
};

/*
 * Where a source says nothing: names or numbers, and a path with %u, %n, %d. "": nothing here, either. domain is %d
 * of names without '@', NULL for none.
 */
struct users_defaults {
	const char	*uid, *gid, *home, *domain;
};

/* The entry's views die with the call. -1 ends the scan (errno; EEXIST: the name is there already). */
typedef int users_sink(void *, const struct users_entry *, const char *file, unsigned line);
/*
 * Every user of the sources to the sink, with uid, gid and home; file and line of a database are "FILE:TABLE" and the
 * row's number. A name that is in several sources is in the first of them only; what stands behind USERS_SYSTEM is
 * left out if the system knows the name. Root must be told a uid and gid, others are themselves where nothing says 0
 * or more. Mistakes, each one line "file:line:col: text", go to mistakes (may be NULL), the first to *why: then -1.
 */
int	users_scan(const struct users_source *, size_t n, const struct users_defaults *, users_sink *, void *,
	    struct buf *mistakes, struct diag *why) must_check;
/* Compiles sources into tables dir (users.cdb readable by route and local, auth.cdb 0640 for auth). */
int	users_compile(const struct users_source *, size_t n, const struct users_defaults *, int tablesdir,
	    gid_t auth_gid, struct diag *) must_check;

struct users;	/* reader, opaque */
/*
 * tables: users.cdb in tablesdir. system: whom it does not know is asked of getpwnam (which is asked once here, so
 * that what it needs is loaded before a sandbox). At least one of the two.
 */
int	users_open(struct users **, bool tables, bool system, int tablesdir, struct diag *) must_check;
/* Also auth.cdb, for users_secrets. */
int	users_open_passwords(struct users *, struct diag *) must_check;
/* Notices tables that were compiled anew; cheap. True if something changed; on failure (*why is set) the old stays. */
bool	users_refresh(struct users *, struct diag *why);
/* 1 found, 0 no such user, -1 temporary error. Names are looked up in lower case. why (may be NULL) gets "passwd" or "file:line". */
int	users_find(struct users *, struct str name, struct user *, struct buf *why) must_check;
/*
 * What auth.cdb has of a name: passwords ("{SCHEME}hash"), services, networks and flags of the entry are set, as
 * views into rec, which has room for more behind it, and which the caller wipes. Same results. The name "" gives the password of somebody, to spend the
 * same time on unknown users. -1 ENOTSUP: without tables.
 */
int	users_secrets(struct users *, struct str name, size_t room, struct buf *rec, struct users_entry *) must_check;
void	users_close(struct users **);

/*
 * The system's database by itself, for who asks once: by name, or by number. Needs room for libc's texts
 * (USERS_ROOM is enough for directory services). Same results as users_find; names as they are.
 */
#define USERS_ROOM	(256u << 10)
int	users_system(const char *name, char *room, size_t, struct user *) must_check;
int	users_system_uid(uid_t, char *room, size_t, struct user *) must_check;

/*
 * "maildir:~/Maildir", %u user, %n what stands before its '@', %d domain, %h home -> location with an absolute path.
 * The user's own setting goes before. %d is what stands behind the '@' of the name, or domain if there is none; -1
 * EINVAL without either, ENAMETOOLONG.
 */
int	users_mailbox_in(const struct user *, const char *domain, const char *setting, char *, size_t) must_check;
/* The same for a home directory: a path with %u, %n, %d. */
int	users_home_in(const struct user *, const char *domain, const char *setting, char *, size_t) must_check;

#endif

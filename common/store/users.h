/*
 * common/store/users.h - who is a user: the system's (getpwnam) or a passwd-file
 * "name:password:uid:gid:gecos:home:shell:extra" (extra: mail=maildir:/x quota=1G), as Dovecot reads. Compiled
 * into users.cdb (no passwords; for route and local) and auth.cdb (passwords; for auth alone).
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

struct user {
	char		name[USER_NAME_MAX + 1];
	uid_t		uid;
	gid_t		gid;
	char		home[USER_PATH_MAX];
	char		mailbox[USER_PATH_MAX];	/* "" = the configuration's; else "maildir:..." */
	uint64_t	quota;			/* bytes, 0 = the configuration's */
	bool		system;			/* it is in the system's database: so are its groups */
};

/* Pure: one line of a passwd-file. 1 a user, 0 blank or comment, -1 malformed (*what, *col). An empty uid or gid is 0. */
int	users_parse_line(struct str line, struct user *, struct str *password, const char **what, unsigned *col) must_check;

/* A user of a source file; password is a view that dies with the call. -1 ends the scan (errno; EEXIST: the name is there already). */
typedef int users_sink(void *, const struct user *, struct str password, const char *file, unsigned line);
/*
 * Every user of the source files to the sink. Root must be told a uid and gid, others are themselves where a file
 * says 0 or nothing. Mistakes, each one line "file:line:col: text", go to mistakes (may be NULL), the first to *why: then -1.
 */
int	users_scan(const char *const *sources, size_t n, users_sink *, void *, struct buf *mistakes, struct diag *why) must_check;
/* Compiles source files into tables dir (users.cdb 0644-ish readable by route and local, auth.cdb 0640 for auth). Every mistake is file:line:col. */
int	users_compile(const char *const *sources, size_t n, int tablesdir, gid_t auth_gid, struct diag *) must_check;

struct users;	/* reader, opaque */
/* system: getpwnam (asked once here, so that what it needs is loaded before a sandbox); else users.cdb in tablesdir. */
int	users_open(struct users **, bool system, int tablesdir, struct diag *) must_check;
/* Also auth.cdb, for users_password. */
int	users_open_passwords(struct users *, struct diag *) must_check;
/* Notices tables that were compiled anew; cheap. True if something changed; on failure (*why is set) the old stays. */
bool	users_refresh(struct users *, struct diag *why);
/* 1 found, 0 no such user, -1 temporary error. Names are looked up in lower case. why (may be NULL) gets "passwd" or "file:line". */
int	users_find(struct users *, struct str name, struct user *, struct buf *why) must_check;
/*
 * Password record of auth.cdb ("{SCHEME}hash"), wiped by the caller. Same results. The name "" gives the record of
 * somebody, to spend the same time on unknown users. -1 ENOTSUP for users of the system.
 */
int	users_password(struct users *, struct str name, struct buf *) must_check;
void	users_close(struct users **);

/*
 * The system's database by itself, for who asks once: by name, or by number. Needs room for libc's texts
 * (USERS_ROOM is enough for directory services). Same results as users_find; names as they are.
 */
#define USERS_ROOM	(256u << 10)
int	users_system(const char *name, char *room, size_t, struct user *) must_check;
int	users_system_uid(uid_t, char *room, size_t, struct user *) must_check;

/*
 * "maildir:~/Maildir", %u user, %d domain, %h home -> location with an absolute path. The user's own setting goes
 * before. %d is what stands behind the '@' of the name, or domain if there is none; -1 EINVAL without either,
 * ENAMETOOLONG.
 */
int	users_mailbox_in(const struct user *, const char *domain, const char *setting, char *, size_t) must_check;

#endif

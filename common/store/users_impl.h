/* common/store/users_impl.h - names and tags of the compiled tables of users; nobody else includes this. */
#ifndef STORE_USERS_IMPL_H
#define STORE_USERS_IMPL_H

#define USERS_TABLE	"users.cdb"
#define AUTH_TABLE	"auth.cdb"

/* users.cdb: lower-case name -> record */
#define USERS_NAME	'N'
#define USERS_UID	'D'
#define USERS_GID	'G'
#define USERS_HOME	'H'
#define USERS_MAILBOX	'M'
#define USERS_QUOTA	'Q'
#define USERS_PLACE	'L'	/* "file:line" */
/* auth.cdb: lower-case name -> record */
#define USERS_PASSWORD	'P'	/* of the user; behind a USERS_APP, of that */
#define USERS_APP	'A'	/* name */
#define USERS_APP_SERVICES 'V'
#define USERS_SERVICES	'S'
#define USERS_NETWORKS	'W'
#define USERS_REASON	'T'
#define USERS_FLAGS	'F'	/* letters: m master, a any password, n no login */

#endif

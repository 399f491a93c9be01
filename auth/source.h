/*
 * auth/source.h - where accounts come from: what `users` names, in this order. Files and SQLite databases are one
 * table, which route -c has made of them; users of the system are asked for one by one (source_system.h).
 */
#ifndef AUTH_SOURCE_H
#define AUTH_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/net/addr.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

#define ACCOUNT_SECRETS	(1 + USER_APPS_MAX)

/* One of the passwords of an account. */
struct secret {
	struct str	record;		/* "{SCHEME}...", see scheme.h */
	struct str	name;		/* of the application password; "": the user's own */
	struct str	services;	/* "pop3,imap"; "": all */
};

/* Views are into rec, which holds secrets: account_free wipes it. */
struct account {
	struct user	 user;		/* of a user of the system nothing but the name, until system_answer */
	bool		 system;	/* the system has to be asked; there are no secrets */
	bool		 any;		/* nopassword: any password will do */
	bool		 master;	/* may log in as others */
	bool		 nologin;	/* *reason, which may be "", is for the client */
	struct secret	 secrets[ACCOUNT_SECRETS];
	size_t		 nsecrets;	/* 0: no password fits */
	struct str	 services;	/* "pop3,imap"; "": all */
	struct str	 networks;	/* "192.0.2.0/24,!192.0.2.7"; "": all */
	struct str	 reason;
	struct str	 place;		/* "FILE:LINE", "FILE:TABLE:ROW" or "system", for logs and tools */
	struct buf	 rec;
};

void	account_init(struct account *);
void	account_free(struct account *);		/* wiped; as after account_init */
/* May it, when it has proven who it is, use the service from there? False: *why is for the log. */
bool	account_may(const struct account *, const char *service, const struct addr *client, const char **why);
/* Is the service in such a list? */
bool	services_have(struct str list, const char *service);
/*
 * Is the address in such a list of networks? The first that has it decides, "!" in front says no; an address that
 * is in none is in the list if all of it are exceptions. What is no network has nobody.
 */
bool	networks_have(struct str list, const struct addr *);

struct sources;	/* opaque */

/* dir: the tables' directory, which must stay open. Is to be called where the tables can be read. */
int	sources_open(struct sources **, const struct settings *, int dir, struct diag *) must_check;
/* Notices tables that were compiled anew; cheap. True if something changed; on failure (*why is set) the old stay. */
bool	sources_refresh(struct sources *, struct diag *why);
/*
 * The account of that name, upper and lower case being the same, in the first source that knows it. secrets: those
 * that are good for the service (NULL: all). 1, 0 nobody, -1 temporary (errno). With users of the system a name
 * that is in no table, and has no '@', is always 1, .system: whether there is one is for the system to say.
 */
int	sources_find(struct sources *, struct str name, const char *service, struct account *) must_check;
/* The record of somebody whose scheme is that of most: for the time that unknown users take. 1, -1. */
int	sources_nobody(struct sources *, struct account *) must_check;
void	sources_close(struct sources **);

#endif

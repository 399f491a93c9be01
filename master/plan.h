/* master/plan.h - which programs there are, what each gets, and in which order they stop. */
#ifndef MASTER_PLAN_H
#define MASTER_PLAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/proc/settings.h"

enum program_id {
	ID_LOG, ID_KEYS, ID_ROUTE, ID_AUTH, ID_LOCAL, ID_HOP, ID_REMOTE, ID_QUEUE,
	ID_SMTP, ID_LMTP, ID_SUBMISSION, ID_POP3, ID_IMAP, ID_INTROSPECT, ID_PAM,
	ID_COUNT
};

struct program_plan {
	const char	*name;		/* in the log, in status */
	const char	*binary;	/* below libexec */
	const char	*service;	/* name of its TCP sockets, or NULL */
	const char	*tls_service;	/* and of those with TLS from the first byte, or NULL */
	unsigned	 part;		/* of the configuration */
	unsigned	 stop_step;	/* 0 first; PLAN_STOP_STEPS - 1 last */
};

#define PLAN_STOP_STEPS	6

extern const struct program_plan plan_programs[ID_COUNT];

enum socket_base { BELOW_RUN, BELOW_SPOOL, BELOW_TABLES };

/* A named socket: bound by the master where only its client can reach it. */
struct socket_plan {
	const char	*name;		/* "route@smtp": server@client */
	enum program_id	 server;
	enum socket_base base;
	const char	*dir, *file;	/* below it */
	const char	*user, *group;	/* who may connect; NULL: root */
	mode_t		 mode;
};

extern const struct socket_plan plan_sockets[];
extern const size_t plan_nsockets;

/* Users that must exist before anything is started as root. */
extern const char *const plan_users[];

/* The listen statements of a program with a service; those for tls_service. NULL: it has none. */
const struct setting_list *plan_listen(const struct settings *, enum program_id, bool tls);
/* Does the configuration ask for it? */
bool	plan_wanted(const struct settings *, enum program_id);

#endif

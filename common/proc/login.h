/*
 * common/proc/login.h - a front's side of a login: one conversation with auth over a connection of its own
 * (proto_auth.h). Blocking; used by workers that serve one client.
 */
#ifndef PROC_LOGIN_H
#define PROC_LOGIN_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/proc/proto_auth.h"

/* What auth is told of the connection; views and texts live as long as the caller's. */
struct login_facts {
	const char	*service;	/* "pop3", "submission" ... */
	const char	*client, *local;	/* addresses as text, "" for none */
	const char	*tls;		/* "TLSv1.3 ...", "" in the clear */
	struct str	 exporter, end_point;	/* channel bindings, empty: there is none */
	struct str	 certificate;	/* DER, empty: there is none */
};

enum login_result {
	LOGIN_MORE,	/* the client is to be asked: data is the challenge */
	LOGIN_OK,	/* it is user; data (if has_data) is for the client before it hears of it */
	LOGIN_FAIL,	/* kind and text */
	LOGIN_TEMP	/* not now; text. Also if auth does not answer or makes no sense: then broken is set */
};

struct login {
	const char	*path;		/* of auth's socket */
	int		 fd;		/* -1: no conversation */
	const char	*note;		/* for the session, with login_take; NULL: none */
	struct buf	 question, answer;
	/* of the last answer; views into it */
	char		 user[AUTH_USER_MAX + 1];
	char		 kind[16], text[200];
	struct str	 data;
	bool		 has_data;
	bool		 broken;	/* and errno */
};

void	login_init(struct login *, const char *path);
/* The conversation is over, whatever its state; everything is wiped. */
void	login_end(struct login *);
/* A name and a password: LOGIN_OK, FAIL or TEMP. */
enum login_result login_password(struct login *, const struct login_facts *, struct str user, struct str pass)
	    must_check;
/* initial NULL: the client sent none. */
enum login_result login_sasl(struct login *, const struct login_facts *, struct str mechanism, const struct str *initial)
	    must_check;
/* The client's answer to a challenge. */
enum login_result login_step(struct login *, struct str) must_check;
/* The client does not go on with it: auth need not wait. */
void	login_cancel(struct login *);
/*
 * After LOGIN_OK: the session is started and talks to fd; pending is what the client has sent already. LOGIN_OK: close yours.
 * LOGIN_TEMP with broken: the session may have been started all the same, so not a word more to the client.
 */
enum login_result login_take(struct login *, int fd, struct str pending) must_check;

#endif

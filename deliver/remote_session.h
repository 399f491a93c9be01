/*
 * deliver/remote_session.h - a connection to a server from its greeting to QUIT: EHLO, STARTTLS, AUTH, and the
 * replies. What mail goes over it is remote_tx.h's affair.
 */
#ifndef DELIVER_REMOTE_SESSION_H
#define DELIVER_REMOTE_SESSION_H

#include "common/fmt/ehlo.h"
#include "common/net/conn.h"
#include "deliver/remote.h"
#include "deliver/remote_job.h"

struct session {
	const struct remote	*r;
	struct conn	conn;		/* fd -1: there is none */
	bool		lmtp;
	enum hop_tls	level;
	char		key[JOB_HOST_MAX + 16];	/* of the destination */
	char		host[JOB_HOST_MAX];	/* of the server, "" if it has no name */
	char		called[JOB_HOST_MAX];	/* host; if there is none "[192.0.2.1]", as remote.auth has it, or "" */
	char		peer[512];	/* "mx.example.org[192.0.2.1]:25" */
	char		tls[128];	/* tls_text */
	struct ehlo	ehlo;
	struct reply	reply;		/* the last one */
	const char	*doing;		/* what was said last, for texts */
	unsigned	mails;		/* transactions over it so far */
	unsigned	messages;
	bool		reset;		/* a transaction is open: RSET before the next */
	bool		broken;		/* of no more use, not even for QUIT */
	bool		closing;	/* the server said 421 */
};

enum open_result {
	OPEN_OK,
	OPEN_TEMP,	/* not with this server now */
	OPEN_PERM,	/* it does not want to have to do with us */
	OPEN_CLEAR,	/* TLS failed: once more, in the clear */
	OPEN_LOOP	/* that is ourselves */
};

void	session_init(struct session *, const struct remote *);
/* Takes the connected fd over. Anything but OPEN_OK: *why, and it is closed. clear: do not try TLS even if it is offered. */
enum open_result session_open(struct session *, int fd, const struct target *, const struct hop *, bool clear, struct verdict *why);
bool	session_is_open(const struct session *);
/* May the next message for this destination go over it? Closes it if the server has said anything meanwhile. */
bool	session_fits(struct session *, const struct hop *);
/* QUIT, if that makes sense. Nothing to do on a closed one. */
void	session_close(struct session *);

/* ---- for transactions */

/* A command into the buffer, CRLF is added; `doing` names it. -1: broken. */
int	session_put(struct session *, const char *doing, const char *, ...) printf_like(3, 4);
/* Sends what is in the buffer; -1: broken, *why. */
int	session_flush(struct session *, int64_t timeout_ms, struct verdict *why) must_check;
/* The next reply, into s->reply, to the command `doing`; flushes first. -1: broken, *why. */
int	session_reply(struct session *, const char *doing, int64_t timeout_ms, struct verdict *why) must_check;
/* Breaks it: what came makes no sense. */
void	session_nonsense(struct session *, const char *doing, struct verdict *why);

/* remote_auth.c: logs in; OPEN_OK, or OPEN_TEMP and *why. */
enum open_result session_auth(struct session *, const char *user, struct verdict *why);

#endif

/*
 * common/net/entry.h - a client that has not logged in, of a service that serves mailboxes: what its connection can do,
 * the conversation with auth, and how the connection becomes a session's. What is said, each protocol says in its
 * own words.
 */
#ifndef NET_ENTRY_H
#define NET_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/net/conn.h"
#include "common/net/listener.h"
#include "common/proc/login.h"
#include "common/proc/mechanisms.h"

/* The listener of such a service: as ph-login, in a chroot with nothing but the sockets of auth and keys. */
struct entry_service {
	const char	*program;	/* "pop3d": also its name in the log */
	const char	*alpn;
	const char	*tls_service;	/* "pop3s": whose client would not understand what is said in the clear */
	const char	*too_many, *too_many_of_yours;	/* first and last words */
	const struct listen_settings *(*limits)(const struct listener *);
	void		(*session)(void *, const struct server_session *);	/* the argument is the struct listener */
};
/* The whole of main: its exit status. */
int	entry_main(const struct entry_service *, int argc) must_check;

struct entry {
	const struct listener	*listener;
	const struct server_session *peer;
	struct conn		*conn;
	const char		*service;	/* "pop3", "imap" */
	int64_t			 idle;		/* ms that the client is waited for */
	struct mechanism_facts	 facts;
	bool			 may_start_tls;	/* it can still be encrypted */
	struct login		 login;
	char			 tls[80];	/* "TLSv1.3 TLS_AES_...", as auth takes it; "" in the clear */
	struct buf		 exporter, end_point;	/* channel bindings */
	struct buf		 certificate;	/* the client's */
	char			 client[ADDR_TEXT_SIZE], local[ADDR_TEXT_SIZE];
	long long		 errors;	/* of the client, for who counts them; with all its logins on this connection */
	int			 inner;		/* our end of the relay to its session; -1: there is none */
	char			 before[AUTH_USER_MAX + 1];	/* who was logged in on this connection before; "": nobody */
	bool			 detached;	/* the connection goes on without the front */
};

/* A connection that a session has, or had: what the front has to know when it comes back. */
struct entry_kept {
	struct conn		 conn;
	struct server_session	 peer;
	const struct listener	*listener;
	long long		 errors;
	char			 before[AUTH_USER_MAX + 1];
	const char		*end;		/* it is back, but cannot go on; NULL: it can */
};

/*
 * conn, listener and peer are the caller's. idle: less of it if nearly all workers are busy. If conn is encrypted already (it came back)
 * what is to be known of that is learnt.
 */
void	entry_begin(struct entry *, struct conn *, const struct listener *, const struct server_session *,
	    const char *service, int64_t idle);
/* The same with a connection that has come back; conn has taken over kept's, which is the caller's and lives as long. */
void	entry_begin_again(struct entry *, struct conn *, const struct entry_kept *, const char *service, int64_t idle);
/* Everything that was learnt is forgotten; the connection stays the caller's. */
void	entry_end(struct entry *);
/* The handshake, and a line in the log of how it went. -1: the connection is of no more use, *end says why. */
int	entry_shake_hands(struct entry *, const char **end) must_check;
struct login_facts entry_facts(const struct entry *);

/*
 * Before auth is asked: what was said is on its way, and what the client has said already fits into a question. -1: E2BIG, too
 * many commands at once; else the client has gone.
 */
int	entry_ready(struct entry *) must_check;

/* How the client's turn went. */
enum entry_turn {
	ENTRY_TURN_OK,
	ENTRY_TURN_CANCELLED,	/* "*" */
	ENTRY_TURN_BAD,		/* what came is no answer; said already, by whoever read it */
	ENTRY_TURN_NOT_EMPTY,	/* to the last challenge, which only tells (RFC 4422 5) */
	ENTRY_TURN_OVER		/* the client has gone */
};
/* Sends the challenge, reads the answer and decodes it into *answer. */
typedef enum entry_turn entry_ask(void *arg, struct str challenge, struct buf *answer);
/* "+ base64": for those. -1: the client has gone. */
int	entry_challenge(struct conn *, struct str) must_check;
/* The line that answers it: CANCELLED, OK, or BAD if it is no base64 (nothing is said). */
enum entry_turn entry_answer(struct str line, struct buf *);
/* The initial response of a command: "=" is an empty one. False: it is none. */
bool	entry_initial(struct str text, struct buf *) must_check;
/*
 * A whole conversation; answer holds the initial response if has_initial. OK: *r says how auth decided (never LOGIN_MORE). Else auth
 * knows that the client does not go on. What the mechanism says at its end goes as one more challenge, with an empty answer.
 */
enum entry_turn entry_converse(struct entry *, enum mechanism, bool has_initial, struct buf *answer, entry_ask *, void *arg,
	    enum login_result *r) must_check;

/* What is left to be said after auth's word. */
enum entry_result {
	ENTRY_TAKEN,	/* nothing: the connection is a session's; see entry_carry */
	ENTRY_FAILED,	/* login.kind */
	ENTRY_LATER,	/* login.text; if login.broken then errno is for the log */
	ENTRY_BROKEN	/* it may have a session already: the connection has to be closed. errno is for the log */
};
/* note: for the session, see proto_auth.h; NULL: none. To be followed by login_end. */
enum entry_result entry_admit(struct entry *, enum login_result, const char *note) must_check;
/*
 * After a proof that the connection itself gives (a certificate): may it be login.user? On a connection that has come back only who was
 * logged in before: a session that was taken over could say in its client's name what makes it somebody else. That it gives nothing back
 * proves nothing: if it does so while the client sends a literal, what is in there comes as commands, and from the client itself.
 */
bool	entry_may_be(const struct entry *) must_check;
/* In a thread of its own; conn is its own, too, and kept lives as long as it runs. */
typedef void entry_resume(const struct entry_kept *);
/*
 * When the dialogue is over, and all that was said is wiped: carries the bytes of a client that was taken over TLS until its session ends,
 * here or, detached, in a thread. True: here, and its session has given it back (relay.h): conn is in kept now, and nobody is logged in any
 * more. In a thread resume is called instead. resume NULL: nobody knows what to do with it, it is closed. *end: why it is over, unless detached.
 */
bool	entry_carry(struct entry *, struct entry_kept *, entry_resume *, const char **end);
/* "wrong user name or password": of a kind of failure. */
const char *entry_failure(const char *kind);

#endif

/* smtpd/session.h - one connection and the parts that serve it. */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include "common/fmt/cur.h"
#include "common/net/conn.h"
#include "common/net/tls.h"
#include "common/proc/proto_auth.h"
#include "smtpd/args.h"
#include "smtpd/reception.h"
#include "smtpd/smtpd.h"
#include "smtpd/trace.h"
#include "smtpd/tx.h"

/* A transaction lives while the state is S_MAIL, S_RCPT or S_BDAT. */
enum state {
	S_START = 1,	/* before HELO, EHLO, LHLO */
	S_IDLE = 2,
	S_MAIL = 4,	/* MAIL was accepted, no recipient yet */
	S_RCPT = 8,
	S_BDAT = 16,	/* between two chunks */
	S_END = 32	/* the connection is to be closed */
};
#define S_TX	(S_MAIL | S_RCPT | S_BDAT)
#define S_OPEN	(S_START | S_IDLE | S_TX)

struct session {
	struct smtpd		*d;
	const struct settings	*set;
	const struct server_session *peer;
	struct conn		 conn;
	enum state		 state;
	bool			 extended;	/* EHLO or LHLO */
	char			 helo[HELO_MAX + 1];
	char			 client[ADDR_TEXT_SIZE];
	char			 tls[TLS_TEXT_MAX];	/* of tls_text, "" in the clear */
	char			 user[AUTH_USER_MAX + 1]; /* "": not logged in */
	unsigned		 failures;	/* to log in */
	struct tx		 tx;
	struct reception	 rx;
	long long		 commands, errors;
	bool			 fat;		/* has memory that it need not keep when idle */
	bool			 gone;		/* replies reach nobody any more */
	int64_t			 deadline;	/* of the session, now_ms scale */
	int64_t			 content_by;	/* and of the present message's content */
	unsigned long long	 messages;
};

#define AUTH_LINE_MAX	12288u	/* RFC 4954 4, (6) */
#define AUTH_FAILURES	5u	/* then the session is ended */

/* No wait lasts longer, however slowly the bytes drip: until that time or the session's end. */
void	session_until(struct session *, int64_t);
/* The transaction is over; what it had and did not use is gone. */
void	session_end_tx(struct session *);
/* How long to wait for a line, ms. */
int64_t	session_timeout(const struct session *);
/* The connection failed while a line was waited for (errno, 0 at its end): the client is told if it is still there. */
enum state session_no_line(struct session *, int why);
/* Was the line that was too long read to its end? */
bool	session_line_ended(const struct session *);

/* ---- reply.c: every reply goes this way; 5xx are counted as the client's mistakes. */
void	reply(struct session *, unsigned code, const char *status, const char *fmt, ...)
	    printf_like(4, 5);
/* The service cannot go on: 421, and the state to return. */
enum state reply_closing(struct session *, const char *status, const char *text);
/* One line of a reply, cut if too long, without control characters; its length. Pure. */
size_t	reply_line(char[REPLY_SIZE], unsigned code, bool more, const char *status,
	    const char *text);
/* A line of a reply with more lines to come. */
void	reply_more(struct session *, unsigned code, const char *status, struct str text);

/* ---- greet.c */
void	greet(struct session *);
enum state cmd_helo(struct session *, struct cur *);
enum state cmd_ehlo(struct session *, struct cur *);

/* ---- starttls.c */
bool	starttls_offered(const struct session *);
/* Shakes hands and forgets what came before. False: it failed (logged), and nobody is there to talk to. */
bool	starttls_shake_hands(struct session *);
/* Is this no command but the beginning of a handshake? Then it was answered. */
bool	starttls_unasked(struct session *, struct str line);
enum state cmd_starttls(struct session *, struct cur *);

/* ---- auth.c */
bool	auth_offered(const struct session *);
/* "AUTH PLAIN ..." for EHLO. False: there is no mechanism for this connection. */
bool	auth_announce(struct session *, char *, size_t);
enum state cmd_auth(struct session *, struct cur *);
/* Is something for those who have logged in refused (and answered)? */
bool	auth_missing(struct session *);

/* ---- user.c: what users who have logged in may send. */
/* One of the user's allowance for this transaction. False: answered. */
bool	user_take(struct session *, enum allowance_what);
/* One that was taken for this transaction was not used. */
void	user_give_back(struct session *, enum allowance_what);
/* May who has logged in send as this address? False: answered. */
bool	user_owns_sender(struct session *, struct str sender);

/* ---- mail.c */
enum state cmd_mail(struct session *, struct cur *);
/* ---- rcpt.c */
enum state cmd_rcpt(struct session *, struct cur *);
/* ---- verify.c */
enum state cmd_vrfy(struct session *, struct cur *);
enum state cmd_expn(struct session *, struct cur *);
/* ---- data.c */
/* After the first recipient: the draft is made while the client thinks. */
void	data_prepare(struct session *);
enum state cmd_data(struct session *, struct cur *);
enum state cmd_bdat(struct session *, struct cur *);

/* ---- ask.c: a question to route is begun, filled by the caller, and asked. */
void	ask_begin(struct session *, const char *verb);
struct answer {
	unsigned	code;
	char		status[16];
	char		text[400];
	char		why[304];	/* by which rules, cut */
	struct str	final;		/* a view into the answer's buffer, or empty */
};
/* False: route cannot be asked now (logged); a is 451. */
bool	ask(struct session *, struct answer *a);

#endif

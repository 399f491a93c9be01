/* queue/sendmail_smtp_impl.h - what the parts of sendmail -bs share; nobody else includes this. */
#ifndef QUEUE_SENDMAIL_SMTP_IMPL_H
#define QUEUE_SENDMAIL_SMTP_IMPL_H

#include "common/base/arena.h"
#include "common/fmt/cur.h"
#include "queue/sendmail.h"

enum state {
	S_START = 1, S_IDLE = 2, S_MAIL = 4, S_RCPT = 8, S_END = 16,
	S_LOST = 32	/* the client has gone */
};
#define S_OPEN	(S_START | S_IDLE | S_MAIL | S_RCPT)

struct smtp {
	struct sendmail		*m;
	struct buf		 in;
	enum state		 state;
	bool			 decided, crlf;	/* how the client ends lines: as its first one */
	unsigned		 errors;
	struct arena		 mem;		/* of the transaction */
	struct submit_env	 env;
};

/* One line, the text with its enhanced status; a refusal counts as an error. */
void	sendmail_reply(struct smtp *, unsigned code, const char *text);
/* The transaction is forgotten. */
void	sendmail_reset(struct smtp *);

/* ---- sendmail_smtp_env.c: in stands behind the verb; the state to come */
enum state sendmail_mail(struct smtp *, struct cur *in);
enum state sendmail_rcpt(struct smtp *, struct cur *in);

#endif

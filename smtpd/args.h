/*
 * smtpd/args.h - what stands behind the verbs. Pure: no I/O, no memory of its
 * own; what is found are views into the line.
 */
#ifndef SMTPD_ARGS_H
#define SMTPD_ARGS_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "common/proc/proto_auth.h"

#define HELO_MAX	255

/* What to answer to arguments that are not right. */
struct bad {
	unsigned	 code;
	const char	*status, *text;
};

struct mail_args {
	struct path		from;
	unsigned		options;	/* ENV_ bits of store/envelope.h */
	struct str		envid;		/* as given: xtext (RFC 3461 4.4) */
	unsigned long long	size;
	bool			has_size, has_body, has_ret;
	bool			has_auth;	/* AUTH=, which we do not pass on (RFC 4954 5) */
};

struct rcpt_args {
	struct path	to;
	struct str	orcpt;		/* as given, or empty */
	unsigned	notify;		/* NOTIFY_ bits, 0: not given */
};

struct bdat_args {
	unsigned long long	size;
	bool			last;
};

struct auth_args {
	struct str	mechanism, initial;
	bool		has_initial;
};

/* The verb of a line and what comes behind it, with its blanks. False: there is no verb. */
bool	args_verb(struct str, struct str *, struct cur *);
/* A name fit for a header field and the log: what is odd in it becomes '?'. */
bool	args_helo(struct cur *, char[HELO_MAX + 1]);
/* "FROM:<a@b> SIZE=1 ..."; false: *bad is set. */
bool	args_mail(struct cur *, struct mail_args *, struct bad *);
/* "TO:<a@b> NOTIFY=..."; utf8: MAIL had SMTPUTF8. False: *bad is set. */
bool	args_rcpt(struct cur *, bool utf8, struct rcpt_args *, struct bad *);
/* " 86 LAST" (RFC 3030 2) */
bool	args_bdat(struct cur *, struct bdat_args *);
/* "user", "a@b" or "<a@b>", then perhaps SMTPUTF8; false: *bad is set. */
bool	args_vrfy(struct cur *, struct path *, struct bad *);
/* " PLAIN dGVzdA==" (RFC 4954 4): the words, as they are. */
bool	args_auth(struct cur *, struct auth_args *);
/* A client's message, as base64; "=" is an empty initial one. */
bool	args_auth_decode(struct str, bool initial, struct buf *);
/* The value of AUTH= (RFC 4954 5): "<>" or a mailbox, as xtext. */
bool	args_auth_sender(struct str);

#endif

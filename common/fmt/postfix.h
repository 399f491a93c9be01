/*
 * common/fmt/postfix.h - queue files of Postfix (2.3 to 3.x): typed records, "type, length in groups of 7 bits, data",
 * with pointers that lead elsewhere in the file. Pure; views into the file.
 */
#ifndef FMT_POSTFIX_H
#define FMT_POSTFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

struct postfix_rcpt {
	struct str	addr;
	struct str	orcpt;		/* "rfc822;address", not encoded; "" */
	unsigned	notify;		/* NOTIFY_ bits of RFC 3461, as in esmtp.h; 0: not given */
};

struct postfix_mail {
	int64_t		arrival_us;	/* since 1970 */
	struct str	sender;
	struct str	client, helo, proto, auth;	/* "" if it is not known */
	struct str	envid;		/* not encoded; "" */
	unsigned	ret;		/* 0: not given, 1: FULL, 2: HDRS */
	bool		utf8, eightbit;
	size_t		todo, done;	/* recipients */
};

struct postfix_ops {
	/* One who has not got it yet. */
	bool	(*rcpt)(void *, const struct postfix_rcpt *);
	/* A piece of the content; end: a line ends behind it. NULL: the content is passed over. */
	bool	(*text)(void *, struct str, bool end);
};

/*
 * Reads the whole file. False: *why says what makes no sense, or what a call said no to ("stopped"). Content is handed
 * on before the recipients that were taken from its header, so read twice if the order matters.
 */
bool	postfix_read(struct str file, const struct postfix_ops *, void *, struct postfix_mail *, const char **why);

#endif

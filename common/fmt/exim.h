/*
 * common/fmt/exim.h - spool files of Exim 4: -H with envelope and header, -D with the body, -J with those who have got
 * it since -H was written. Pure; views into the files.
 */
#ifndef FMT_EXIM_H
#define FMT_EXIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"

struct exim_rcpt {
	struct str	addr;
	struct str	orcpt;		/* as it was given; "" */
	unsigned	notify;		/* NOTIFY_ bits, as in esmtp.h; 0: not given */
};

struct exim_mail {
	struct str	name;		/* of the message, without -H */
	int64_t		arrival_s;	/* since 1970 */
	struct str	sender;		/* "" for none */
	struct str	client, helo, proto, auth, envid;	/* "" if it is not known */
	unsigned	ret;		/* 0: not given, 1: FULL, 2: HDRS */
	bool		utf8, frozen, wire;	/* wire: the body has CRLF line ends */
	size_t		nrcpts, ngot;	/* all; those who have got it, as far as -H knows */
	struct str	got;		/* these, for exim_got */
	struct str	rcpts;		/* all, for exim_rcpt_next */
	struct str	header;		/* for exim_header_next */
};

/* The whole -H file. False: *why says what makes no sense. */
bool	exim_read(struct str file, struct exim_mail *, const char **why);
/* The next recipient, of all of them; false at the end. */
bool	exim_rcpt_next(struct cur *, struct exim_rcpt *);
/* Is the address among those of -H, or a line of the -J file? */
bool	exim_got(const struct exim_mail *, struct str journal, struct str addr);
/* The next field of the header with its line end; those that were replaced are left out. False at the end. */
bool	exim_header_next(struct cur *, struct str *text);
/* The body in a -D file of that message; false: it is another one's. */
bool	exim_body(struct str file, struct str name, struct str *body);

#endif

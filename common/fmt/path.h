/*
 * common/fmt/path.h - paths and mailboxes of SMTP (RFC 5321 4.1.2, with the
 * UTF-8 of RFC 6531 where asked for). Views into the input.
 */
#ifndef FMT_PATH_H
#define FMT_PATH_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define LOCAL_MAX	64	/* RFC 5321 4.5.3.1.1 */
#define DOMAIN_MAX	255	/* 4.5.3.1.2 */
#define PATH_MAX_LEN	256	/* 4.5.3.1.3, with the brackets */
#define ADDR_MAX	(LOCAL_MAX * 2 + DOMAIN_MAX + 4)	/* room for a quoted one */

struct path {
	struct str	local;		/* as written: with the quotes of a Quoted-string */
	struct str	domain;		/* "" for <> and <postmaster>; "[...]" for an address literal */
	bool		utf8;		/* holds non-ASCII */
};

enum path_flags { PATH_UTF8 = 1, PATH_LENIENT = 2 };	/* LENIENT: brackets may be missing */

/* <> or <local@domain>; a source route "@a,@b:" is accepted and dropped (RFC 5321 C). */
bool	path_reverse(struct cur *, unsigned, struct path *);
/* <local@domain> or <postmaster> (any case, 4.1.1.3) */
bool	path_forward(struct cur *, unsigned, struct path *);
/* local@domain without brackets, as in aliases and on command lines; "local" alone if the third says so. */
bool	path_mailbox(struct cur *, unsigned, bool, struct path *);
/* A domain of labels (underscore allowed inside), or [literal] checked as IPv4 / IPv6: tag. */
bool	path_domain(struct cur *, unsigned, struct str *);
/* The local part without quotes and backslashes. */
int	path_local_plain(struct str, char *, size_t);
/* "local@domain" in canonical form: domain in lower case, local part unquoted where it can be. -1 EMSGSIZE. */
int	path_format(const struct path *, struct buf *);

#endif

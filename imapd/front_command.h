/*
 * imapd/front_command.h - the commands that are welcome before a login (RFC 3501 6.1, 6.2), as they came: with literals within. Pure
 * but for the arena, where quoted strings with escapes go.
 */
#ifndef IMAPD_FRONT_COMMAND_H
#define IMAPD_FRONT_COMMAND_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/str.h"

enum front_verb {
	FRONT_CAPABILITY, FRONT_NOOP, FRONT_LOGOUT, FRONT_ID, FRONT_STARTTLS, FRONT_AUTHENTICATE, FRONT_LOGIN,
	FRONT_LATER	/* one of those that have to wait for the login */
};

enum front_parsed {
	FRONT_PARSED,
	FRONT_NO_TAG,	/* it does not begin with a tag, or with one that is too long */
	FRONT_UNKNOWN,	/* tag is set */
	FRONT_SYNTAX	/* tag and verb are set */
};

struct front_command {
	struct str	 tag;
	enum front_verb	 verb;
	struct str	 user, pass;	/* of LOGIN; they may hold anything but NUL */
	struct str	 mechanism, initial;	/* of AUTHENTICATE; initial in base64, or "=" */
	bool		 has_initial;
	struct str	 list;		/* of ID, for identify.h */
};

enum front_parsed front_parse(struct str, struct arena *, struct front_command *);

#endif

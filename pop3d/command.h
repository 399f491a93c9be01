/* pop3d/command.h - one command line of POP3 (RFC 1939, 3 and 9; RFC 2449, 4); pure. */
#ifndef POP3D_COMMAND_H
#define POP3D_COMMAND_H

#include <stdint.h>

#include "common/base/str.h"

enum verb {
	VERB_CAPA, VERB_USER, VERB_PASS, VERB_QUIT, VERB_STAT, VERB_LIST,
	VERB_RETR, VERB_DELE, VERB_NOOP, VERB_RSET, VERB_TOP, VERB_UIDL
};

enum command_status {
	COMMAND_OK,
	COMMAND_UNKNOWN,	/* no such verb */
	COMMAND_SYNTAX		/* its arguments are not what it takes; verb is set */
};

struct command {
	enum verb	verb;
	unsigned	n;		/* numbers given */
	uint64_t	number[2];	/* UINT64_MAX also for what is larger */
	struct str	text;		/* of USER and PASS: the rest as it stands */
};

enum command_status command_parse(struct str line, struct command *);

#endif

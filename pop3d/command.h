/*
 * pop3d/command.h - one command line of POP3 (RFC 1939, 3 and 9; RFC 2449, 4; RFC 2595, 4; RFC 5034; RFC 6856);
 * pure.
 */
#ifndef POP3D_COMMAND_H
#define POP3D_COMMAND_H

#include <stdint.h>

#include "common/base/str.h"

enum verb {
	VERB_CAPA, VERB_USER, VERB_PASS, VERB_QUIT, VERB_STAT, VERB_LIST,
	VERB_RETR, VERB_DELE, VERB_NOOP, VERB_RSET, VERB_TOP, VERB_UIDL,
	VERB_STLS, VERB_AUTH, VERB_UTF8, VERB_LANG
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
	struct str	text;		/* of USER, PASS, AUTH and LANG: the rest as it stands; empty for AUTH and LANG alone */
};

enum command_status command_parse(struct str line, struct command *);

#endif

/*
 * imapd/waiting.h - a session that waits for its client and for changes at the same time: IDLE (RFC 2177), and between commands
 * once NOTIFY was given (RFC 5465).
 */
#ifndef IMAPD_WAITING_H
#define IMAPD_WAITING_H

#include "imapd/session.h"

/*
 * Until the client has said a line, which is not taken; meanwhile changes are told. Memory that is not needed is given back.
 * idle: expunges may be told, and "OK Still here" is said from time to time. False: the session is over, s->end says why.
 */
bool	waiting_for_line(struct session *, bool idle);

#endif

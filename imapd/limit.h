/*
 * imapd/limit.h - how many messages one command may be about (RFC 9738): MESSAGELIMIT, or, where there is none, SAVELIMIT, which is
 * for what is copied and appended alone.
 */
#ifndef IMAPD_LIMIT_H
#define IMAPD_LIMIT_H

#include "imapd/session.h"

/* MESSAGELIMIT; 0: any number. */
uint64_t limit_messages(const struct session *);
/* Of *n messages, in order, those with the highest UIDs stay. The lowest UID of them; 0: there were no more than that. */
uint32_t limit_take(const struct session *, size_t *at, size_t *n);
/* May so many be saved by one command? False: NO is said. at: them, in order; NULL: they are not in the mailbox. */
bool	limit_save_ok(struct session *, struct command *, uint64_t n, const size_t *at);
/* NO, for a command that is done for all of its messages or not at all. */
void	limit_refuse(struct command *, uint64_t most, uint32_t lowest);
/* "* NO [MESSAGELIMIT 1000 23221] ...", where the tagged reply has another code. lowest 0: nothing. */
void	limit_say(struct session *, uint32_t lowest);
/* OK, with that code (NULL: none), and with or after MESSAGELIMIT if lowest is not 0. */
void	limit_ok(struct session *, struct command *, uint32_t lowest, const char *code, const char *text);

#endif

/*
 * queue/ledger.h - the accounts of all messages: what was accepted is a credit, each delivery, failure and removal a
 * debit (posthouse-queue(8), Accounting), and what lies in the spool is the balance. Pure but for its memory.
 */
#ifndef QUEUE_LEDGER_H
#define QUEUE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/fmt/logline.h"

enum account_kind { ACCOUNT_UNKNOWN, ACCOUNT_SMTP, ACCOUNT_DROP, ACCOUNT_REPORT, ACCOUNT_IMPORT, ACCOUNT_KINDS };

/* Places of the spool, as bits. */
enum { IN_INCOMING = 1, IN_DROP = 2, IN_QUEUE = 4, IN_HOLD = 8, IN_CORRUPT = 16 };

struct account {
	struct id	id;
	uint32_t	accepted;	/* lines that say so */
	uint32_t	credit, seen;	/* recipients: as accepted; by another line */
	int32_t		expanded;	/* more of them, or fewer */
	uint32_t	stand_in;	/* stood for others, and ended with their expansion */
	uint32_t	revived;	/* failed, and tried again */
	uint32_t	delivered, failed, expired, removed;
	uint32_t	told;		/* failed ones that a report or a discard is about */
	uint32_t	at_end;		/* recipients in its last file */
	uint32_t	nrcpts, waiting;	/* in the spool's file */
	uint8_t		kind, places;
	bool		done, gone, taken, lines, read, odd;
	bool		refused;	/* of a local user, held as it was */
};

struct ledger {
	struct account	*accounts;	/* a hash table; free places have no id */
	size_t		 n, cap;
	int64_t		 since_ms;	/* older messages are carried over */
	uint64_t	 relayed;
	bool		 bad;		/* there was no memory */
};

/* Is this place of the table one without a message? */
bool	account_is_free(const struct account *);
void	ledger_init(struct ledger *, int64_t since_ms);
/* Books a line of the log. */
void	ledger_line(struct ledger *, const struct logline *);
/* A file of the spool; nrcpts 0: it could not be read. */
void	ledger_file(struct ledger *, struct id, uint8_t place, size_t nrcpts, size_t waiting, bool imported);
/* What does not add up of this one, as a text for people in the buffer, which is reset; false: it does. */
bool	ledger_wrong(const struct ledger *, const struct account *, struct buf *);
/* NULL: it has no account. */
const struct account *ledger_find(const struct ledger *, struct id);
void	ledger_free(struct ledger *);

/* Sums over all accounts. */
struct ledger_sums {
	uint64_t	messages[ACCOUNT_KINDS], rcpts[ACCOUNT_KINDS];
	uint64_t	carried, carried_rcpts;
	uint64_t	delivered, failed, expired, removed, revived;
	int64_t		expanded;
	uint64_t	spool, spool_rcpts, untaken;
	int64_t		difference;	/* recipients */
};
void	ledger_sum(const struct ledger *, struct ledger_sums *);

#endif

/*
 * common/store/envelope.h - the head and the tail of a spool file, spool(5).
 *
 *	V1:1,		version, first
 *	I20:ID,		T13:arrival, ms since 1970	K: origin "smtp", "lmtp", "drop", "queue"
 *	C: client IP	H: helo name	P: protocol "ESMTP"	A: authenticated user
 *	S: sender	E: ENVID, xtext as given	O: options, blank-separated: 8BITMIME SMTPUTF8 RET=HDRS RET=FULL
 *	then for each recipient, begun by
 *	r: recipient	o: ORCPT	n: NOTIFY bits, decimal	f: final (struct final)	s1:w, its state
 *	"\n"  content (CRLF line ends)
 *	trailer, always TRAILER_SIZE bytes: \nL16:content length, hex,\nB64:SHA-256 of the simple body,\nX64:of the relaxed body,\nZ3:end,\n
 */
#ifndef STORE_ENVELOPE_H
#define STORE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/id.h"
#include "common/base/str.h"
#include "common/store/digest.h"

#define ENVELOPE_MAX		(16u << 20)	/* bytes of the head */
#define ENVELOPE_RCPTS		100000u

enum rcpt_state {
	RCPT_WAITING = 'w',
	RCPT_LATE = 'l',	/* waits, and the sender was told so */
	RCPT_DELIVERED = 'd',
	RCPT_FAILED = 'f',	/* for good; the sender is to be told */
	RCPT_TOLD = 't',	/* delivered or failed, and whoever wanted to know was told */
	RCPT_EXPANDED = 'x'	/* others stand for him; the sender is to be told */
};

enum envelope_option { ENV_8BITMIME = 1, ENV_SMTPUTF8 = 2, ENV_RET_HDRS = 4, ENV_RET_FULL = 8 };

struct envelope_rcpt {
	struct str	addr;		/* local@domain */
	struct str	orcpt;		/* as given, "" if not */
	unsigned	notify;		/* NOTIFY_ bits, 0 = not given */
	struct str	final;		/* encoded struct final, "" if not known */
	char		state;		/* enum rcpt_state */
	off_t		state_at;	/* offset of the state byte in the file (set by parsing and encoding) */
};

struct envelope {
	char		 id[ID_SIZE];
	int64_t		 arrival_ms;
	struct str	 origin, client, helo, proto, auth, sender, envid;
	unsigned	 options;
	struct envelope_rcpt *rcpts;
	size_t		 nrcpts;
	/* set by envelope_load */
	off_t		 content_at, content_len;
	char		 simple[DIGEST_HEX + 1], relaxed[DIGEST_HEX + 1];
	uid_t		 owner;		/* of the file: who wrote it */
	int64_t		 due_ms;	/* in the queue: the file's mtime */
	char		*mem;		/* what the views look at */
};

#define TRAILER_SIZE	(1 + (1+2+1+16+2) + (1+2+1+64+2) * 2 + (1+1+1+3+2))

/* Head with its empty line appended to buf; state_at of each recipient is set as if buf's content began at offset 0 of the file. */
int	envelope_encode(struct buf *, struct envelope *) must_check;
/* Parses a head from memory (it must end with the empty line); views into text; *rcpts allocated. -1: *why names the offset. */
int	envelope_parse(struct str text, struct envelope *, struct diag *why) must_check;
/* Reads and checks head and trailer of an open spool file (pread). EBADMSG: torn or malformed (-> corrupt/); others: errno of reading. */
int	envelope_load(int, struct envelope *, struct diag *) must_check;
/* Recomputes both body digests and compares them with the trailer: 0, or -1 EBADMSG. */
int	envelope_verify(int, const struct envelope *, struct diag *) must_check;
void	envelope_free(struct envelope *);
/* Is it still to be delivered to? */
bool	envelope_rcpt_waits(const struct envelope_rcpt *);
/* One-byte pwrite of a recipient's state. */
int	envelope_set_state(int, const struct envelope_rcpt *, char) must_check;
void	trailer_format(char[TRAILER_SIZE + 1], off_t, const char *simple, const char *relaxed);

#endif

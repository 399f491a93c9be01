/*
 * queue/import.h - messages of Postfix and Exim become ours. The half that finds and opens the files is whoever calls,
 * which is root; the half that reads and writes them is ph-queue.
 */
#ifndef QUEUE_IMPORT_H
#define QUEUE_IMPORT_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/store/spool.h"

enum import_kind { IMPORT_POSTFIX, IMPORT_EXIM };

enum import_end {
	IMPORT_DONE,	/* it is safe in our spool */
	IMPORT_EMPTY,	/* there is nobody who has not got it */
	IMPORT_WRONG	/* it cannot be understood, or not be written: why says it */
};

/* A message on its way. */
struct import {
	const struct spool	*spool;
	bool			 dry;		/* only look whether it can be understood */
	struct buf		 files[3];	/* Postfix: one; Exim: -H, -D and -J */
	struct buf		 content;	/* with CRLF line ends */
	struct arena		 mem;
	struct envelope		 env;
	size_t			 cap;		/* of its recipients */
	bool			 held;
	struct diag		 why;
};

/* ---- import.c */
/* Reads the descriptors and writes the message; the name that it has got is in env.id. */
enum import_end import_one(struct import *, enum import_kind, const int *fds, size_t n);
void	import_init(struct import *, const struct spool *, bool dry);
void	import_free(struct import *);
/* For the two below: a recipient; false: it makes no sense, or there is no memory (why). */
bool	import_rcpt(struct import *, struct str addr, struct str orcpt, unsigned notify);
/* The address of the sender in our form; false: it makes no sense (why). */
bool	import_sender(struct import *, struct str addr);
/* Bytes as xtext (RFC 3461 4) in the arena; "" if they cannot be. */
struct str import_xtext(struct import *, struct str);
/* Some of the content; LF becomes CRLF. */
bool	import_lines(struct import *, struct str);

/* ---- import_postfix.c, import_exim.c: envelope and content from the files; false: why */
bool	import_postfix(struct import *);
bool	import_exim(struct import *);

#endif

/* deliver/content.h - the bytes of a message: what its header says, and on their way into a file. */
#ifndef DELIVER_CONTENT_H
#define DELIVER_CONTENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define CONTENT_STREAM	(-1)	/* as len: to the end of the file, wherever that is */

struct content {
	int		fd;	/* not owned */
	off_t		at, len; /* of the message in it, CRLF or LF line ends */
	/* of a stream: */
	struct str	begin;	/* what was read of it, at least the header or CONTENT_HEADER_MAX bytes */
	bool		ended;	/* that is all */
	bool		bare;	/* it has no header: an empty line has to go before it */
	off_t		max;	/* bytes; a longer one is EMSGSIZE */
};

struct header_facts {
	bool	loop;		/* a Delivered-To field is the address */
	bool	handed;		/* but only above the first Received field: it tells of this delivery, by whoever called us */
	size_t	hops;		/* Received fields, and those */
};

/* Pure: the facts of a header section (or of as much as there is of it). */
void	header_facts(struct str head, struct str addr, struct header_facts *);
/* Looks at the first CONTENT_HEADER_MAX bytes. */
#define CONTENT_HEADER_MAX	131072u
int	content_facts(const struct content *, struct str addr, struct header_facts *) must_check;
/* Pure: CRLF becomes LF in place; *cr is true if a CR was held back at the end (and is false at the beginning). *lines counts LFs. Returns the length. */
size_t	content_to_lf(char *, size_t, bool *cr, size_t *lines);
/*
 * A head of at most CONTENT_HEAD_MAX bytes, then all of it behind fd's position, with LF line ends, the last line
 * ended; *wire is its size with CRLF, without the head. A stream can be read once.
 */
#define CONTENT_HEAD_MAX	4096u
int	content_copy(const struct content *, struct str head, int fd, off_t *wire) must_check;

/* Return-Path (RFC 5321 4.4), X-Original-To if it differs, Delivered-To; LF line ends. */
void	head_make(struct buf *, struct str sender, struct str rcpt, struct str addr);
/* Lines in it. */
size_t	head_lines(const struct buf *);

#endif

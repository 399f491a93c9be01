/* deliver/content.h - the bytes of a message: what its header says, and on their way into a file. */
#ifndef DELIVER_CONTENT_H
#define DELIVER_CONTENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

struct content {
	int	fd;		/* not owned */
	off_t	at, len;	/* of the message in it, CRLF or LF line ends */
};

struct header_facts {
	bool	loop;		/* a Delivered-To field is the address */
	size_t	hops;		/* Received fields */
};

/* Pure: the facts of a header section (or of as much as there is of it). */
void	header_facts(struct str head, struct str addr, struct header_facts *);
/* Looks at the first CONTENT_HEADER_MAX bytes. */
#define CONTENT_HEADER_MAX	131072u
int	content_facts(const struct content *, struct str addr, struct header_facts *) must_check;
/* Pure: CRLF becomes LF in place; *cr is true if a CR was held back at the end (and is false at the beginning). *lines counts LFs. Returns the length. */
size_t	content_to_lf(char *, size_t, bool *cr, size_t *lines);
/* All of it behind fd's position, with LF line ends, the last line ended; *wire is its size with CRLF. */
int	content_copy(const struct content *, int fd, off_t *wire) must_check;

/* Return-Path (RFC 5321 4.4), X-Original-To if it differs, Delivered-To; LF line ends. */
void	head_make(struct buf *, struct str sender, struct str rcpt, struct str addr);
/* Lines in it. */
size_t	head_lines(const struct buf *);

#endif

/* deliver/input.h - the message on standard input: its beginning is looked at, the rest is a stream. */
#ifndef DELIVER_INPUT_H
#define DELIVER_INPUT_H

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "deliver/content.h"

struct input {
	struct buf	 buf;		/* what was read so far */
	struct content	 content;	/* without a "From " line; its views live as long as buf */
	struct str	 sender;	/* of that line, or of a Return-Path field at the beginning */
	bool		 has_sender;
};

/* Reads the header or CONTENT_HEADER_MAX bytes. -1: errno, nothing to be freed. */
int	input_begin(struct input *, int fd, off_t max) must_check;
/* Pure: what the beginning says. */
void	input_look(struct input *, struct str begin);
void	input_free(struct input *);

#endif

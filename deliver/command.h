/* deliver/command.h - a message into a command, as its user; the exit status decides (sysexits(3)). */
#ifndef DELIVER_COMMAND_H
#define DELIVER_COMMAND_H

#include <stdint.h>

#include "deliver/place.h"

struct command {
	struct str	line;		/* for sh -c */
	struct str	ext, id;	/* EXTENSION; MESSAGE_ID, not set if empty */
	const char	*user, *home;
	int64_t		timeout;	/* ms, for the whole */
};

/* Runs it; the mail gets its result. A message from stdin, output's first line in the text. */
void	command_run(const struct command *, struct mail *);

#endif

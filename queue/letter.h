/* queue/letter.h - messages that queue writes itself: from nobody, to one recipient, safe in the queue at once. */
#ifndef QUEUE_LETTER_H
#define QUEUE_LETTER_H

#include "queue/queue.h"

struct letter {
	char		 id[ID_SIZE];	/* from letter_id */
	const char	*origin;
	struct str	 to;
	unsigned	 options;	/* ENV_ bits */
};

/* A name for one that is to be written. */
void	letter_id(char[ID_SIZE]);
/* The content is that of the n parts, one after the other. When it returns, the letter is safe and waits. -1: errno */
int	letter_send(struct queue *, const struct letter *, const struct str *parts, size_t n) must_check;
/* postmaster@ our first domain, into the buffer. */
int	letter_postmaster(const struct settings *, struct buf *) must_check;

#endif

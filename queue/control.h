/* queue/control.h - orders of postq, for the parts that obey them. */
#ifndef QUEUE_CONTROL_H
#define QUEUE_CONTROL_H

#include "queue/queue.h"

struct order {
	struct queue	*q;
	struct id	 id;
	bool		 all;	/* flush: every one */
	struct str	 user;	/* of an account, for the brake; or empty */
	struct buf	*out;	/* lines of the answer */
};

/* A line of the answer; returns ok. */
bool	order_say(struct order *, bool ok, const char *text);
/* The same for errno. */
bool	order_failed(struct order *);
/* Where the message lies, opened to be read; -1: nowhere (errno). */
int	order_open(const struct order *, enum spool_place *) must_check;

/* ---- control_order.c: true and a sentence, or false and why not */
bool	order_hold(struct order *);
bool	order_release(struct order *);
bool	order_flush(struct order *);
bool	order_requeue(struct order *);
bool	order_remove(struct order *);
bool	order_expire(struct order *);
/* ---- control_brake.c */
bool	order_brake(struct order *);
bool	order_brake_release(struct order *);
bool	order_brake_drop(struct order *);

#endif

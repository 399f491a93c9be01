/* queue/brake_memory.h - the accounts that the brake knows of, in memory and in their file; for brake*.c only. */
#ifndef QUEUE_BRAKE_MEMORY_H
#define QUEUE_BRAKE_MEMORY_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "queue/brake.h"

#define BRAKE_USERS	65536u	/* accounts at a time */

struct brake_user {
	RB_ENTRY(brake_user)	link;
	TAILQ_ENTRY(brake_user)	age;
	struct brake_record	r;		/* r.name is its own, in lower case */
	int64_t			watched;	/* this hour was noted, where nobody is held */
};
RB_HEAD(brake_tree, brake_user);
TAILQ_HEAD(brake_ages, brake_user);

struct brake {
	struct brake_tree	users;
	struct brake_ages	ages;		/* who was idle longest stands first */
	size_t			n, on;		/* all; those that are held */
	bool			dirty;		/* not all is in the file */
	int64_t			began_ms;	/* what is older was found at the start */
	int64_t			counted_ms;	/* what arrived before is in the counts */
	int64_t			save_due, sweep_due;	/* ms since 1970 */
	int64_t			tell_due;	/* likewise; 0: nobody is to be told */
};

int	brake_user_cmp(const struct brake_user *, const struct brake_user *);
RB_PROTOTYPE(brake_tree, brake_user, link, brake_user_cmp)

struct brake_limits brake_limits(const struct settings *);
/* Upper and lower case are the same. */
struct brake_user *brake_find(struct brake *, struct str name);
/* One that is not there; for it another one may be forgotten. NULL: ENOMEM, or ENOSPC: all are held. */
struct brake_user *brake_add(struct queue *, struct str name);
/* It is the one that was active last. */
void	brake_touch(struct brake *, struct brake_user *);
void	brake_remove(struct brake *, struct brake_user *);
/* What matters goes to the file; a failure is said, and it is tried again later. */
void	brake_save(struct queue *, int64_t now);

#endif

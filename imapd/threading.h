/*
 * imapd/threading.h - messages as threads (RFC 5256 THREAD): a forest of nodes. Linear but for the sorting of siblings, and never
 * recursive: threads may be as deep as there are messages.
 */
#ifndef IMAPD_THREADING_H
#define IMAPD_THREADING_H

#include "common/base/siphash.h"
#include "imapd/search_run.h"

enum thread_how { THREAD_ORDEREDSUBJECT, THREAD_REFERENCES, THREAD_REFS };

#define THREAD_NONE	UINT32_MAX

struct thread_node {
	uint32_t	parent, first, last, next;	/* children; THREAD_NONE */
	uint32_t	message;	/* number in the view; THREAD_NONE: a dummy */
	uint32_t	set;		/* of those that were ever connected (while links are made) */
	int64_t		sent;
};

/* Node 0 is the root, which is no message. */
struct threads {
	struct thread_node *nodes;
	size_t		 n, room;
};

/* -1: errno; ECANCELED: see progress.h. */
int	threads_make(struct threads *, struct view *, const struct found *, enum thread_how, struct progress *) must_check;
void	threads_free(struct threads *);
/* "(1)(2 3 (4)(5))"; number: what the client calls a message. */
int	threads_put(struct buf *, const struct threads *, struct view *, bool uid) must_check;

/* ---- for its parts: thread_links.c, thread_subjects.c */

uint32_t thread_add(struct threads *, uint32_t message);	/* THREAD_NONE: ENOMEM */
void	thread_append(struct threads *, uint32_t parent, uint32_t child);	/* as its last child */
/* All nodes but the root, parents before children. free it; NULL: ENOMEM. */
uint32_t *thread_preorder(const struct threads *, size_t *n);
/* Siblings by date; a dummy has that of its first child. */
int	thread_sort_children(struct threads *, uint32_t parent) must_check;
int	thread_links(struct threads *, struct view *, const struct found *, struct progress *) must_check;
/* Step 5: roots with the same subject become one. */
int	thread_gather(struct threads *, struct view *) must_check;
int	thread_by_subject(struct threads *, struct view *, const struct found *, struct progress *) must_check;

/* Strings to numbers, for both. The strings are not kept: their hashes are as good (siphash.h). */
struct thread_table {
	struct thread_slot {
		struct siphash	hash;
		uint32_t	value;
		bool		used;
	}		*slots;
	size_t		 nslots, used;
	uint64_t	 secret[2];
};
int	thread_table_init(struct thread_table *, size_t expected) must_check;	/* free it in any case */
void	thread_table_free(struct thread_table *);
/* The place of that string, made if there is none; its value is THREAD_NONE then. NULL: ENOMEM. Valid until the next call. */
uint32_t *thread_table_at(struct thread_table *, struct str);

#endif

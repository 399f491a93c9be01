/* common/store/index_look.h - what the files index_look*.c share. */
#ifndef STORE_INDEX_LOOK_H
#define STORE_INDEX_LOOK_H

#include "common/store/index.h"
#include "common/store/listing.h"

struct look {
	struct index	*x;
	unsigned	 how;
	bool		 both;		/* cur/ too, not only new/ */
	bool		 moved;		/* from new/ to cur/ */
	bool		 waiting;	/* something could not be done now */
	bool		 last;		/* not tried once more */
	bool		 again;		/* what was read has changed since */
	bool		 first;		/* there was no index */
	bool		 courier;	/* and no list but perhaps Courier's */
	uint64_t	 modseq;	/* of this look's changes; 0: none yet */
	struct listing	 names;
	struct uid_list	 list;
	struct newcomer	*who;
	size_t		 nwho, unfound;
};

/* index_look_list.c */
/* The list, if it has changed: another validity, and all is another folder. */
int	look_validity(struct look *) must_check;
/* How many lines are of messages that need them, if these are there, and were not found by the listing? */
size_t	look_unfound(struct look *);
/* Names without a row get one. */
int	look_newcomers(struct look *) must_check;
/* index_look_move.c: from new/ to cur/, if that is wanted. */
int	look_move(struct look *) must_check;
/* The name that it has got in cur/. */
int	look_relist(struct look *, struct listed *, const char *name) must_check;
/* index_look_courier.c: Courier's keywords become letters in names. */
int	look_courier(struct look *) must_check;
/* index_look_doubles.c: of two files of one base name the row's is the one that is called as it was before, or lies in cur/. */
void	look_prefer(struct look *, const struct index_row *, struct listed *);
/* Two files of one base name become one, or two messages. */
void	look_doubles(struct look *);
/* Newcomers whose names no list can have get others, and are found by the next look. */
void	look_rename_odd(struct look *);

#endif

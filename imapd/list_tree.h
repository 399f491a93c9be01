/*
 * imapd/list_tree.h - the folders of a namespace in order, and what is below each of them. Pure.
 */
#ifndef IMAPD_LIST_TREE_H
#define IMAPD_LIST_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ROW_EXISTS = 1, ROW_SUBSCRIBED = 2,
	ROW_MEETS = 4,		/* what was asked for */
	ROW_MATCHES = 8,	/* one of the patterns */
	ROW_HIDDEN = 16,	/* is never said, but counts for those above it */
	ROW_CHILDREN = 32,	/* something below it exists */
	ROW_MEETS_BELOW = 64,	/* something below it meets ... */
	ROW_LOST_BELOW = 128	/* ... without matching a pattern */
};

struct list_row {
	const char	*folder;	/* as in store.h */
	uint32_t	 parent;	/* number of its row; itself: it has none */
	uint8_t		 marks;		/* ROW_... */
	char		 use;
};

/*
 * Sorts, parents before their children and these right behind them; two rows of one folder become one. Finds the parents, which have rows, too. top: what has no
 * parent is below the row of "", which has to be there. The number of rows now.
 */
size_t	list_tree_link(struct list_row *, size_t n, bool top);
/* What is below: the last three marks, from the others. */
void	list_tree_sum(struct list_row *, size_t n);

#endif

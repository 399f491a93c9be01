/* common/store/save_impl.h - what the files of save share; nobody else includes it. */
#ifndef STORE_SAVE_IMPL_H
#define STORE_SAVE_IMPL_H

#include "common/base/arena.h"
#include "common/store/arrivals.h"
#include "common/store/save.h"

#define SAVE_OPEN	64	/* drafts that wait for the batch's flush with their descriptors open */
#define SAVE_INFO	72	/* ":2,DFPRST" and 56 letters */

struct save_item {
	bool		 moved;		/* is to be renamed from there; no draft */
	bool		 taken;		/* a copy, and what it was made of goes in the end */
	bool		 placed;	/* in cur/ */
	int		 fd;		/* of a draft, or -1 */
	const char	*tmp;		/* its name in tmp/, the base of the one in cur/ */
	const char	*info;		/* of a draft */
	const char	*file;		/* in cur/, once it is placed */
	off_t		 size, wire;
	struct str	 guid;		/* empty: a new message */
	/* what it is made of; NULL: a new message */
	struct view	*from;
	size_t		 at;
	uint32_t	 uid;
	const char	*was;		/* its name there before it was moved */
	int		 was_in;
};

struct save {
	struct store		*store;
	struct arrivals		*arrivals;
	struct maildir		 dir;		/* of arrivals, but how */
	char			 folder[MAILDIR_FOLDER_MAX + 1];
	struct arena		 memory;
	struct save_item	*items;
	size_t			 n, cap;
	uint64_t		 bytes;
	bool			 open;		/* the last one is being written */
	bool			 names_only;	/* some have only a name to be made durable, no descriptor */
	int			 alike_to;	/* the directory that was asked about last, and */
	bool			 alike;		/* whether its files may be here as they are */
	/* of the draft that is being written */
	char			*out;
	size_t			 out_n;
	bool			 cr;		/* one is held back */
	char			 last;
	int64_t			 date;
	/* letters of keywords in the folder, by their numbers in a view */
	const struct view	*letters_of;
	char			 letters[VIEW_KEYWORDS];
};

/* save.c */
struct save_item *save_add(struct save *) must_check;
/* A draft in tmp/ for the item. */
int	save_draft(struct save *, struct save_item *) must_check;
/* ":2,..." of flags and keywords by name. */
int	save_info(struct save *, const struct save_message *, const char **) must_check;
/* Its descriptor waits for the flush with the others; they are flushed now if they are too many. */
int	save_wait(struct save *) must_check;

/* save_copy.c */
/* ":2,..." of the name of a file of the view's folder, with the letters of this one. */
int	save_info_from(struct save *, struct view *, const char *file, const char **) must_check;
/* The bytes of what the item is made of, into a draft. */
int	save_bytes_from(struct save *, struct save_item *) must_check;
/* save_cache.c: what is cached of those that were copied; for what it is worth. */
void	save_cache(struct save *, const struct arrival *, uint32_t validity);

#endif

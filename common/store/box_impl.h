/* common/store/box_impl.h - what the files of box share; nobody else includes it. */
#ifndef STORE_BOX_IMPL_H
#define STORE_BOX_IMPL_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/store/box.h"
#include "common/store/box_uidlist.h"
#include "common/store/maildir.h"

struct box_entry {
	struct box_message	 m;
	const char		*file;		/* its name now */
	uint64_t		 size;		/* if has_size */
	struct str		 more;		/* fields of its line in the list */
	bool			 has_size;
	bool			 size_kept;	/* by its name or the list */
	bool			 listed;	/* has a line in the list on disk */
	bool			 found;		/* by the scan under way */
	bool			 gone;
};

struct box {
	struct maildir		 dir;
	int			 lock;
	struct arena		 names;
	struct box_entry	*entries;
	size_t			 n, cap;
	uint32_t		*slots;		/* number + 1 by hash of the base name */
	size_t			 nslots;	/* a power of two */
	uint64_t		 seed;
	struct uidlist_head	 head;		/* version 0: no list yet */
	size_t			 dead;		/* lines in the list that nobody needs */
	bool			 is_certain;	/* what the last scan did not find is not there */
	bool			 damaged;	/* the list wants to be written anew */
	const char		*adopt;		/* names for UIDL are being taken over by this format, or NULL */
	struct buf		 courier;	/* or from this, if it is not empty */
	bool			 removed_new, removed_cur;
	int64_t			 freed_bytes, freed_count;
};

/* box_scan.c: all names into entries (adding), or where the known ones are now. */
int	box_scan(struct box *, bool adding) must_check;
struct box_entry *box_find(struct box *, struct str base);
int	box_rehash(struct box *) must_check;

/* box_list.c: the list's text into text, its UIDs into the entries. */
int	box_load_uids(struct box *, struct buf *text, struct diag *why) must_check;
/* box_list.c: gives those on the list their names by b->adopt. */
int	box_list_adopt(struct box *) must_check;
/* One gets that name for UIDL, for ever. */
int	box_list_name(struct box *, struct box_entry *, const char *) must_check;
/* box_courier.c: the names that Courier gave, if it did, into b->courier; from there to those that have none. */
int	box_courier_read(struct box *) must_check;
int	box_courier_names(struct box *) must_check;

#endif

/* common/store/store_impl.h - what the files of store share; nobody else includes it, but quota.c and save*.c. */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "common/base/arena.h"
#include "common/store/store.h"

#define STORE_PATH_MAX		1024
#define STORE_FILE_MAX		(16u << 20)	/* of subscriptions and the like */
#define STORE_LOCK_WAIT		3000		/* ms */
#define STORE_USES		"posthouse-special-use"
#define STORE_TRASH		"..DOVECOT-TRASHED"	/* Dovecot takes it for nothing else, and removes it as we do */

struct store {
	int			 root;
	char			 path[STORE_PATH_MAX];
	char			 host[256];		/* in names of files */
	enum durable_how	 how;
	bool			 uses_by_name;
	uint64_t		 version;		/* of what is listed; 0: nothing is */
	struct arena		 names;
	struct store_folder	*folders;
	size_t			 n, cap;
	size_t			 room;			/* so many may be made before they are counted again */
	uint64_t		 quota;			/* bytes, by the settings */
	uint64_t		 used, used_count;	/* if counted */
	int64_t			 counted;		/* when, in now_ms; 0: not yet */
};

/* ".Work" of "Work"; "." of the inbox. */
#define STORE_DIR_SIZE	(MAILDIR_FOLDER_MAX + 2)
void	store_dir(const char *folder, char[STORE_DIR_SIZE]);
/* Names that can be here: those of folders, and "" for the inbox. */
bool	store_name_ok(const char *folder);
int	store_folder_cmp(const void *, const void *);	/* struct store_folder, by name */
/* A file of the root, whole; one that is not there is empty. */
int	store_slurp(const struct store *, const char *name, struct buf *) must_check;
/* What is listed is forgotten. */
void	store_forget(struct store *);

/* store_list.c: for those that a scan, or a file, names. */
int	store_add(struct store *, const char *name, bool exists) must_check;
struct store_folder *store_find(struct store *, const char *name);	/* among the sorted ones */
/* store_subscriptions.c, store_use.c: what the files say, to the sorted list. */
int	store_load_subscriptions(struct store *) must_check;
int	store_load_uses(struct store *) must_check;
/* A folder is called otherwise (to NULL: it is gone), with what is below it if below is set. */
int	store_move_uses(struct store *, const char *from, const char *to, bool below) must_check;

/* store_validity.c: none that is given later is as low as this. */
int	store_raise_validity(struct store *, uint32_t) must_check;
/* UIDVALIDITY by a folder's list; 0: it has none. */
uint32_t store_folder_validity(int dir);

/* store_tree.c: a name with all that is in it, whatever it is. */
int	store_remove_tree(int dir, const char *name) must_check;
/* What is left of a deletion that was cut short. */
void	store_empty_trash(struct store *);
/* The folder is gone under its name, durably; its content is removed then. */
int	store_trash(struct store *, const char *dir) must_check;

#endif

/* imapd/notify_impl.h - what the files of NOTIFY share. */
#ifndef IMAPD_NOTIFY_IMPL_H
#define IMAPD_NOTIFY_IMPL_H

#include "imapd/notify.h"
#include "imapd/place.h"

#define NOTIFY_GROUPS_MAX	100
#define NOTIFY_NAMES_MAX	1000	/* in one group */
#define NOTIFY_FOLDERS_MAX	10000	/* that are watched */
#define NOTIFY_MEMORY		((size_t)64 << 20)

enum notify_filter {
	FILTER_SELECTED, FILTER_DELAYED, FILTER_PERSONAL, FILTER_SUBSCRIBED, FILTER_SUBTREE, FILTER_MAILBOXES
};

struct notify_name {
	unsigned	 space;
	struct str	 folder;
};

struct notify_group {
	enum notify_filter filter;
	unsigned	 events;
	struct notify_name *names;
	size_t		 n;
};

/* An entry of METADATA. */
struct notify_note {
	struct str	 name;
	uint64_t	 hash;		/* of its value */
};

/* A folder as the client knows it. */
struct notify_folder {
	unsigned	 space;
	const char	*name;
	bool		 subscribed, exists;
	bool		 no_access;		/* may be looked up, but not read */
	unsigned	 events;
	bool		 dirty;			/* to be looked at */
	bool		 counted;
	uint32_t	 messages, uidnext, uidvalidity, unseen;
	uint64_t	 modseq;
	char		 id[40];
	bool		 notes_dirty, noted;
	struct notify_note *notes;
	size_t		 nnotes;
};

struct notify_wd {
	int		 wd;
	unsigned	 space;
	const char	*name;		/* NULL: the root of a space */
	bool		 notes;		/* the folder itself: its metadata */
};

struct notify {
	struct arena	 memory;	/* of groups and atts */
	unsigned	 selected;	/* events of the selected mailbox */
	bool		 delayed;
	struct str	 atts;		/* "(UID FLAGS)" of MessageNew; n 0: none */
	struct notify_group *groups;
	size_t		 n;
	struct arena	 names;		/* of folders */
	struct notify_folder *folders;	/* by space and name */
	size_t		 nfolders;
	struct arena	 watched;	/* of wds */
	struct notify_wd *wds;		/* by wd */
	size_t		 nwds;
	int		 fd;		/* inotify; -1: none */
	bool		 list;		/* the list of folders may have changed */
	struct notify_folder server;	/* its metadata alone */
};

/* notify_parse.c: all arguments of NOTIFY SET. False: the command has its reply. */
bool	notify_parse(struct session *, struct command *, struct notify *, bool *status);
/* notify_folders.c: all folders with their events; NULL in *out->folders: none. -1: errno; EMSGSIZE: too many. */
int	notify_load(struct session *, const struct notify *, struct arena *, struct notify_folder **, size_t *) must_check;
/* Tells what is different in the second list; counts go from the first to the second. */
int	notify_compare(struct session *, struct notify *, struct arena *, struct notify_folder *, size_t) must_check;
/* Looks at a folder; changed: in what matters to the client. */
void	notify_count(struct session *, struct notify_folder *, bool *changed);
/* "* LIST (flag) "." name", with the name that it had if old is not NULL. */
void	notify_say_list(struct session *, const struct notify_folder *, const char *flag, const struct notify_folder *old);
void	notify_put_status(struct session *, struct notify_folder *, bool all);
/* notify_notes.c: looks at its metadata, and tells what has changed since the last time. What is kept is in the arena. -1: errno. */
int	notify_notes(struct session *, struct arena *, struct notify_folder *, bool server) must_check;
/* What is known goes along with a new list. */
int	notify_notes_move(struct arena *, struct notify_folder *, const struct notify_folder *from) must_check;
void	notify_place(struct session *, const struct notify_folder *, struct place *);
/* notify_watch.c. -1: errno, as inotify_add_watch(2). */
int	notify_watch(struct session *, struct notify *) must_check;
void	notify_read(struct notify *);

#endif

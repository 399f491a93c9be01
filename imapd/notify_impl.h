/* imapd/notify_impl.h - what the files of NOTIFY share. */
#ifndef IMAPD_NOTIFY_IMPL_H
#define IMAPD_NOTIFY_IMPL_H

#include "imapd/notify.h"

#define NOTIFY_MEMORY		((size_t)64 << 20)
#define NOTIFY_OWN_MAX		4	/* of one command */

struct notify_name {
	unsigned	 space;
	const char	*folder;
};

struct notify_group {
	enum notify_filter filter;
	unsigned	 events;
	struct notify_name *names;	/* in order */
	size_t		 n;
};

/* An entry of METADATA. */
struct notify_note {
	struct str	 name;
	uint64_t	 hash;		/* of its value */
};

enum { WATCH_NEW, WATCH_CUR, WATCH_FOLDER, WATCHES };	/* of a folder */

/* A folder as the client knows it. */
struct notify_folder {
	unsigned	 space;
	const char	*name;
	bool		 subscribed, exists, has_children;
	bool		 no_access;		/* may be looked up, but not read */
	bool		 on_disk;		/* whatever the rights say */
	char		 use;			/* as in store.h */
	unsigned	 events;
	int		 wd[WATCHES];		/* 0: not watched */
	bool		 dirty;			/* to be looked at */
	bool		 counted;
	uint32_t	 messages, uidnext, uidvalidity, unseen;
	uint64_t	 modseq;
	size_t		 own;			/* messages that this session has put there */
	char		 id[40];
	bool		 notes_dirty, noted;
	struct notify_note *notes;
	size_t		 nnotes;
	/* while two lists are compared */
	bool		 gone, made, told;
	const struct notify_folder *from;	/* that it was before it was renamed */
};

struct notify_wd {
	int		 wd;
	unsigned	 space;
	size_t		 folder;	/* NOTIFY_ROOT: the root of the space */
	unsigned	 which;		/* WATCH_... */
};
#define NOTIFY_ROOT	SIZE_MAX

struct notify {
	struct arena	 memory;	/* of groups and atts */
	unsigned	 selected;	/* events of the selected mailbox */
	bool		 delayed;
	bool		 others;	/* there are groups for mailboxes that are not selected */
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
	bool		 unsure;	/* some of them are still dirty */
	int64_t		 look;		/* without inotify: not before (now_ms) */
	struct notify_folder server;	/* its metadata alone ... */
	struct arena	 noted;		/* ... which is here */
	struct {
		unsigned	events, space;
		char		folder[MAILDIR_FOLDER_MAX + 1];
	}		 own[NOTIFY_OWN_MAX];	/* what the command under way has done itself */
	size_t		 nown;
};

/* notify_create.c: nothing is watched yet. NULL: errno; else the caller frees. */
struct notify *notify_create(struct session *, const struct notify_request *);

/* notify_list.c: all folders with their events. -1: errno. */
int	notify_load(struct session *, const struct notify *, struct arena *, struct notify_folder **, size_t *) must_check;
/* The folder of that name among n; NULL: there is none. */
struct notify_folder *notify_find(struct notify_folder *, size_t n, unsigned space, const char *name);
/* What the groups want of it. */
unsigned notify_events(const struct session *, const struct notify *, const struct notify_folder *);

/* notify_compare.c: tells what is different in the second list; what is known goes from the first to the second. */
int	notify_compare(struct session *, struct notify *, struct arena *, struct notify_folder *, size_t) must_check;

/* notify_say.c */
/* Looks at a folder; changed: in what matters to the client. */
void	notify_count(struct session *, struct notify_folder *, bool *changed);
/* "* LIST (...) "." name", with the name that it had if old is not NULL. */
void	notify_say_list(struct session *, const struct notify_folder *, const struct notify_folder *old);
void	notify_say_status(struct session *, const struct notify_folder *, bool all);
void	notify_place(struct session *, const struct notify_folder *, struct place *);
/* Has the command under way done this to the folder? */
bool	notify_is_own(const struct notify *, const struct notify_folder *, unsigned event);

/* notify_notes.c: looks at its metadata, and tells what has changed since the last time if that is news. What is kept is in the arena. -1: errno. */
int	notify_notes(struct session *, struct arena *, struct notify_folder *, bool server, bool news) must_check;
/* What is known goes along with a new list. */
int	notify_notes_move(struct arena *, struct notify_folder *, const struct notify_folder *from) must_check;

/* notify_watch.c. -1: errno, as inotify_add_watch(2); EMSGSIZE: more than imap.notify-mailboxes. */
int	notify_watch(struct session *, struct notify *) must_check;
void	notify_read(struct notify *);

#endif

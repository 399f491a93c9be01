/* common/store/view_impl.h - what the files of view share; nobody else includes it. */
#ifndef STORE_VIEW_IMPL_H
#define STORE_VIEW_IMPL_H

#include "common/base/arena.h"
#include "common/store/index.h"
#include "common/store/view.h"

struct view {
	struct store		*store;
	char			 folder[MAILDIR_FOLDER_MAX + 1];
	bool			 read_only;
	bool			 quick;		/* n counts what is not in shown yet */
	struct maildir		 dir;
	dev_t			 dev;		/* of it, by which it is the same under another name */
	ino_t			 ino;
	struct index		 x;		/* the newest that is known */
	/* What the client knows: n messages, and unused room between two of them while some are being taken out. */
	struct view_message	*shown;
	size_t			 n, cap, gap_at, gap;
	size_t			 recent;
	uint32_t		 validity, next, top;	/* top: the highest UID that was ever shown */
	uint64_t		 highest;
	/* The pass of view_next over both. */
	bool			 passing, withheld, verified;
	size_t			 at, row;
	unsigned		 pass_version, seen_version, seen_keywords;
	uint64_t		 pass_highest;
	size_t			 guess;		/* where the last row was */
	uint32_t		*vanished;
	int			 wait;		/* inotify; -1: not asked for, -2: not to be had */
	struct cache		*cache;
	struct arena		 parsed;	/* what view_head or view_body gave last */
	uint32_t		 parsed_uid;	/* whose body it is; 0: none */
	struct cache_body	 parsed_body;
	char			 file[MAILDIR_NAME_MAX + 1];	/* what view_file gave last */
};

static inline struct view_message *
view_at(const struct view *v, size_t i)
{
	return &v->shown[i < v->gap_at ? i : i + v->gap];
}

/* The row of a message that is shown. -1: ENOENT, it is gone. */
int	view_row(struct view *, size_t, size_t *row) must_check;
/* view_next.c: all that is new is shown, nothing told. -1: errno. */
int	view_show_new(struct view *) must_check;
/* view_info.c: rows' notes that wait are written. */
void	view_flush(struct view *);
/* view_parsed.c */
void	view_parsed_flush(struct view *);
void	view_parsed_close(struct view *);
void	view_parsed_tidy(struct view *);

#endif

/* imapd/fetch_file.h - a message's file, read in large pieces; a small one at once. */
#ifndef IMAPD_FETCH_FILE_H
#define IMAPD_FETCH_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/store/view.h"

#define FETCH_PIECE	65536

struct fetch_file {
	int		 fd;
	uint64_t	 size;
	uint64_t	 device, inode;	/* which file it is */
	int64_t		 changed;
	char		*piece;		/* FETCH_PIECE bytes; kept from one message to the next */
	uint64_t	 from;		/* where in the file the n bytes in it are */
	size_t		 n;
	bool		 whole;		/* they are all of the file */
};

/* A large one that stays open, because its message is taken piece by piece. */
struct fetch_kept {
	uint32_t	 uid;		/* 0: none */
	int		 fd;
	uint64_t	 size, device, inode;
	int64_t		 changed;
};

void	fetch_file_init(struct fetch_file *);
/* The one that was kept, if it is that message's. -1: ENOENT: the message is gone. */
int	fetch_file_open(struct fetch_file *, struct fetch_kept *, struct view *, size_t at) must_check;
void	fetch_file_close(struct fetch_file *);
/* The same, but a large one stays open for the next piece. */
void	fetch_file_keep(struct fetch_file *, struct fetch_kept *, uint32_t uid);
/* It does no longer, at the latest when its message or the mailbox goes, or the client sleeps. */
void	fetch_kept_drop(struct fetch_kept *);
void	fetch_file_free(struct fetch_file *);
/* Some bytes from there on, not beyond to; n 0: the file ends. Valid until the next call. */
int	fetch_file_some(struct fetch_file *, uint64_t at, uint64_t to, struct str *) must_check;
/* The same, but as many as there are and fit: for those who want whole lines. *last: nothing comes behind them. */
int	fetch_file_most(struct fetch_file *, uint64_t at, uint64_t to, struct str *, bool *last) must_check;

#endif

/*
 * common/store/spool_check.h - looks through a spool that nobody works on, and puts it right: postq fsck. Nothing that
 * could be mail is removed but a second copy of the same message.
 */
#ifndef STORE_SPOOL_CHECK_H
#define STORE_SPOOL_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/store/spool.h"

struct spool_check {
	bool	 repair;
	int64_t	 now_ms, latest_ms;	/* no attempt may be due after that */
	uid_t	 queue_uid;		/* of ph-queue; the own one without root */
	gid_t	 queue_gid, drop_gid;
	/* What is wrong with which file; done: what was, or would be, done about it, NULL if a person must look. */
	void	 (*say)(void *, const char *path, const char *what, const char *done);
	void	*arg;
};

/* Files that queue could not open, and directories that it does not own; as root, before the tree is entered as ph-queue. */
void	spool_check_owners(const struct spool *, const struct spool_check *);
/* Drafts, torn files, wrong places, second copies, times, status files. As ph-queue. */
void	spool_check_files(const struct spool *, const struct spool_check *);

#endif

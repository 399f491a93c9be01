/* common/store/spool_impl.h - what the parts of the queue's side of the spool share; nobody else includes this. */
#ifndef STORE_SPOOL_IMPL_H
#define STORE_SPOOL_IMPL_H

#include "common/store/spool.h"

#define NAME_SIZE	(SHARD_LEN + 1 + ID_SIZE)	/* "XX/ID" */

int	spool_place_dir(const struct spool *, enum spool_place);
/* openat for reading; what is ours keeps its time of access. */
int	spool_open_quietly(int dir, const char *name, int flags) must_check;
void	spool_sharded(struct id, char[NAME_SIZE]);
/* The shard of a name below dir; with a journal it cannot be lost alone. */
int	spool_make_shard(const struct spool *, int dir, const char *name) must_check;
/* rename; never over a message that is there, unless it is to be replaced. Makes a shard that is missing. */
int	spool_rename(const struct spool *, int from, const char *old, int to, const char *new, bool sharded,
	    bool replace) must_check;
/* Where directories have to be flushed: the one that holds the name. */
int	spool_flush_names(const struct spool *, int dir, const char *name) must_check;

/* ---- spool_scan.c */
struct scan {
	int	(*fn)(void *, const struct id *, const char *, int64_t);
	void	*arg;
	int	(*one)(const struct scan *, int dir, const char *name);		/* of what may be a message */
};
/* Calls one(scan, dir, name) for each name but . and .. until it is not 0. */
int	spool_each_name(int dirfd, int (*one)(const struct scan *, int, const char *), const struct scan *) must_check;

#endif

/*
 * common/store/spool.h - the tree of spool(5) and every rename, link and unlink in it.
 *
 *	incoming/{tmp/X,new,sock}	ph-smtp:ph-queue 2770 (incoming itself 0750)
 *	drop/{tmp/X,new,sock}	ph-queue:ph-drop 3770
 *	queue/XX/, status/XX/, tmp/, hold/, corrupt/, state/, sock/	ph-queue
 */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/base/id.h"
#include "common/store/durable.h"
#include "common/store/envelope.h"

/* Makes and checks the whole tree with its owners and modes (as root), or with the own uid. Named users may be missing only without root. */
int	spool_layout(const char *path, struct diag *) must_check;

/* Calls fn for each directory of the tree that is not as spool_layout makes it. -1: there are no such users. */
int	spool_layout_check(int dirfd, void (*fn)(void *, const char *path, const char *what), void *, struct diag *) must_check;

/* A place to write new messages into: a directory with tmp and new. */
struct spool_in {
	int			tmp, new;	/* directory descriptors */
	enum durable_how	how;
	bool			spread;		/* drafts lie in tmp/X, X the last character of the id */
};
/* how: durable_for of the directory, which is one of spool_layout's: its tmp is spread. */
int	spool_in_open(struct spool_in *, int dirfd, enum durable_how how) must_check;
void	spool_in_close(struct spool_in *);

/* A message being written: tmp/X/ID, later new/ID. One writer. */
struct draft {
	int			 fd;		/* -1: none */
	char			 id[ID_SIZE];
	char			 path[ID_SIZE + 2];	/* below tmp */
	off_t			 content_at, size;
	off_t			 written;	/* of the file so far */
	struct buf		 out;		/* write-behind buffer */
	struct sums		*sums;		/* of the body, as it passes */
};
/* Creates tmp/X/ID O_EXCL mode 0660, still empty. ENOSPC, EDQUOT, EROFS ...: nothing is left behind. */
int	draft_open(const struct spool_in *, struct draft *, const char *id) must_check;
/* The head of a file just opened under env->id. EMSGSIZE: larger than a reader takes; ENOMEM. After -1 nothing is left behind. */
int	draft_head(const struct spool_in *, struct draft *, struct envelope *) must_check;
/* Both. */
int	draft_begin(const struct spool_in *, struct draft *, struct envelope *) must_check;
/* Content with CRLF line ends; digests are computed as it passes. */
int	draft_write(struct draft *, const void *, size_t) must_check;
/* Trailer, blocks, name, flush: after 0 the message survives a power cut: say 250. -1: say 451; it was taken back (or at worst comes twice). The draft is closed either way. */
int	draft_commit(const struct spool_in *, struct draft *) must_check;
/* Removes tmp/X/ID and closes. Nothing to do on a closed draft. */
void	draft_abort(const struct spool_in *, struct draft *);

/* The queue's view of the whole spool. */
struct spool {
	int			root, incoming, drop, queue, status, tmp, hold, corrupt;	/* incoming, drop: their new/ */
	enum durable_how	how;
};
int	spool_open(struct spool *, int dirfd, enum durable_how, struct diag *) must_check;
void	spool_close(struct spool *);

enum spool_place { SPOOL_INCOMING, SPOOL_DROP, SPOOL_QUEUE, SPOOL_HOLD, SPOOL_CORRUPT };

/* Opens the file of a message: O_RDWR if write, else O_RDONLY; O_NOFOLLOW, regular files only. */
int	spool_file(const struct spool *, enum spool_place, struct id, bool write) must_check;
/* Opens it to be read, envelope_load, closes it. */
int	spool_envelope(const struct spool *, enum spool_place, struct id, struct envelope *, struct diag *) must_check;
/* rename within the spool, -1 EEXIST if the place has such a message, ENOENT if it has gone on; no flush, the promise is kept from either place (both are scanned at start), but where durability is strict: there the new name is flushed before the old one goes. */
int	spool_move(const struct spool *, struct id, enum spool_place from, enum spool_place to) must_check;
/* Is there a message of this id? ENOENT and its like: no. */
bool	spool_has(const struct spool *, enum spool_place, struct id);
/* Is this open file the one of that name there, under a second name? */
bool	spool_is_also(const struct spool *, enum spool_place, struct id, int fd);
/* Did a local user write this file, neither we nor who may write to incoming? Its owner says it, not what is in it. */
bool	spool_is_users(const struct spool *, const struct envelope *);
/* This name of a message goes, which has another one or a copy elsewhere. ENOENT is success. */
int	spool_forget(const struct spool *, enum spool_place, struct id) must_check;
/* The message is finished: its file and its status file go. ENOENT is success. */
int	spool_remove(const struct spool *, enum spool_place, struct id) must_check;
/* Next attempt's time is the file's mtime. */
int	spool_set_due(int fd, int64_t due_ms) must_check;
/* Calls fn for each message of a place with its mtime in ms; names that are no id are reported with id NULL and the name. Non-zero from fn stops. tmp files of dead writers are not touched. */
int	spool_scan(const struct spool *, enum spool_place, int (*fn)(void *, const struct id *, const char *name, int64_t mtime_ms), void *) must_check;
/* The same with a time of 0 for each name that is an id, without a look at what it is. */
int	spool_names(const struct spool *, enum spool_place, int (*fn)(void *, const struct id *, const char *name, int64_t), void *) must_check;
/* Replaces (or makes) queue/XX/ID by a new file with this envelope (its body digests are those of the content: envelope_load) and prefix + len bytes of content_fd from at. Durable enough that the old file (or drop/new/ID) may go afterwards: one of the two survives. */
int	spool_rewrite(const struct spool *, struct envelope *, struct str prefix, int content_fd, off_t at, off_t len) must_check;
/* At the start, where a power cut may have left of a rewritten message only what is in tmp: whole files there that nothing else has the id of go to queue; number. */
int	spool_recover(const struct spool *) must_check;
/* Where the queue's own message with this id is written: its tmp and shard. Then draft_begin ... draft_commit; the caller closes it. */
int	spool_in_queue(const struct spool *, struct id, struct spool_in *) must_check;
/* Appends a line (cut at 1023 bytes, control characters made '?') to status/XX/ID; nothing once the file has 1 MiB. No file reads as nothing. */
int	spool_status_add(const struct spool *, struct id, struct str line) must_check;
int	spool_status_read(const struct spool *, struct id, struct buf *) must_check;
/* A file of queue's in state/: written anew and renamed, so that a crash leaves the old one or this. No file reads as nothing. */
int	spool_state_write(const struct spool *, const char *name, struct str) must_check;
int	spool_state_read(const struct spool *, const char *name, struct buf *) must_check;
/* Files in a tmp directory and in its directories tmp/X older than max_age_ms: removed; number. */
int	spool_clean_tmp(int tmpdir, int64_t now_real_ms, int64_t max_age_ms) must_check;

#endif

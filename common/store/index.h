/*
 * common/store/index.h - what is known of the messages of a folder, for view*.c and arrivals.c alone: a table of rows in the order of
 * their UIDs, mapped from posthouse.index and changed in memory by the items that follow there; posthouse-index(5). Everything
 * in it is made anew from the Maildir when it is missing, damaged or stale, so that whoever cannot write it goes on without.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/store/box_uidlist.h"
#include "common/store/index_format.h"
#include "common/store/maildir.h"
#include "common/store/store.h"

struct newcomer;
struct index {
	const struct maildir	*dir;		/* the folder's; not ours */
	struct store		*store;		/* for the validity of a new folder */
	int			 lock;		/* -1: not held */
	/* the file */
	int			 fd;		/* -1: none */
	dev_t			 dev;
	ino_t			 ino;
	off_t			 log_at;	/* its items are known up to here */
	void			*map;
	size_t			 map_size;
	/* what it says, and what has changed since */
	struct index_header	 head;
	struct index_row	*rows, *tail;	/* nrows are mapped, ntail ours */
	size_t			 nrows, ntail, tail_cap;
	size_t			 live;		/* rows that are not gone */
	size_t			 new, unseen, deleted;	/* of them; new: still in new/ */
	size_t			 first_unseen;	/* no row before this is unseen */
	bool			 unchecked;	/* the mapped rows are not looked at yet: index_check_rows */
	bool			 stuck;		/* and cannot be moved */
	size_t			 nobodys;	/* of them: INDEX_RECENT */
	const char		*names;		/* of the mapping */
	struct buf		 own;		/* names that are not in the mapping */
	const struct index_gone	*gone;
	struct index_gone	*gone_tail;
	size_t			 ngone, ngone_tail, gone_cap;
	char			 keyword[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1];
	/* what is to be written */
	struct buf		 out;
	bool			 rewrite;	/* by a new file */
	bool			 torn;		/* its last items are not whole */
	bool			 rebooted;	/* what it says last may be lost, index_touch */
	bool			 private;	/* the file does not say what we say: could not be written */
	bool			 marked;	/* the file is: INDEX_UNWRITTEN */
	uint64_t		 written;	/* the highest modseq that the file knows; UINT64_MAX: there is no file */
	bool			 alone;		/* nobody else has this validity: it could not be written */
	/* UIDs of those that we have moved from new/ to cur/, until the view has taken note */
	uint32_t		*recent;
	size_t			 nrecent, recent_cap;
	/* what is known of a message that a look finds anew, by its base name: arrivals.c is adding it. NULL: nothing */
	const struct newcomer	*(*coming)(const void *, struct str base);
	const void		*coming_arg;
	unsigned		 version;	/* other: something has changed */
	unsigned		 keywords_version;
};

/* index.c */
/* Nothing is read yet. The seed is the kernel's. -1: errno. */
int	index_init(struct index *, const struct maildir *, struct store *) must_check;
void	index_free(struct index *);
/* All rows, gone ones (INDEX_GONE) too. */
static inline size_t
index_count(const struct index *x)
{
	return x->nrows + x->ntail;
}
static inline struct index_row *
index_row(const struct index *x, size_t i)
{
	return i < x->nrows ? &x->rows[i] : &x->tail[i - x->nrows];
}
static inline bool
index_is_live(const struct index_row *r)
{
	return (r->flags & INDEX_GONE) == 0;
}
/* The first row of that UID or a higher one; guess: where it may be. */
size_t	index_find(const struct index *, uint32_t uid, size_t guess);
/* Base name and what is behind it (":2,S", or nothing), GUID; valid until something is put. */
struct str index_name(const struct index *, const struct index_row *);
struct str index_base(const struct index *, const struct index_row *);
struct str index_info(const struct index *, const struct index_row *);
struct str index_guid(const struct index *, const struct index_row *);
/* All three, one behind the other. */
struct str index_text(const struct index *, const struct index_row *);
uint32_t index_hash(const struct index *, struct str base);
/* index_letters.c: what stands behind a base name, ":2,FSab", and the bits for it. Letters that are none stay as they are: old is what was there. */
void	index_flags(struct str info, uint8_t *flags, uint64_t *keywords);
int	index_letters(struct str old, uint16_t flags, uint64_t keywords, struct buf *out) must_check;

/* index_items.c: changes, of memory at once and of the file by index_flush. -1: errno. */
int	index_add(struct index *, const struct index_row *, struct str base, struct str info, struct str guid) must_check;
/* index_apply.c: so many are to be added, with names and all of so many bytes; less is no harm. */
int	index_reserve(struct index *, size_t rows, size_t names) must_check;
int	index_set(struct index *, size_t, uint16_t flags, uint64_t keywords, uint64_t modseq, struct str info) must_check;
int	index_remove(struct index *, size_t, uint64_t modseq) must_check;
int	index_note(struct index *, size_t) must_check;		/* sizes and dates, as the row has them */
int	index_put_head(struct index *) must_check;		/* head.uidnext, stamps ... */
int	index_put_keywords(struct index *) must_check;
/* The keywords as their section, and as an item, has them. */
int	index_keywords_text(const struct index *, struct buf *) must_check;
/* A new one, in dovecot-keywords and here. Its number; -1: errno, EMLINK: there is no room for one. */
int	index_make_keyword(struct index *, struct str name) must_check;
/* Every row has changed, as far as anybody knows. */
void	index_touch(struct index *, uint64_t modseq);
uint64_t index_next_modseq(struct index *);

/* index_apply.c: items that were read. False: they are none, and what is behind them cannot be relied on. */
bool	index_apply(struct index *, struct str items);
bool	index_take_keywords(struct index *, struct str lines);
/* Where a new index begins: the time, so fine that whoever had an index before cannot have been told of as much, one change after the other. */
uint64_t index_first_modseq(void);
/* Where one of that time begins. */
uint64_t index_modseq_at(int64_t seconds, int64_t ns);
/* Nothing is known any more. */
void	index_reset(struct index *, uint32_t validity);
/* index.c: the file is given back; the rows that were mapped are no more. */
void	index_unmap(struct index *);

/* index_file.c */
/* What others have written since. -1: errno of a want of memory; a file that is missing or damaged is as none. */
int	index_catch_up(struct index *) must_check;
/* The same, but rows of a file that is new to us stay unchecked: counts, and what items say of them, can be relied on. */
int	index_follow(struct index *) must_check;
/* The rows, if they are not looked at yet. False: they are damaged, and nothing is known any more. */
bool	index_check_rows(struct index *);
/* Is what is mapped still as it was when it was looked at? False: it was written over, and nothing is known any more. As slow as the first look. */
bool	index_verify(struct index *) must_check;
/* The first live row that is unseen, as the how manieth of the live ones; SIZE_MAX: there is none. */
size_t	index_first_unseen(struct index *);
/* The writers' lock. -1: ETIMEDOUT, EROFS, EACCES ... */
int	index_lock(struct index *) must_check;
void	index_unlock(struct index *);
/* Under the lock: what was put, to the file. What cannot be written stays in memory (private). */
void	index_flush(struct index *);
/* Who leaves a folder writes a new file if the items are many: each who opens it would have to read them. Without the lock. */
void	index_tidy(struct index *);
/* index_check.c: pure. The header of a file of which that much is there, if it and the keywords are in order. */
bool	index_check_head(const void *, size_t, struct index_header *);
/* And the rest, but the items. */
bool	index_check_sections(const void *sections, const struct index_header *);
/* Can it be a mailbox's identifier (or be none yet)? */
bool	index_id_ok(struct str);
size_t	index_sections_size(const struct index_header *);
void	index_sum(struct index_header *, const void *sections);
/* One row more, in the counts of rows. */
void	index_tally(struct index_header *, const struct index_row *);
/* The next block of items behind the checkpoint; at: its offset in the file. False: none that is whole. */
bool	index_block(const struct index_header *, struct str log, uint64_t at, struct str *items, size_t *used);
uint64_t index_block_sum(const struct index_header *, uint64_t at, struct str items);
/* index_write.c: a new file with all there is. */
int	index_rewrite(struct index *) must_check;
/* INDEX_UNWRITTEN, for an open file. */
int	index_mark(int fd) must_check;
void	index_use_map(struct index *, void *map, size_t size, const struct index_header *);
/* index_file.c: when this machine was started; two that differ by no more than INDEX_BOOT_SLACK are one. */
#define INDEX_BOOT_SLACK 5
int64_t	index_boot_time(void);

/* A message that has no row yet. */
struct newcomer {
	struct str	base, info, guid;	/* GUID: empty if it is the base name */
	uint64_t	time, wire;		/* or INDEX_UNKNOWN */
	int64_t		saved;
	uint32_t	uid;			/* 0: needs one */
	bool		is_new;			/* in new/ */
	bool		assigned;		/* by index_list_number */
	bool		moved;			/* by us, to cur/ */
	bool		recent;			/* INDEX_RECENT */
};

#define NEWCOMERS_AHEAD	12u

/* In order they lie anywhere in memory: a name that is wanted soon is on its way while this one is worked on. */
static inline void
newcomer_ahead(const struct newcomer *who, size_t i, size_t n)
{
	if (i + NEWCOMERS_AHEAD >= n)
		return;
	__builtin_prefetch(who[i + NEWCOMERS_AHEAD].base.p);
	__builtin_prefetch(who[i + NEWCOMERS_AHEAD].info.p);
}

/* index_list.c: dovecot-uidlist */
struct uid_list {
	struct buf		text;
	struct uidlist_head	head;
	struct cur		lines;		/* behind the head */
	struct index_file_stamp	stamp;
	bool			read;
	bool			usable;		/* there, with a head */
	bool			damaged;	/* lines of no use in it */
	bool			reappeared;	/* a line is of a message that gets another UID */
	bool			unlisted;	/* a row has no line in it */
	uint32_t		next;		/* above all in it */
	size_t			dead;
};
void	index_list_init(struct uid_list *);
void	index_list_free(struct uid_list *);
void	index_file_stamp(int dir, const char *name, struct index_file_stamp *);
bool	index_stamp_same(const struct index_file_stamp *, const struct index_file_stamp *);
/* -1: errno, not ENOENT. */
int	index_list_read(const struct index *, struct uid_list *) must_check;
/* The same of Courier's, where there is none. */
int	index_list_read_courier(const struct index *, struct uid_list *) must_check;
/* Lines against rows; what is not a row's is given to known, which answers whether it needs the line. Sets next, dead and so on. */
void	index_list_walk(const struct index *, struct uid_list *, bool (*known)(void *, const struct uidlist_line *), void *);
/*
 * Gives UIDs to those of the newcomers (in their order) that need one, durably; under the writers' lock. The list is written anew if that is
 * needed for other reasons. -1: errno; EAGAIN: the list has been changed meanwhile, and needs another look; EOVERFLOW: there are not so many left.
 */
int	index_list_number(struct index *, struct uid_list *, struct newcomer *, size_t n) must_check;
/* A line of it. */
void	index_list_put(struct buf *, uint32_t uid, struct str base, struct str guid, uint64_t wire);
/*
 * index_list_anew.c: there are no UIDs left for the newcomers: another validity, and all get UIDs from 1 in the order of those that they had, at
 * last the newcomers without; under the writers' lock. -1: errno, nothing has changed; EAGAIN: as above; EOVERFLOW: there is no validity
 * left either.
 */
int	index_list_anew(struct index *, struct uid_list *, struct newcomer *, size_t n) must_check;
/* head.mailbox_id, made if there is none. */
void	index_mailbox_id(struct index *);

/* index_look.c */
enum {
	INDEX_KEEP_NEW = 1,	/* leave messages in new/ */
	INDEX_ALL = 2,		/* look, whatever the stamps say */
	INDEX_UNCHECKED = 4	/* mapped rows need not be looked at */
};
/* Looks at the folder if it may have changed, and takes over what is found. -1: errno; ESTALE: the folder is no more. */
int	index_sync(struct index *, unsigned how) must_check;
/* The same, lock held (or not to be had), caught up. */
int	index_look(struct index *, unsigned how) must_check;
bool	index_is_fresh(struct index *, unsigned how);
/* Files have been renamed to cur/: where a power cut could lose both of a file's names that is flushed (durable.h). -1: errno. */
int	index_flush_moves(const struct index *) must_check;
int	index_note_recent(struct index *, uint32_t uid) must_check;
/* Is cur/ as the index has it? To be asked before we change it ourselves. */
bool	index_cur_unchanged(const struct index *);
/* It was, and now is as it is because of that. Puts the head. */
int	index_own_change(struct index *, bool unchanged) must_check;

#endif

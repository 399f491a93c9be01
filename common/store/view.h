/*
 * common/store/view.h - an open folder as an IMAP session sees it: messages numbered 0..n-1 in the order of their UIDs.
 * Other sessions, deliveries and foreign programs may change the folder at any time; the view changes only when it is told
 * to (view_refresh), one step after the other (view_next), so that the client can be told of each.
 *
 * What is known of a folder is in its Maildir: messages and flags in the names of the files, UIDs in dovecot-uidlist, names of
 * keywords in dovecot-keywords. Beside them is an index (posthouse-index(5)), which is made anew when it is missing, stale or
 * damaged, so that nothing of these need be read when a folder has not changed.
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/str.h"
#include "common/store/cache.h"
#include "common/store/store.h"

#define VIEW_KEYWORDS		56	/* letters of a file name; others than the first 56 of a folder cannot be kept */
#define VIEW_KEYWORD_MAX	100	/* bytes of one's name */

enum {
	VIEW_ANSWERED = 1, VIEW_FLAGGED = 2, VIEW_DELETED = 4, VIEW_SEEN = 8, VIEW_DRAFT = 16,
	VIEW_RECENT = 32	/* of this session */
};

struct view_message {
	uint64_t	keywords;	/* bit i: view_keyword(v, i) */
	uint64_t	modseq;
	uint32_t	uid;
	uint16_t	flags;
};

struct view;	/* opaque */

/* read_only: EXAMINE: nothing is changed, \Recent stays for others. -1: *why, errno (ENOENT: no such folder). Messages without UID get theirs. */
int	view_open(struct view **, struct store *, const char *folder, bool read_only, struct diag *why) must_check;
/*
 * The same, but where the index is fresh its rows are left for view_complete, which has to come before anything else is asked than how many
 * there are (view_count, view_recent, view_first_unseen, and the numbers and keywords of the folder).
 */
int	view_open_quick(struct view **, struct store *, const char *folder, bool read_only, struct diag *why) must_check;
/* Nothing, if it is complete. -1: errno; ESTALE: the index was damaged, and what was said of the folder may be wrong: the session has to leave it. */
int	view_complete(struct view *) must_check;
void	view_close(struct view **);
size_t	view_count(const struct view *);
const struct view_message *view_message(const struct view *, size_t);
/* The first message with that UID or a higher one; view_count if there is none. */
size_t	view_find(const struct view *, uint32_t uid);
uint32_t view_uidvalidity(const struct view *);
uint32_t view_uidnext(const struct view *);
uint64_t view_highest_modseq(const struct view *);	/* of what the view shows */
/*
 * What a client may be told of a modification sequence of this view's. One that could not be written (the disk is full) is given to another
 * change by whoever can: a client that has it would not hear of that.
 */
uint64_t view_modseq_told(const struct view *, uint64_t modseq);
uint64_t view_highest_told(const struct view *);	/* of view_highest_modseq */
size_t	view_recent(const struct view *);
/* view_count: all are seen. */
size_t	view_first_unseen(struct view *);
bool	view_read_only(const struct view *);
const char *view_folder(const struct view *);	/* as of the last view_refresh or view_follow */
/* Has it another name by now? That is its name then. -1: errno, ESTALE: it has none in this store. view_refresh does it, too. */
int	view_follow(struct view *) must_check;
struct store *view_store_of(const struct view *);
/* Is it a view of that folder of that store, by its name as of view_folder? NULL is one of none. */
bool	view_is_of(const struct view *, const struct store *, const char *folder);
/* Names of keywords; NULL: there is none of that number. */
const char *view_keyword(const struct view *, unsigned);
/* Its bit, made if it is new and make is set. 0: there is none; or, if it is to be made, errno: EMLINK: no room for one more, EINVAL, ETIMEDOUT ... */
uint64_t view_keyword_bit(struct view *, struct str name, bool make);
/* Can one more be made? (PERMANENTFLAGS \*) */
bool	view_keywords_left(const struct view *);
/* Have names come that nobody has been told of? (as VIEW_NEW_KEYWORDS, which does not come for them any more) */
bool	view_keywords_new(struct view *);

struct view_info {
	int64_t		internal_date;	/* seconds since 1970 */
	int64_t		saved;		/* when it came into this folder (RFC 8514) */
	uint64_t	wire;		/* RFC822.SIZE: octets with CRLF ends */
	uint64_t	size;		/* of the file */
	struct str	guid;		/* the same for all copies made within this store; for EMAILID (RFC 8474); valid until the next call */
};
/* Counted at need, and kept. -1: errno; ENOENT: it is gone, and the next refresh will say so. */
int	view_info(struct view *, size_t, struct view_info *) must_check;
/* Only the size, the common case. */
int	view_size(struct view *, size_t, uint64_t *wire) must_check;
/* The file, read-only. -1: as view_info. */
int	view_open_message(struct view *, size_t) must_check;
/*
 * Its name as it was last seen, in the directory *dir (not the caller's); valid until the next call. again: it is not there any more, look
 * anew. -1: as view_info.
 */
int	view_file(struct view *, size_t, bool again, int *dir, const char **name) must_check;
/* "32 hexadecimal digits": the folder's, for ever (MAILBOXID, RFC 8474); Dovecot's where it was there. */
const char *view_mailbox_id(struct view *);

/* What was parsed of a message, from the cache or from its file; see cache.h. Valid until the next call of the two. -1: as view_info. */
int	view_head(struct view *, size_t, struct cache_head *) must_check;
int	view_body(struct view *, size_t, struct cache_body *) must_check;

/* ---- changes */

/*
 * Looks at the disk, if something may have happened there; cheap if not. Nothing of the view changes yet. 1: there are changes
 * for view_next (perhaps old ones), 0: none, -1: errno; ESTALE: the folder was deleted, or its UIDVALIDITY has changed: the session has to leave it. One that has another name is followed.
 */
int	view_refresh(struct view *) must_check;
/* Is it there, but with another UIDVALIDITY? */
bool	view_is_renumbered(const struct view *);
enum view_change_kind { VIEW_EXPUNGED, VIEW_CHANGED, VIEW_ARRIVED, VIEW_NEW_KEYWORDS };
struct view_change {
	enum view_change_kind kind;
	size_t		 at;	/* EXPUNGED: the number that it had (those above have moved down); CHANGED: its number; ARRIVED: the number of the first of those that came */
	uint32_t	 uid;	/* EXPUNGED, CHANGED */
	uint64_t	 modseq;
};
/*
 * The next change, which the view shows from now on. False: there are no more that may be shown now: while expunges
 * are not allowed they wait, and so does everything else that depends on them (nothing else does: changes and arrivals come). What this session did by
 * view_store is not told again.
 */
bool	view_next(struct view *, bool expunges, struct view_change *);
/* A descriptor that is readable when something happened to the folder (inotify), for poll(2); -1: there is none, look from time to time. Opened at first need. */
int	view_wait_fd(struct view *);
void	view_wait_clear(struct view *);	/* what was said is read away */
/*
 * How long, in ms, until it is certain that view_refresh has missed nothing of what view_wait_fd has told of: neither what has happened within the
 * tick of the clock in which it was looked, nor what another session has not written down yet. 0: it has not. Until then: look again.
 */
int64_t	view_unsure(const struct view *);

/* UIDs that were expunged after that modification sequence, as far as is still known; *all false: some may be missing, tell of all that are not there (RFC 7162 3.2.5.2). Sorted, in memory of the view until the next call. */
int	view_vanished(struct view *, uint64_t since, const uint32_t **uids, size_t *n, bool *all) must_check;

enum view_store_how { VIEW_SET, VIEW_ADD, VIEW_REMOVE };
/*
 * Changes the flags of the n messages (numbers, in order). Those whose modseq is above unchanged_since (UINT64_MAX: any) on disk are
 * left alone, and their at[] is set to SIZE_MAX. A message that is gone is passed over in silence. What is changed has a new modseq, the same for all. -1: errno (EROFS, ENOSPC ...), and some may have been changed; the view shows which.
 */
int	view_store(struct view *, size_t *at, size_t n, enum view_store_how, uint16_t flags, uint64_t keywords,
	    uint64_t unchanged_since) must_check;
/* Shows message i, of which the client is told now, as it is by then. true: that was somebody else's change as well, and view_next tells no more of it. */
bool	view_show_newest(struct view *, size_t i);
/* Removes those messages of the n that have \Deleted (on disk, now); durable. They stay in the view until view_next tells of them. -1: errno. */
int	view_expunge(struct view *, const size_t *at, size_t n) must_check;
/* They are no longer there: moved elsewhere by save_move. */
void	view_moved(struct view *, const size_t *at, size_t n);

/* ---- without a session */

enum { VIEW_STATUS_UNSEEN = 1, VIEW_STATUS_DELETED = 2, VIEW_STATUS_SIZE = 4, VIEW_STATUS_RECENT = 8 };	/* what costs extra */
struct view_status {
	uint32_t	messages, recent, unseen, deleted, uidnext, uidvalidity;
	uint64_t	highest_modseq, size, deleted_size;
	int64_t		unsure;		/* as of view_unsure */
	char		mailbox_id[40];
};
/* From the index alone if the folder has not changed, and from its header but for the sizes. */
int	view_status(struct store *, const char *folder, unsigned want, struct view_status *, struct diag *) must_check;

#endif

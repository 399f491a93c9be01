/*
 * deliver/place.h - where messages are stored: a Maildir or an mbox file, as
 * its user. Deliveries to a Maildir come in batches that share a flush.
 */
#ifndef DELIVER_PLACE_H
#define DELIVER_PLACE_H

#include <sys/types.h>

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/store/maildir.h"
#include "deliver/content.h"

#define PLACE_PATH_MAX	1024
#define PLACE_BATCH	32

enum place_kind { PLACE_MAILDIR, PLACE_MBOX };

struct place {
	enum place_kind	kind;
	char		path[PLACE_PATH_MAX];
	struct maildir	maildir;
	struct maildir	whole;			/* of which that is a folder; else closed */
	char		below[MAILDIR_FOLDER_MAX + 3];	/* "/.Folder", or empty */
	dev_t		dir_dev;		/* of an mbox: its directory, */
	ino_t		dir_ino;		/* as it was opened */
	bool		strict;			/* the setting durability; set before place_open */
	bool		limited;		/* a user's mailbox: it may have a quota */
	uint64_t	quota;			/* bytes, his own or the configuration's; 0: none, see quota_find */
	bool		quota_is_bad;		/* what was set for him cannot be understood, and it has been logged */
	uint64_t	used, used_count;
	uint64_t	begun, begun_count;	/* of these, what place_end will store */
	int64_t		counted;		/* when; 0: never */
	int64_t		lock_timeout;		/* ms, for mbox */
	char		host[256];		/* in names of files */
};

struct mail {
	struct str	sender, rcpt, addr;
	struct content	content;
	bool		handed_ok;		/* see header_facts: who called us may have named the address already */
	/* the result: enhanced status code, exit status and a sentence */
	char		status[16];
	int		exit;
	char		text[256];
	struct maildir_draft draft;		/* between place_begin and place_end */
};

/* "maildir:/path" or "mbox:/path"; a Maildir and its folder are made if they are not there. -1: errno and why. */
int	place_open(struct place *, const char *location, const char *folder, struct diag *) must_check;
/* Is what was opened still what the path names? Asked before a batch, and once more when it is stored. */
bool	place_is_there(const struct place *);
/* The directory that deliveries need, for a sandbox. */
void	place_dir(const struct place *, char *, size_t);
/* Checks loop and hops, then writes. False: the mail has its result. An mbox takes no streams. */
bool	place_begin(struct place *, struct mail *, size_t max_hops);
/* All that begin let through: each gets its result. */
void	place_end(struct place *, struct mail **, size_t);
void	place_close(struct place *);

/* Checks loop and hops; false: the mail has its result. */
bool	mail_check(struct mail *, size_t max_hops) must_check;
/* The fields that go before the message. -1: they are too long. */
int	mail_head(struct buf *, const struct mail *) must_check;
void	mail_result(struct mail *, const char *status, const char *fmt, ...) printf_like(3, 4);
/* From errno, with a finished sentence; or what says at what. */
void	mail_diag(struct mail *, const struct diag *);
void	mail_errno(struct mail *, const char *what);

#endif

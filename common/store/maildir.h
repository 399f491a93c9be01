/* common/store/maildir.h - Maildir: tmp, new, cur; names; durable delivery in batches. */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/store/durable.h"

#define MAILDIR_NAME_MAX	255
#define MAILDIR_FOLDER_MAX 200
#define MAILDIR_TMP_MAX	205	/* leaves room for ",S=size" */

struct maildir {
	int			 root, tmp, new, cur;	/* directory descriptors */
	enum durable_how	 how;
	struct flush		 flush;
};

/* Opens a Maildir below dirfd; create: makes it (0700) and its parents' last component, durably. folder "" or "Work.Lists" -> ".Work.Lists" (Maildir++). */
int	maildir_open(struct maildir *, int dirfd, const char *path, const char *folder, bool create, struct diag *) must_check;
/*
 * The same for one who delivers nothing: it is not looked for what makes a delivery durable there, and tmp is only opened where it may have
 * to be made (else -1). dirfd may be the Maildir itself, with path ".".
 */
int	maildir_open_to_read(struct maildir *, int dirfd, const char *path, const char *folder, bool create, struct diag *) must_check;
void	maildir_close(struct maildir *);
/* Pure: can a folder be called that? No '/', no control character, no empty part between dots, no 8-bit byte (names are in modified UTF-7, RFC 3501 5.1.3). */
bool	maildir_folder_ok(const char *);
/* Pure: could a folder that is there already be called that? Also 8-bit bytes, and no right UTF-7: other programs make such. */
bool	maildir_folder_found(const char *);

/* One message on its way: tmp/NAME -> new/NAME. */
struct maildir_draft {
	int	fd;
	char	name[MAILDIR_TMP_MAX + 1];	/* in tmp; the final name adds ",S=size,W=wire" */
	off_t	size;
	off_t	wire;	/* its size with CRLF line ends, set by the caller; 0: not known */
};
int	maildir_begin(const struct maildir *, const char *host, struct maildir_draft *) must_check;
/* A name that no other message has; without sizes. */
void	maildir_unique(const char *host, char[MAILDIR_TMP_MAX + 1]);
/* As it will be called, with its sizes, and info (":2,S" in cur/, "" in new/) behind. -1: ENAMETOOLONG. */
int	maildir_final_name(const char *unique, off_t size, off_t wire, const char *info, char[MAILDIR_NAME_MAX + 1]) must_check;
/* The caller writes to fd. */
/* All of the batch: data, names, one flush. 0: all are safe. -1: none is acknowledged (what was renamed is taken back as far as possible). Drafts are closed. */
int	maildir_commit(struct maildir *, struct maildir_draft *, size_t) must_check;
void	maildir_abort(const struct maildir *, struct maildir_draft *);
/* What maildir_commit has stored goes again: nobody was told of it. */
void	maildir_withdraw(const struct maildir *, const struct maildir_draft *, size_t);

/*
 * Removes from tmp what has not changed for 36 hours before now (seconds since 1970): who wrote it has died. Looks no more often than
 * every 8 hours, as the time of access of tmp tells it. What fails is left to the next one.
 */
void	maildir_clean(const struct maildir *, int64_t now);

/* "name:2,FLAGS" */
struct str	maildir_name_base(struct str);	/* up to the ":2," */
struct str	maildir_name_flags(struct str);
/* ",S=" and ",W=" of a name: true if there. */
bool		maildir_name_size(struct str, char which, uint64_t *);

/* Bytes and messages in the Maildir and its Maildir++ folders (call it on the root): by the sizes in their names, else by stat. */
int	maildir_usage(const struct maildir *, uint64_t *bytes, uint64_t *count) must_check;
/* Adds to maildirsize after a delivery (does nothing if the file is not kept); when it has become long it is written anew, as Maildir++ has it. */
void	maildir_usage_add(const struct maildir *, int64_t bytes, int64_t count);

#endif

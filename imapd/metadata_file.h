/*
 * imapd/metadata_file.h - what people note about a mailbox or the server (RFC 5464), as it is kept in "posthouse-metadata" in
 * each folder, and in "posthouse-metadata-server" in the root. Pure. Records as in record.h: P is the version, 1; then for
 * each entry E its name, U whose it is (without it: everybody's), V its value, any bytes.
 */
#ifndef IMAPD_METADATA_FILE_H
#define IMAPD_METADATA_FILE_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define METADATA_VALUE_MAX	65536
#define METADATA_ENTRIES_MAX	100	/* of one user, and as many of everybody's */
#define METADATA_ALL_MAX	1000	/* in one file */
#define METADATA_FILE_MAX	(16u << 20)

struct metadata_entry {
	struct str	name;
	struct str	user;		/* empty: everybody's */
	struct str	value;
};

struct metadata {
	struct metadata_entry *e;	/* room for METADATA_ALL_MAX */
	size_t		 n;
};

/* Views; an empty text has no entries. False: it is damaged, or there is no memory. */
bool	metadata_file_parse(struct str, struct arena *, struct metadata *);
void	metadata_file_put(struct buf *, const struct metadata *);
/* "/private/...": is it somebody's own? */
bool	metadata_is_private(struct str name);
/* Is name that entry, or below it by no more than depth (0, 1, or UINT_MAX for all)? */
bool	metadata_matches(struct str name, struct str entry, unsigned depth);
/* The entry of that name that is the user's, or everybody's. NULL: there is none. */
struct metadata_entry *metadata_find(struct metadata *, struct str name, struct str user);
enum metadata_result { METADATA_OK, METADATA_TOO_LARGE, METADATA_TOO_MANY };
/* value.p NULL: it is removed. What is given has to live as long as m. */
enum metadata_result metadata_set(struct metadata *, struct str name, struct str user, struct str value);

#endif

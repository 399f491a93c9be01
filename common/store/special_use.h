/*
 * common/store/special_use.h - the text of "posthouse-special-use": which folders have a special use (RFC 6154); pure. A record
 * (record.h): V1:1, then for each folder F name and U use, a letter as store.h has them, or nothing: the user wants it to have none.
 */
#ifndef STORE_SPECIAL_USE_H
#define STORE_SPECIAL_USE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/fmt/cur.h"

struct special_use {
	struct str	folder;
	char		use;	/* 0: none */
};

#define SPECIAL_USES	"aADFJSTI"

/* Goes past the version. False: this is no such text. */
bool	special_use_begin(struct cur *);
bool	special_use_next(struct cur *, struct special_use *);
void	special_use_put_head(struct buf *);
void	special_use_put(struct buf *, struct str folder, char use);
/* The use that a folder of that name has where nothing else is said; 0: none. */
char	special_use_by_name(const char *folder);

#endif

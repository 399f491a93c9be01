/* common/store/rename_new.h - a message gets another name; nothing is ever replaced. */
#ifndef STORE_RENAME_NEW_H
#define STORE_RENAME_NEW_H

#include "common/base/attr.h"

/* -1: errno; EEXIST: there is another file of that name. */
int	rename_new(int from_dir, const char *from, int to_dir, const char *to) must_check;

#endif

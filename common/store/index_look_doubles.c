/*
 * common/store/index_look_doubles.c - two files that differ only in their flags: a second name of the same file is removed, a
 * file of its own gets a base name of its own, so that it is a message like the others.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/store/index_look.h"
#include "common/store/rename_new.h"

static int
dir_of(const struct look *k, bool is_new)
{
	return is_new ? k->x->dir->new : k->x->dir->cur;
}

static void
part(struct look *k, const struct listed_twice *d)
{
	const struct listed	*e = &k->names.names[d->of];
	const char		*name = k->names.text.p + d->at;
	struct timespec		 now = now_real();
	struct stat		 a, b;
	char			 other[MAILDIR_NAME_MAX + 1];

	if (fstatat(dir_of(k, e->is_new), listing_name(&k->names, e), &a,
	    AT_SYMLINK_NOFOLLOW) == -1 || fstatat(dir_of(k, d->is_new), name,
	    &b, AT_SYMLINK_NOFOLLOW) == -1)
		return;		/* it was only seen twice, or has gone */
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
		if (b.st_nlink > 1 &&
		    unlinkat(dir_of(k, d->is_new), name, 0) == 0)
			k->again = true;
		return;
	}
	snprintf(other, sizeof(other), "%lld.M%06ldP%dR%08x.double%s",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (int)getpid(),
	    arc4random(), name + e->base_len);
	if (rename_new(dir_of(k, d->is_new), name, dir_of(k, d->is_new),
	    other) == 0)
		k->again = true;
}

void
look_doubles(struct look *k)
{
	size_t	i;

	for (i = 0; i < k->names.ndoubles && k->x->lock != -1; i++)
		part(k, &k->names.doubles[i]);
}

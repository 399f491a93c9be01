/*
 * common/store/index_look_doubles.c - two files that differ only in their flags: a second name of the same file is removed, a
 * file of its own gets a base name of its own, so that it is a message like the others; and so does one whose name cannot be kept.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/store/index_look.h"
#include "common/store/rename_new.h"

#define BASE_MAX	(MAILDIR_NAME_MAX - 48)		/* ":2,DFPRST" and 26 letters */

static bool
is_as_before(const struct look *k, const struct index_row *r,
    const char *name, bool is_new)
{
	return ((r->flags & INDEX_IS_NEW) != 0) == is_new &&
	    str_eq(index_name(k->x, r), str_from(name));
}

void
look_prefer(struct look *k, const struct index_row *r, struct listed *e)
{
	struct listed_twice	*d = k->names.doubles, was;
	size_t			 i;

	for (i = 0; i < k->names.ndoubles; i++, d++) {
		if (d->of != (uint32_t)(e - k->names.names) ||
		    is_as_before(k, r, listing_name(&k->names, e), e->is_new))
			continue;
		if (!is_as_before(k, r, k->names.text.p + d->at, d->is_new) &&
		    (!e->is_new || d->is_new))
			continue;
		was = (struct listed_twice){ .of = d->of, .at = e->at,
		    .is_new = e->is_new };
		e->at = d->at;
		e->is_new = d->is_new;
		e->info_len = (uint8_t)(strlen(k->names.text.p + d->at) -
		    e->base_len);
		*d = was;
	}
}

static int
dir_of(const struct look *k, bool is_new)
{
	return is_new ? k->x->dir->new : k->x->dir->cur;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * A file that is renamed while it is looked at seems to have two names, and has more links if it was copied. So the second
 * name is put aside first, and goes only if the first one is still there.
 */
static void
drop(struct look *k, const struct listed *e, int dir, const char *name,
    const char *aside)
{
	struct stat	first, second;

	if (rename_new(dir, name, dir, aside) == -1)
		return;
	k->again = true;
	if (fstatat(dir_of(k, e->is_new), listing_name(&k->names, e), &first,
	    AT_SYMLINK_NOFOLLOW) == 0 && fstatat(dir, aside, &second,
	    AT_SYMLINK_NOFOLLOW) == 0 && same(&first, &second)) {
		if (unlinkat(dir, aside, 0) == -1)
			return;		/* it is a message more */
	} else if (rename_new(dir, aside, dir, name) == -1)
		return;			/* it has a name of its own now */
}

static void
other_name(char name[MAILDIR_NAME_MAX + 1], struct str info)
{
	struct timespec	now = now_real();

	snprintf(name, MAILDIR_NAME_MAX + 1, "%lld.M%06ldP%dR%08x.renamed%.*s",
	    (long long)now.tv_sec, now.tv_nsec / 1000, (int)getpid(),
	    arc4random(), STR_ARG(info));
}

static void
part(struct look *k, const struct listed_twice *d)
{
	const struct listed	*e = &k->names.names[d->of];
	const char		*name = k->names.text.p + d->at;
	struct stat		 a, b;
	char			 other[MAILDIR_NAME_MAX + 1];

	if (fstatat(dir_of(k, e->is_new), listing_name(&k->names, e), &a,
	    AT_SYMLINK_NOFOLLOW) == -1 || fstatat(dir_of(k, d->is_new), name,
	    &b, AT_SYMLINK_NOFOLLOW) == -1)
		return;		/* it was only seen twice, or has gone */
	other_name(other, str_from(name + e->base_len));
	if (same(&a, &b)) {
		if (b.st_nlink > 1)
			drop(k, e, dir_of(k, d->is_new), name, other);
		return;
	}
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

/* No line of a list can have it, or no flags could stand behind it. */
static bool
is_odd(struct str base)
{
	return !uidlist_name_ok(base) || base.n > BASE_MAX;
}

static int
rename_odd(const struct look *k, const struct newcomer *w)
{
	int		dir = dir_of(k, w->is_new);
	char		from[2 * MAILDIR_NAME_MAX + 2], to[MAILDIR_NAME_MAX + 1];
	struct buf	info;
	uint8_t		flags;
	uint64_t	keywords;
	int		r = -1;

	index_flags(w->info, &flags, &keywords);
	buf_init(&info, MAILDIR_NAME_MAX);
	if (snprintf(from, sizeof(from), "%.*s%.*s", STR_ARG(w->base),
	    STR_ARG(w->info)) < (int)sizeof(from) &&
	    (w->is_new || index_letters((struct str){ "", 0 }, flags, keywords,
	    &info) == 0)) {
		other_name(to, buf_view(&info));
		r = rename_new(dir, from, dir, to);
	}
	buf_free(&info);
	return r;
}

void
look_rename_odd(struct look *k)
{
	size_t	i, kept = 0;

	for (i = 0; i < k->nwho; i++) {
		if (k->who[i].uid == 0 && k->x->lock != -1 &&
		    is_odd(k->who[i].base) &&
		    rename_odd(k, &k->who[i]) == 0)
			k->again = true;
		else
			k->who[kept++] = k->who[i];
	}
	k->nwho = kept;
}

/*
 * common/store/store_list.c - which folders there are: the directories in the root whose names begin with a dot, what
 * they imply, and what is subscribed to.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/fdio.h"
#include "common/store/store_impl.h"

#define PARTS_MAX	(MAILDIR_FOLDER_MAX / 2 + 1)
#define CAP_MIN		32
#define INBOX		"INBOX"

int
store_name_cmp(const char *a, const char *b)
{
	unsigned char	x, y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	/* the end, then the dot, then everything else */
	x = *a == '.' ? 1 : (unsigned char)*a;
	y = *b == '.' ? 1 : (unsigned char)*b;
	return x < y ? -1 : x > y;
}

bool
store_is_below(const char *a, const char *b)
{
	size_t	n = strlen(b);

	return n > 0 && strncmp(a, b, n) == 0 && a[n] == '.';
}

int
store_folder_cmp(const void *a, const void *b)
{
	const struct store_folder	*x = a, *y = b;

	return store_name_cmp(x->name, y->name);
}

static void
sort(struct store *s)
{
	qsort(s->folders, s->n, sizeof(s->folders[0]), store_folder_cmp);
}

int
store_add(struct store *s, const char *name, bool exists)
{
	struct store_folder	*more;
	struct str		 copy;
	size_t			 cap = s->cap == 0 ? CAP_MIN : 2 * s->cap;

	if (s->n >= 2 * STORE_FOLDERS_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (s->n == s->cap) {
		if ((more = reallocarray(s->folders, cap, sizeof(*more))) ==
		    NULL)
			return -1;
		s->folders = more;
		s->cap = cap;
	}
	if (arena_dup(&s->names, str_from(name), &copy) == -1)
		return -1;
	s->folders[s->n++] = (struct store_folder){ .name = copy.p,
	    .exists = exists };
	return 0;
}

struct store_folder *
store_find(struct store *s, const char *name)
{
	const struct store_folder	key = { .name = name };

	return s->n == 0 ? NULL : bsearch(&key, s->folders, s->n,
	    sizeof(key), store_folder_cmp);
}

/* Dovecot and we have the inbox's own directory for that name, not ".INBOX". */
static bool
is_folder(const struct store *s, const struct dirent *e)
{
	struct stat	st;

	if (e->d_name[0] != '.' || !maildir_folder_found(e->d_name + 1) ||
	    strcasecmp(e->d_name + 1, INBOX) == 0)
		return false;
	if (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(s->root, e->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int
scan(struct store *s)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, saved, r = store_add(s, "", true);

	if (r == -1 || (fd = fdio_opendir(s->root, ".")) == -1)
		return -1;
	if ((d = fdopendir(fd)) == NULL) {
		fdio_close(&fd);
		return -1;
	}
	for (errno = 0; r == 0 && (e = readdir(d)) != NULL; errno = 0)
		if (is_folder(s, e))
			r = store_add(s, e->d_name + 1, true);
	if (r == 0 && errno != 0)
		r = -1;
	saved = errno;
	closedir(d);
	errno = saved;
	return r;
}

/* Those above a folder, as far as the one before it in order does not share them. */
static int
add_parents(struct store *s, size_t at)
{
	const char	*name = s->folders[at].name, *dot;
	const char	*before = s->folders[at - 1].name;
	char		 parent[MAILDIR_FOLDER_MAX + 1];

	for (dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		if (str_copy(parent, sizeof(parent),
		    (struct str){ name, (size_t)(dot - name) }) == -1)
			return -1;
		if (strcasecmp(parent, INBOX) != 0 &&
		    strcmp(parent, before) != 0 &&
		    !store_is_below(before, parent) &&
		    store_add(s, parent, false) == -1)
			return -1;
	}
	return 0;
}

static int
complete(struct store *s)
{
	size_t	i, n = s->n;

	for (i = 1; i < n; i++)
		if (add_parents(s, i) == -1)
			return -1;
	if (s->n > n)
		sort(s);
	return 0;
}

/* The ancestors of each are the last ones that it is below of. */
static void
find_children(struct store *s)
{
	struct store_folder	*above[PARTS_MAX], *f;
	size_t			 depth = 0, i, up;

	for (i = 1; i < s->n; i++) {
		f = &s->folders[i];
		while (depth > 0 &&
		    !store_is_below(f->name, above[depth - 1]->name))
			depth--;
		for (up = depth; f->exists && up > 0 &&
		    !above[up - 1]->has_children; up--)
			above[up - 1]->has_children = true;
		if (f->exists && strncasecmp(f->name, INBOX ".",
		    sizeof(INBOX)) == 0)
			s->folders[0].has_children = true;
		above[depth++] = f;
	}
}

static int
load(struct store *s)
{
	if (scan(s) == -1)
		return -1;
	sort(s);
	if (complete(s) == -1 || store_load_subscriptions(s) == -1)
		return -1;
	sort(s);
	find_children(s);
	return store_load_uses(s);
}

int
store_list(struct store *s, const struct store_folder **out, size_t *n)
{
	uint64_t	version = store_version(s);

	if (s->version == 0 || s->version != version) {
		s->n = 0;
		arena_free(&s->names);
		if (load(s) == -1) {
			store_forget(s);
			return -1;
		}
		s->version = version;
	}
	*out = s->folders;
	*n = s->n;
	return 0;
}

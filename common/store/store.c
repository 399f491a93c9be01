/* common/store/store.c - a tree of folders is opened, as the mailbox's user. Below its root all is found by openat(2). */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/base/now.h"
#include "common/store/box.h"
#include "common/store/store_impl.h"

#define NAMES_MAX	((size_t)STORE_FOLDERS_MAX * 2 * (MAILDIR_FOLDER_MAX + 32))
#define SETTLED_NS	INT64_C(100000000)	/* older changes of a directory are seen by its time */

static int
open_root(struct store *s, bool create, struct diag *why)
{
	struct maildir	m;

	if (maildir_open_to_read(&m, AT_FDCWD, s->path, "", create, why) == -1)
		return -1;
	s->root = m.root;
	s->how = durable_for(m.cur, false);
	m.root = -1;
	maildir_close(&m);
	if (gethostname(s->host, sizeof(s->host) - 1) == -1)
		strlcpy(s->host, "localhost", sizeof(s->host));
	store_empty_trash(s);
	return 0;
}

int
store_open(struct store **out, const char *location, bool create,
    struct diag *why)
{
	const char	*path = box_path(location);
	struct store	*s;

	if (path == NULL || strlen(path) >= STORE_PATH_MAX) {
		errno = EINVAL;
		return diag_set(why, "%s: expected maildir:/path", location);
	}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "open %s", location);
	s->root = -1;
	arena_init(&s->names, NAMES_MAX);
	strlcpy(s->path, path, sizeof(s->path));
	if (open_root(s, create, why) == -1) {
		store_close(&s);
		return -1;
	}
	*out = s;
	return 0;
}

void
store_close(struct store **s)
{
	int	saved = errno;

	if (*s == NULL)
		return;
	fdio_close(&(*s)->root);
	arena_free(&(*s)->names);
	free((*s)->folders);
	free(*s);
	*s = NULL;
	errno = saved;
}

int
store_root(const struct store *s)
{
	return s->root;
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

const char *
store_host(const struct store *s)
{
	return s->host;
}

enum durable_how
store_durable(const struct store *s, int dir)
{
	struct stat	here, root;

	return fstat(dir, &here) == 0 && fstat(s->root, &root) == 0 &&
	    here.st_dev == root.st_dev ? s->how : DURABLE_STRICT;
}

void
store_dir(const char *folder, char dir[STORE_DIR_SIZE])
{
	snprintf(dir, STORE_DIR_SIZE, ".%s", folder);
}

bool
store_name_ok(const char *folder)
{
	return folder[0] == '\0' || maildir_folder_found(folder);
}

bool
store_exists(struct store *s, const char *folder)
{
	struct stat	st;
	char		dir[STORE_DIR_SIZE];

	if (!store_name_ok(folder))
		return false;
	store_dir(folder, dir);
	return fstatat(s->root, dir, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

bool
store_is_there(const struct store *s, const char *folder, int cur)
{
	struct stat	here, named;
	char		path[STORE_DIR_SIZE + 4] = "cur";

	if (folder[0] != '\0')
		snprintf(path, sizeof(path), ".%s/cur", folder);
	return fstat(cur, &here) == 0 &&
	    fstatat(s->root, path, &named, 0) == 0 &&
	    here.st_dev == named.st_dev && here.st_ino == named.st_ino;
}

int
store_slurp(const struct store *s, const char *name, struct buf *b)
{
	buf_reset(b);
	return inside_slurp(s->root, name, b) == -1 && errno != ENOENT ?
	    -1 : 0;
}

void
store_forget(struct store *s)
{
	s->version = 0;
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

/* A change within one tick of the clock that files get their times from would not be seen: then no two versions are the same. */
static uint64_t
mix_file(const struct store *s, const char *name, uint64_t h)
{
	struct timespec	now;
	struct stat	st;
	int64_t		age;

	if (fstatat(s->root, name, &st, 0) == -1)
		return mix(h, 0);
	now = now_ticked();
	age = (now.tv_sec - st.st_mtim.tv_sec) * INT64_C(1000000000) +
	    now.tv_nsec - st.st_mtim.tv_nsec;
	if (age < SETTLED_NS) {
		now = now_real();
		h = mix(h, (uint64_t)now.tv_sec * UINT64_C(1000000000) +
		    (uint64_t)now.tv_nsec);
	}
	h = mix(h, (uint64_t)st.st_mtim.tv_sec);
	h = mix(h, (uint64_t)st.st_mtim.tv_nsec);
	return mix(mix(h, (uint64_t)st.st_ino), (uint64_t)st.st_size);
}

uint64_t
store_version(const struct store *s)
{
	uint64_t	h = 1;

	/* the other files are replaced by renames in the root */
	h = mix_file(s, ".", h);
	h = mix_file(s, "subscriptions", h);
	h = mix(h, s->uses_by_name);
	return h == 0 ? 1 : h;
}

void
store_use_names(struct store *s, bool on)
{
	s->uses_by_name = on;
}

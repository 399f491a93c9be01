/*
 * imapd/acl_keep.c - folders that are renamed keep their rights. Who may move a folder could else choose who may read it: without
 * a list of its own it has that of the folder above it, wherever it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/store/dotlock.h"
#include "imapd/mailboxes.h"

/* The list as the folder's own. */
static int
write_list(const struct place *p, const struct buf *text)
{
	char	path[PLACE_FILE_MAX];
	int	dir, lock, r = -1;

	dir = openat(store_root(p->store), place_file(p->folder, ".", path),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -1;
	if ((lock = dotlock_take(dir, ACL_LOCK, ACL_LOCK_WAIT,
	    DOTLOCK_MODE)) != -1)
		r = dotlock_replace(dir, ACL_LOCK, &lock, "dovecot-acl",
		    text);
	fdio_close(&dir);
	return r;
}

/* What applies to a folder, as text. *own: it is its own, and goes along anyway. */
static int
list_of(struct session *s, const struct place *p, struct buf *text, bool *own)
{
	struct acl	*acl = arena_get(&s->memory, sizeof(*acl));

	if (acl == NULL || place_acl(s, p->name_space, p->folder, &s->memory,
	    acl, own) == -1)
		return -1;
	acl_file_put(text, acl);
	return buf_ok(text) ? 0 : -1;
}

static int
keep(struct session *s, const struct place *p, struct str there)
{
	struct buf	text;
	bool		own;
	int		r;

	buf_init(&text, ACL_FILE_MAX);
	r = list_of(s, p, &text, &own);
	if (r == 0 && !own && !str_eq(buf_view(&text), there))
		r = write_list(p, &text);
	buf_free(&text);
	return r;
}

static bool
is_below(const char *folder, const char *above)
{
	size_t	n = strlen(above);

	return strncmp(folder, above, n) == 0 && folder[n] == '.';
}

/* Of one that is only a name each that is below it. */
static int
keep_all(struct session *s, const struct place *from, struct str there)
{
	const struct store_folder	*f;
	struct place			 p = *from;
	size_t				 i, n;

	if (store_exists(from->store, from->folder))
		return keep(s, from, there);
	if (store_list(from->store, &f, &n) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (f[i].exists && is_below(f[i].name, from->folder) &&
		    (str_copy(p.folder, sizeof(p.folder),
		    str_from(f[i].name)) == -1 || keep(s, &p, there) == -1))
			return -1;
	return 0;
}

int
acl_keep(struct session *s, const struct place *from, const struct place *to)
{
	struct buf	there;
	bool		own;
	int		r;

	if (from->name_space == SPACE_OWN)
		return 0;
	buf_init(&there, ACL_FILE_MAX);
	r = list_of(s, to, &there, &own);
	if (r == 0)
		r = keep_all(s, from, buf_view(&there));
	buf_free(&there);
	return r;
}

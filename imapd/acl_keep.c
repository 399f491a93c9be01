/*
 * imapd/acl_keep.c - shared folders keep their rights when they, or those above them, are moved or deleted. Without a list of its own
 * a folder has that of the one above it, so that who may do that could else choose who may read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/dotlock.h"
#include "imapd/mailboxes.h"

/* The list as the folder's own. */
static int
write_list(const struct place *p, const struct buf *text)
{
	char	path[PLACE_FILE_MAX];
	int	dir, lock, r = -1;

	dir = inside_open(store_root(p->store),
	    place_file(p->folder, ".", path), O_RDONLY | O_DIRECTORY);
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
	if (buf_ok(text))
		return 0;
	errno = text->why == EMSGSIZE ? EFBIG : ENOMEM;
	return -1;
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

/* Of all that is below the folder. */
static int
keep_below(struct session *s, const struct place *top, struct str there)
{
	const struct store_folder	*f;
	struct place			 p = *top;
	size_t				 i, n;

	if (store_list(top->store, &f, &n) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (f[i].exists && store_is_below(f[i].name, top->folder) &&
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
	/* one that is only a name has none to give */
	if (r == 0)
		r = store_exists(from->store, from->folder) ?
		    keep(s, from, buf_view(&there)) :
		    keep_below(s, from, buf_view(&there));
	buf_free(&there);
	return r;
}

int
acl_leave(struct session *s, const struct place *p)
{
	struct place	above = *p;
	struct buf	text;
	char		*dot = strrchr(above.folder, '.');
	bool		own;
	int		r;

	if (p->name_space == SPACE_OWN)
		return 0;
	*(dot == NULL ? above.folder : dot) = '\0';
	buf_init(&text, ACL_FILE_MAX);
	r = list_of(s, p, &text, &own);
	if (r == 0 && own) {
		buf_reset(&text);
		r = list_of(s, &above, &text, &own);
		if (r == 0)
			r = keep_below(s, p, buf_view(&text));
	}
	buf_free(&text);
	return r;
}

/* common/store/store_use.c - special uses of folders (RFC 6154), in a file of ours. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/store/dotlock.h"
#include "common/store/special_use.h"
#include "common/store/store_impl.h"

#define FILE_LOCK	STORE_USES ".lock"

/* What the file says of each; 'N': none, and not by its name either. */
static void
take(struct store *s, struct cur in)
{
	struct special_use	 u;
	struct store_folder	*f;
	char			 name[MAILDIR_FOLDER_MAX + 1];

	if (!special_use_begin(&in))
		return;
	while (special_use_next(&in, &u))
		if (str_copy(name, sizeof(name), u.folder) == 0 &&
		    (f = store_find(s, name)) != NULL)
			f->use = u.use == '\0' ? 'N' : u.use;
}

static void
by_names(struct store *s)
{
	bool	taken[256] = { false };
	size_t	i;
	char	use;

	for (i = 0; i < s->n; i++)
		taken[(unsigned char)s->folders[i].use] = true;
	for (i = 0; i < s->n; i++) {
		use = special_use_by_name(s->folders[i].name);
		if (s->folders[i].use == '\0' && use != '\0' &&
		    s->folders[i].exists && !taken[(unsigned char)use])
			s->folders[i].use = use;
	}
}

int
store_load_uses(struct store *s)
{
	struct buf	text;
	size_t		i;
	int		r;

	buf_init(&text, STORE_FILE_MAX);
	if ((r = store_slurp(s, STORE_USES, &text)) == 0 && text.n > 0)
		take(s, cur_from(buf_view(&text)));
	buf_free(&text);
	if (s->uses_by_name)
		by_names(s);
	for (i = 0; i < s->n; i++)
		if (s->folders[i].use == 'N')
			s->folders[i].use = '\0';
	return r;
}

/* Entries of a folder, and of those below it, that get another name or go. */
struct edit {
	const char	*from, *to;	/* to NULL: away with it */
	bool		 below;
	bool		 changed;
};

static void
edit_one(struct edit *e, const struct special_use *u, struct buf *out)
{
	char		name[MAILDIR_FOLDER_MAX + 1];
	char		moved[2 * MAILDIR_FOLDER_MAX + 1];
	struct str	folder = u->folder;

	if (str_copy(name, sizeof(name), folder) == 0 &&
	    (strcmp(name, e->from) == 0 ||
	    (e->below && store_is_below(name, e->from)))) {
		e->changed = true;
		if (e->to == NULL)
			return;
		snprintf(moved, sizeof(moved), "%s%s", e->to,
		    name + strlen(e->from));
		folder = str_from(moved);
	}
	special_use_put(out, folder, u->use);
}

static void
edit(struct edit *e, struct str text, struct buf *out)
{
	struct cur		in = cur_from(text);
	struct special_use	u;

	special_use_put_head(out);
	if (text.n > 0 && special_use_begin(&in))
		while (special_use_next(&in, &u))
			edit_one(e, &u, out);
}

static int
change(struct store *s, struct edit *e, const char *set, char use,
    struct buf *text, struct buf *out)
{
	int	lock;

	if ((lock = dotlock_take(s->root, FILE_LOCK, STORE_LOCK_WAIT,
	    DOTLOCK_MODE)) == -1)
		return -1;
	if (store_slurp(s, STORE_USES, text) == -1) {
		dotlock_drop(s->root, FILE_LOCK, &lock);
		return -1;
	}
	edit(e, buf_view(text), out);
	if (set != NULL)
		special_use_put(out, str_from(set), use);
	else if (!e->changed) {
		dotlock_drop(s->root, FILE_LOCK, &lock);
		return 0;
	}
	return dotlock_replace(s->root, FILE_LOCK, &lock, STORE_USES, out);
}

static int
change_uses(struct store *s, struct edit *e, const char *set, char use)
{
	struct buf	text, out;
	int		r;

	buf_init(&text, STORE_FILE_MAX);
	buf_init(&out, STORE_FILE_MAX);
	r = change(s, e, set, use, &text, &out);
	buf_free(&text);
	buf_free(&out);
	store_forget(s);
	return r;
}

int
store_set_use(struct store *s, const char *folder, char use)
{
	struct edit	e = { .from = folder };

	if (!store_name_ok(folder) ||
	    (use != '\0' && strchr(SPECIAL_USES, use) == NULL)) {
		errno = EINVAL;
		return -1;
	}
	return change_uses(s, &e, folder, use);
}

char
store_use(struct store *s, const char *folder)
{
	const struct store_folder	*list, *f;
	size_t				 n;

	if (store_list(s, &list, &n) == -1 ||
	    (f = store_find(s, folder)) == NULL)
		return '\0';
	return f->use;
}

int
store_move_uses(struct store *s, const char *from, const char *to, bool below)
{
	struct edit	e = { .from = from, .to = to, .below = below };
	struct buf	text;
	int		r;

	/* most have no such file */
	buf_init(&text, STORE_FILE_MAX);
	r = store_slurp(s, STORE_USES, &text);
	if (r == 0 && text.n > 0)
		r = change_uses(s, &e, NULL, '\0');
	buf_free(&text);
	return r;
}

/* common/store/store_subscriptions.c - what a user has subscribed to; the file that Dovecot has, or Courier's where there is none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/dotlock.h"
#include "common/store/store_impl.h"
#include "common/store/subscriptions.h"

#define FILE_OURS	"subscriptions"
#define FILE_LOCK	"subscriptions.lock"
#define FILE_COURIER	"courierimapsubscribed"

static int
slurp(const struct store *s, struct buf *text, bool *courier)
{
	buf_reset(text);
	*courier = false;
	if (inside_slurp(s->root, FILE_OURS, text) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	*courier = true;
	return store_slurp(s, FILE_COURIER, text);
}

/* Those that are no folders come behind the sorted ones; twice if they are there twice. */
static int
take(struct store *s, struct cur in, enum subscriptions_form form)
{
	struct store_folder	*f;
	struct str		 line;
	char			 name[MAILDIR_FOLDER_MAX + 1];
	size_t			 sorted = s->n, all;
	bool			 is_folder;

	while (subscriptions_next(&in, form, &line, name, &is_folder)) {
		if (!is_folder)
			continue;
		all = s->n;
		s->n = sorted;
		f = store_find(s, name);
		s->n = all;
		if (f == NULL) {
			if (store_add(s, name, false) == -1)
				return -1;
			f = &s->folders[s->n - 1];
		}
		f->subscribed = true;
	}
	return 0;
}

static void
drop_doubles(struct store *s, size_t sorted)
{
	struct store_folder	*f = s->folders;
	size_t			 i, n = sorted;

	for (i = sorted; i < s->n; i++)
		if (n == sorted || strcmp(f[i].name, f[n - 1].name) != 0)
			f[n++] = f[i];
	s->n = n;
}

int
store_load_subscriptions(struct store *s)
{
	struct buf		text;
	struct cur		in;
	enum subscriptions_form	form;
	size_t			sorted = s->n;
	bool			courier;
	int			r;

	buf_init(&text, STORE_FILE_MAX);
	if ((r = slurp(s, &text, &courier)) == 0 && text.n > 0) {
		in = cur_from(buf_view(&text));
		form = courier ? SUBSCRIPTIONS_COURIER :
		    subscriptions_form(&in);
		r = take(s, in, form);
		qsort(s->folders + sorted, s->n - sorted,
		    sizeof(s->folders[0]), store_folder_cmp);
		drop_doubles(s, sorted);
	}
	buf_free(&text);
	return r;
}

/* With as many subscriptions beside as many folders a store can still be listed (store_add). */
static bool
is_too_long(struct str text)
{
	size_t	i, lines = 0;

	for (i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	return lines > STORE_FOLDERS_MAX;
}

static int
change(struct store *s, const char *folder, bool on, struct buf *text,
    struct buf *out)
{
	bool	courier;
	int	lock;

	if ((lock = dotlock_take(s->root, FILE_LOCK, STORE_LOCK_WAIT,
	    DOTLOCK_MODE)) == -1)
		return -1;
	if (slurp(s, text, &courier) == -1) {
		dotlock_drop(s->root, FILE_LOCK, &lock);
		return -1;
	}
	if (!subscriptions_change(buf_view(text), courier, folder, on, out) &&
	    buf_ok(out)) {
		dotlock_drop(s->root, FILE_LOCK, &lock);
		return 0;
	}
	if (on && buf_ok(out) && is_too_long(buf_view(out))) {
		dotlock_drop(s->root, FILE_LOCK, &lock);
		errno = EDQUOT;
		return -1;
	}
	return dotlock_replace(s->root, FILE_LOCK, &lock, FILE_OURS, out);
}

int
store_subscribe(struct store *s, const char *folder, bool on)
{
	struct buf	text, out;
	int		r;

	if (!store_name_ok(folder)) {
		errno = EINVAL;
		return -1;
	}
	buf_init(&text, STORE_FILE_MAX);
	buf_init(&out, STORE_FILE_MAX);
	r = change(s, folder, on, &text, &out);
	buf_free(&text);
	buf_free(&out);
	store_forget(s);
	return r;
}

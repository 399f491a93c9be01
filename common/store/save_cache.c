/* common/store/save_cache.c - what was parsed of a message need not be parsed again of its copy. Nothing depends on it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/cache.h"
#include "common/store/save_impl.h"

static int
open_dir(struct store *s, const char *folder)
{
	char	name[MAILDIR_FOLDER_MAX + 2] = ".";

	if (strlcpy(name + 1, folder, sizeof(name) - 1) >= sizeof(name) - 1)
		return -1;
	return inside_open(store_root(s), name, O_RDONLY | O_DIRECTORY);
}

static int
copy_one(struct cache *from, uint32_t uid, struct cache *to, uint32_t as)
{
	struct cache_head	head;
	struct cache_body	body;

	if (cache_head(from, uid, &head) &&
	    cache_put_head(to, as, &head) == -1)
		return -1;
	if (cache_body(from, uid, &body) &&
	    cache_put_body(to, as, &body) == -1)
		return -1;
	return 0;
}

static void
copy_all(const struct save *s, const struct arrival *a, struct view *v,
    struct cache *from, struct cache *to)
{
	size_t	i;

	for (i = 0; i < s->n; i++)
		if (s->items[i].from == v && a[i].uid != 0 &&
		    copy_one(from, s->items[i].uid, to, a[i].uid) == -1)
			return;
	if (cache_flush(to) == -1)
		return;
}

/* All copies of a batch come from one view. */
void
save_cache(struct save *s, const struct arrival *a, uint32_t validity)
{
	struct view	*v = s->n == 0 ? NULL : s->items[s->n - 1].from;
	struct cache	*from = NULL, *to = NULL;
	int		 saved = errno, dir;

	if (v == NULL)
		return;
	if ((dir = open_dir(view_store_of(v), view_folder(v))) != -1)
		from = cache_open(dir, view_uidvalidity(v), true);
	if (from != NULL)
		to = cache_open(s->dir.root, validity, false);
	if (to != NULL)
		copy_all(s, a, v, from, to);
	cache_close(&to);
	cache_close(&from);
	fdio_close(&dir);
	errno = saved;
}

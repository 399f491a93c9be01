/* common/store/view_parsed.c - what was parsed of a message: from the cache, else from its file, and then kept there. */
#include <errno.h>

#include "common/base/fdio.h"
#include "common/store/view_impl.h"

static struct cache *
cache_of(struct view *v)
{
	if (v->cache == NULL)
		v->cache = cache_open(v->dir.root, v->validity, v->read_only);
	return v->cache;
}

/* A cache that cannot be written is no reason to fail. */
static int
parse(struct view *v, size_t i, struct cache_head *head,
    struct cache_body *body)
{
	uint32_t	uid = view_at(v, i)->uid;
	int		fd, r;

	arena_free(&v->parsed);
	v->parsed_uid = 0;
	if ((fd = view_open_message(v, i)) == -1)
		return -1;
	r = body == NULL ? cache_parse_head(fd, &v->parsed, head) :
	    cache_parse(fd, &v->parsed, head, body);
	fdio_close(&fd);
	if (r == 0 && body != NULL) {
		v->parsed_uid = uid;
		v->parsed_body = *body;
	}
	if (r == -1 || v->cache == NULL)
		return r;
	if (cache_put_head(v->cache, uid, head) == -1 ||
	    (body != NULL && cache_put_body(v->cache, uid, body) == -1))
		errno = 0;
	return 0;
}

int
view_head(struct view *v, size_t i, struct cache_head *head)
{
	struct cache	*c = cache_of(v);

	if (c != NULL && cache_head(c, view_at(v, i)->uid, head))
		return 0;
	return parse(v, i, head, NULL);
}

int
view_body(struct view *v, size_t i, struct cache_body *body)
{
	struct cache		*c = cache_of(v);
	struct cache_head	 head;

	if (c != NULL && cache_body(c, view_at(v, i)->uid, body))
		return 0;
	/* where nothing can be kept the one that is taken in pieces is */
	if (v->parsed_uid == view_at(v, i)->uid) {
		*body = v->parsed_body;
		return 0;
	}
	return parse(v, i, &head, body);
}

void
view_parsed_flush(struct view *v)
{
	arena_free(&v->parsed);
	if (v->cache != NULL && cache_flush(v->cache) == -1)
		errno = 0;	/* parsed again some time */
}

void
view_parsed_close(struct view *v)
{
	view_parsed_flush(v);
	cache_close(&v->cache);
}

static bool
is_alive(void *arg, uint32_t uid)
{
	const struct view	*v = arg;
	size_t			 i = index_find(&v->x, uid, SIZE_MAX);

	return i < index_count(&v->x) && index_row(&v->x, i)->uid == uid &&
	    index_is_live(index_row(&v->x, i));
}

void
view_parsed_tidy(struct view *v)
{
	struct cache	*c = cache_of(v);

	if (c != NULL && cache_tidy(c, v->x.live, is_alive, v) == -1)
		errno = 0;	/* it is only longer than it need be */
}

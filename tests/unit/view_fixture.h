/* tests/unit/view_fixture.h - stores and caches for tests of what is below them. */
#ifndef UNIT_VIEW_FIXTURE_H
#define UNIT_VIEW_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/store/cache.h"
#include "common/store/store.h"

struct store {
	int		root;
	uint32_t	validity;
	char		path[256];
};

int
store_open(struct store **out, const char *location, bool create,
    struct diag *why)
{
	struct store	*s = calloc(1, sizeof(*s));
	struct maildir	 m;

	if (maildir_open_to_read(&m, AT_FDCWD, location + 8, "", create,
	    why) == -1)
		return -1;
	snprintf(s->path, sizeof(s->path), "%s", location + 8);
	s->root = dup(m.root);
	maildir_close(&m);
	*out = s;
	return 0;
}

void
store_close(struct store **s)
{
	close((*s)->root);
	free(*s);
	*s = NULL;
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

int
store_next_validity(struct store *s, uint32_t *validity)
{
	if (s->validity == 0)
		s->validity = (uint32_t)time(NULL);
	*validity = s->validity++;
	return 0;
}

struct cache *
cache_open(int dir, uint32_t validity, bool read_only)
{
	(void)dir;
	(void)validity;
	(void)read_only;
	return NULL;
}
void cache_close(struct cache **c) { *c = NULL; }
bool cache_head(struct cache *c, uint32_t u, struct cache_head *h) { (void)c; (void)u; (void)h; return false; }
bool cache_body(struct cache *c, uint32_t u, struct cache_body *h) { (void)c; (void)u; (void)h; return false; }
int cache_put_head(struct cache *c, uint32_t u, const struct cache_head *h) { (void)c; (void)u; (void)h; return 0; }
int cache_put_body(struct cache *c, uint32_t u, const struct cache_body *h) { (void)c; (void)u; (void)h; return 0; }
int cache_flush(struct cache *c) { (void)c; return 0; }
int cache_tidy(struct cache *c, size_t n, bool (*f)(void *, uint32_t), void *a) { (void)c; (void)n; (void)f; (void)a; return 0; }
int cache_parse_head(int fd, struct arena *a, struct cache_head *h) { (void)fd; (void)a; (void)h; return 0; }
int cache_parse(int fd, struct arena *a, struct cache_head *h, struct cache_body *b) { (void)fd; (void)a; (void)h; (void)b; return 0; }

#endif

/* tests/unit/view_fixture.h - no cache, for tests of what is below it. */
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

/* auth/introspect_cache.c - a table of a few places for each key. Runs as ph-token. */
#include "auth/introspect_cache.h"

#include <stdlib.h>
#include <string.h>

#define ROWS	512u	/* a power of two */
#define WAYS	4u

struct entry {
	char		hex[DIGEST_HEX + 1];	/* "": free */
	int64_t		until;
	struct claims	claims;
};

struct cache {
	struct entry	rows[ROWS][WAYS];
};

struct cache *
cache_new(void)
{
	return calloc(1, sizeof(struct cache));
}

void
cache_clear(struct cache *c)
{
	explicit_bzero(c, sizeof(*c));
}

void
cache_free(struct cache **cp)
{
	if (*cp == NULL)
		return;
	cache_clear(*cp);
	free(*cp);
	*cp = NULL;
}

/* A SHA-256 is as good as random: its first digits are the hash. */
static struct entry *
row_of(struct cache *c, const char *hex)
{
	size_t	i, h = 0;

	for (i = 0; i < 4; i++)
		h = h << 4 | (size_t)(hex[i] <= '9' ? hex[i] - '0' :
		    hex[i] - 'a' + 10);
	return c->rows[h & (ROWS - 1)];
}

void
cache_put(struct cache *c, const char hex[DIGEST_HEX + 1],
    const struct claims *claims, int64_t until)
{
	struct entry	*row = row_of(c, hex), *e = row;
	size_t		 i;

	for (i = 0; i < WAYS; i++) {
		if (strcmp(row[i].hex, hex) == 0) {
			e = &row[i];
			break;
		}
		if (row[i].until < e->until)
			e = &row[i];
	}
	memcpy(e->hex, hex, DIGEST_HEX + 1);
	e->until = until;
	e->claims = *claims;
}

bool
cache_get(struct cache *c, const char hex[DIGEST_HEX + 1], int64_t now,
    struct claims *out)
{
	struct entry	*row = row_of(c, hex);
	size_t		 i;

	for (i = 0; i < WAYS; i++)
		if (strcmp(row[i].hex, hex) == 0 && row[i].until > now) {
			*out = row[i].claims;
			return true;
		}
	return false;
}

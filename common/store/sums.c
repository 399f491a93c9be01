/*
 * common/store/sums.c - finds the end of the header and feeds canon with the
 * body. As long as both canonical forms are the same, one digest runs for both.
 */
#include "common/store/sums.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/canon.h"

#define GATHER_SIZE	4096u

enum where { AT_BOL, AT_BOL_CR, IN_LINE, IN_BODY };

/* canon gives out words; a digest is quicker with a few large pieces. */
struct gather {
	size_t	n;
	char	bytes[GATHER_SIZE];
};

struct sums {
	enum where	 where;
	bool		 bad;		/* no memory for the second digest */
	struct canon	 canon;
	struct digest	*simple;	/* of both forms until they differ */
	struct digest	*relaxed;	/* NULL until then */
	struct gather	 first, second;	/* what they have still to be given */
};

static void
flush(struct digest *d, struct gather *g)
{
	if (g->n > 0 && d != NULL)
		digest_add(d, g->bytes, g->n);
	g->n = 0;
}

static void
gather_add(struct digest *d, struct gather *g, const char *p, size_t n)
{
	if (n > GATHER_SIZE - g->n)
		flush(d, g);
	if (n >= GATHER_SIZE) {
		if (d != NULL)
			digest_add(d, p, n);
		return;
	}
	memcpy(g->bytes + g->n, p, n);
	g->n += n;
}

static void
sums_sink(void *arg, enum canon_which which, const char *p, size_t n)
{
	struct sums	*s = arg;

	if (which != CANON_RELAXED)
		gather_add(s->simple, &s->first, p, n);
	else
		gather_add(s->relaxed, &s->second, p, n);
}

static void
sums_fork(void *arg)
{
	struct sums	*s = arg;

	flush(s->simple, &s->first);
	if ((s->relaxed = digest_copy(s->simple)) == NULL)
		s->bad = true;
}

static const struct canon_ops ops = { sums_sink, sums_fork };

struct sums *
sums_new(void)
{
	struct sums	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->simple = digest_new()) == NULL) {
		free(s);
		errno = ENOMEM;
		return NULL;
	}
	canon_init(&s->canon, &ops, s);
	return s;
}

/* Bytes of the header section, its empty line included; n if it does not end here. */
static size_t
header_part(struct sums *s, const char *p, size_t n)
{
	const char	*lf;
	size_t		 i = 0;

	while (i < n && s->where != IN_BODY) {
		switch (s->where) {
		case AT_BOL:
			if (p[i] == '\r')
				s->where = AT_BOL_CR;
			else if (p[i] != '\n')
				s->where = IN_LINE;
			i++;
			break;
		case AT_BOL_CR:
			if (p[i] == '\n')
				s->where = IN_BODY;
			else if (p[i] != '\r')
				s->where = IN_LINE;
			i++;
			break;
		case IN_LINE:
			if ((lf = memchr(p + i, '\n', n - i)) == NULL)
				return n;
			i = (size_t)(lf - p) + 1;
			s->where = AT_BOL;
			break;
		case IN_BODY:
			break;
		}
	}
	return i;
}

void
sums_add(struct sums *s, const void *data, size_t n)
{
	const char	*p = data;
	size_t		 head = 0;

	if (s->where != IN_BODY)
		head = header_part(s, p, n);
	if (head < n)
		canon_add(&s->canon, p + head, n - head);
}

int
sums_end(struct sums *s, char simple[DIGEST_HEX + 1],
    char relaxed[DIGEST_HEX + 1])
{
	canon_end(&s->canon);
	flush(s->simple, &s->first);
	flush(s->relaxed, &s->second);
	if (s->bad) {
		errno = ENOMEM;
		return -1;
	}
	if (digest_hex(s->simple, simple) == -1)
		return -1;
	if (s->relaxed != NULL)
		return digest_hex(s->relaxed, relaxed);
	memcpy(relaxed, simple, DIGEST_HEX + 1);
	return 0;
}

void
sums_free(struct sums **sp)
{
	if (*sp == NULL)
		return;
	digest_free(&(*sp)->simple);
	digest_free(&(*sp)->relaxed);
	free(*sp);
	*sp = NULL;
}

/* imapd/fetch_wire.c - lines with CRLF ends, and fields of a header; pure. */
#include "imapd/fetch_wire.h"

#include <string.h>

uint64_t
wire_count(struct str s, char *last)
{
	const char	*at = s.p, *end = s.p + s.n;
	uint64_t	 bare = 0;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) !=
	    NULL) {
		bare += (at == s.p ? *last : at[-1]) != '\r';
		at++;
	}
	if (s.n > 0)
		*last = s.p[s.n - 1];
	return s.n + bare;
}

int
wire_put(struct buf *b, struct str s, char *last)
{
	const char	*at = s.p, *end = s.p + s.n, *lf;
	char		*to;
	size_t		 n;

	if (s.n == 0)
		return 0;
	if (buf_reserve(b, s.n * 2) == -1)
		return -1;
	to = b->p + b->n;
	while (at < end) {
		lf = memchr(at, '\n', (size_t)(end - at));
		n = (size_t)((lf == NULL ? end : lf) - at);
		memcpy(to, at, n);
		to += n;
		at += n;
		if (lf == NULL)
			break;
		if ((at == s.p ? *last : at[-1]) != '\r')
			*to++ = '\r';
		*to++ = '\n';
		at++;
	}
	b->n = (size_t)(to - b->p);
	*last = end[-1];
	return 0;
}

/* The line at the beginning, with its end. False: it has none, and *line is all that there is. */
static bool
line_of(struct str in, struct str *line)
{
	const char	*lf = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);

	*line = in;
	if (lf != NULL)
		line->n = (size_t)(lf + 1 - in.p);
	return lf != NULL;
}

static bool
is_empty(struct str line)
{
	return line.p[0] == '\n' || (line.n == 2 && line.p[0] == '\r' &&
	    line.p[1] == '\n');
}

/* Is it one of those asked for? What is no field has no name. */
static bool
wanted(const struct wire_fields *f, struct str line)
{
	const char	*colon = memchr(line.p, ':', line.n);
	struct str	 name = { line.p, 0 };

	if (colon != NULL)
		name.n = (size_t)(colon - line.p);
	while (name.n > 0 && (name.p[name.n - 1] == ' ' ||
	    name.p[name.n - 1] == '\t'))
		name.n--;
	return names_has(f->names, f->n, name) != f->except;
}

/* A header may begin with a line that goes on: that is none of any name. */
void
wire_fields_begin(struct wire_fields *f, const struct str *names, size_t n,
    bool except)
{
	*f = (struct wire_fields){ .names = names, .n = n, .except = except,
	    .taken = except };
}

int
wire_fields_take(struct wire_fields *f, struct str in, bool last,
    struct buf *b, size_t *taken)
{
	struct str	line;
	bool		ends;
	char		before = 0;

	*taken = 0;
	while (*taken < in.n) {
		ends = line_of((struct str){ in.p + *taken, in.n - *taken },
		    &line);
		if (!ends && !last && *taken > 0)
			return 0;	/* comes again, with more of it */
		if (f->inside || line.p[0] == ' ' || line.p[0] == '\t')
			;	/* goes on */
		else if (ends && is_empty(line))
			f->taken = true;
		else
			f->taken = wanted(f, line);
		before = 0;
		if (f->taken && wire_put(b, line, &before) == -1)
			return -1;
		f->inside = !ends;
		*taken += line.n;
	}
	return 0;
}

bool
wire_header_end(struct str in, bool last, size_t *taken)
{
	struct str	line;
	bool		ends;

	*taken = 0;
	while (*taken < in.n) {
		ends = line_of((struct str){ in.p + *taken, in.n - *taken },
		    &line);
		if (!ends && !last && *taken > 0)
			return false;
		*taken += line.n;
		if (ends && is_empty(line))
			return true;
	}
	return false;
}

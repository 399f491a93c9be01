/* queue/history.c - the lines of a status file, found by their recipient. */
#include "queue/history.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"

/* The local part may be a quoted string with blanks. */
static bool
addr(struct cur *c, struct str *out)
{
	const char	*p = c->p;
	bool		 quoted = false;

	for (; p < c->end && (quoted || *p != ' '); p++)
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p + 1 < c->end)
			p++;
	*out = (struct str){ c->p, (size_t)(p - c->p) };
	c->p = p;
	return cur_byte(c, ' ');
}

/* "mx.example.org[192.0.2.1]:25 said: 550 5.1.1 no such user" */
static void
reply(struct history_line *l)
{
	static const char	 said[] = " said: ";
	const size_t		 n = sizeof(said) - 1;
	const char		*sp = memchr(l->text.p, ' ', l->text.n), *b;
	size_t			 len;

	l->host = l->reply = STR("");
	if (sp == NULL)
		return;
	len = (size_t)(sp - l->text.p);
	if (l->text.n - len < n || memcmp(sp, said, n) != 0 ||
	    (b = memchr(l->text.p, '[', len)) == NULL ||
	    memmem(b, (size_t)(sp - b), "]:", 2) == NULL)
		return;
	l->host = (struct str){ l->text.p, (size_t)(b - l->text.p) };
	if (l->host.n == 0)
		l->host.n = (size_t)((const char *)memchr(b, ']', (size_t)(sp - b)) + 1 - b);
	l->reply = (struct str){ sp + n, l->text.n - len - n };
}

static bool
line_parse(struct str s, struct history_line *l)
{
	struct cur		c = cur_from(s);
	unsigned long long	at;

	if (!cur_number(&c, INT64_MAX, &at) || !cur_byte(&c, ' ') ||
	    !addr(&c, &l->addr) || !cur_until(&c, ' ', &l->status))
		return false;
	l->at_s = (int64_t)at;
	l->text = cur_rest(&c);
	reply(l);
	return true;
}

static int
line_cmp(const void *x, const void *y)
{
	const struct history_line	*a = x, *b = y;
	int				 r = str_cmp(a->addr, b->addr);

	return r != 0 ? r : (a->nth > b->nth) - (a->nth < b->nth);
}

int
history_read(struct history *h, struct str text)
{
	struct history_line	*more;
	struct str		 s;
	size_t			 cap = 0;

	*h = (struct history){ NULL, 0 };
	while (str_take_line(&text, &s)) {
		if (h->n == cap) {
			cap = cap * 2 + 16;
			more = reallocarray(h->lines, cap, sizeof(*more));
			if (more == NULL) {
				history_free(h);
				return -1;
			}
			h->lines = more;
		}
		if (line_parse(s, &h->lines[h->n])) {
			h->lines[h->n].nth = h->n;
			h->n++;
		}
	}
	if (h->n > 0)
		qsort(h->lines, h->n, sizeof(*h->lines), line_cmp);
	return 0;
}

const struct history_line *
history_of(const struct history *h, struct str who, size_t *n)
{
	size_t	lo = 0, hi = h->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (str_cmp(h->lines[mid].addr, who) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (*n = 0; lo + *n < h->n && str_eq(h->lines[lo + *n].addr, who); )
		(*n)++;
	return *n == 0 ? NULL : &h->lines[lo];
}

void
history_free(struct history *h)
{
	free(h->lines);
	*h = (struct history){ NULL, 0 };
}

/* queue/lines.c - line ends as programs write them become CRLF; pure. */
#include "queue/lines.h"

#include <string.h>

enum {
	BOL,		/* a line begins here, also for the one who looks for dots */
	DOT,		/* "." has come at its beginning, not given out yet */
	DOT_CR,		/* ".\r" */
	MID,		/* in a line, or at the beginning of one that begins for no dot */
	MID_CR		/* "\r" has come, not given out yet */
};

void
lines_init(struct lines *l, unsigned flags, size_t max)
{
	*l = (struct lines){ .flags = flags, .state = BOL, .max = max };
}

static bool
is_inside_utf8(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* A line that is too long goes on in the next one, behind a blank: in a header that is a fold. */
static void
put(struct lines *l, char c, struct buf *out)
{
	if (c == '\0')
		return;
	if (l->n >= l->max || (l->n + 3 >= l->max && !is_inside_utf8(c))) {
		buf_adds(out, "\r\n ");
		l->n = 1;
	}
	buf_addc(out, c);
	l->n++;
}

static void
end_line(struct lines *l, bool crlf, struct buf *out)
{
	buf_adds(out, "\r\n");
	l->n = 0;
	l->state = crlf || !(l->flags & LINES_CRLF) ? BOL : MID;
}

/* As much of a line as needs no care. */
static size_t
plain_run(struct lines *l, struct str s, struct buf *out)
{
	size_t	n = s.n, i;

	if (l->n + 3 >= l->max)
		return 0;
	if (n > l->max - 3 - l->n)
		n = l->max - 3 - l->n;
	for (i = 0; i < n; i++)
		if (s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\0')
			break;
	if (i > 0) {
		buf_add(out, s.p, i);
		l->n += i;
		l->state = MID;
	}
	return i;
}

static void
inside(struct lines *l, char c, struct buf *out)
{
	if (c == '\n')
		end_line(l, l->state == MID_CR, out);
	else {
		if (l->state == MID_CR)
			put(l, ' ', out);	/* a CR that ends nothing */
		l->state = c == '\r' ? MID_CR : MID;
		if (c != '\r')
			put(l, c, out);
	}
}

/* A dot was held back. True: it was the end. */
static bool
behind_dot(struct lines *l, char c, struct buf *out)
{
	bool	cr = l->state == DOT_CR;

	if (c == '\n' && (cr || !(l->flags & LINES_CRLF)))
		return true;
	if (c == '\r' && !cr) {
		l->state = DOT_CR;
		return false;
	}
	if (!(l->flags & LINES_STUFFED))
		put(l, '.', out);
	l->state = cr ? MID_CR : MID;
	inside(l, c, out);
	return false;
}

bool
lines_add(struct lines *l, struct str in, size_t *used, struct buf *out)
{
	size_t	i = 0;
	char	c;

	while (i < in.n) {
		c = in.p[i];
		if (l->state == DOT || l->state == DOT_CR) {
			i++;
			if (behind_dot(l, c, out)) {
				*used = i;
				lines_init(l, l->flags, l->max);
				return true;
			}
		} else if (l->state == BOL && c == '.' &&
		    (l->flags & LINES_DOT)) {
			i++;
			l->state = DOT;
		} else {
			if (l->state != MID_CR)
				i += plain_run(l, (struct str){ in.p + i,
				    in.n - i }, out);
			if (i < in.n)
				inside(l, in.p[i++], out);
		}
	}
	*used = i;
	return false;
}

void
lines_end(struct lines *l, struct buf *out)
{
	/* A dot without an end of line ends the input as well. */
	if (l->state == MID_CR || l->n > 0)
		buf_adds(out, "\r\n");
	lines_init(l, l->flags, l->max);
}

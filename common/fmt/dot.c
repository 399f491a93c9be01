/*
 * common/fmt/dot.c - the DATA stream; pure. A byte-wise machine only at the
 * beginning of lines and after CR; inside a line memchr looks for its end.
 */
#include "common/fmt/dot.h"

#include <string.h>

enum {
	BOL,		/* after CRLF, or at the very beginning */
	BOL_DOT,	/* "." at the beginning of a line, not given out */
	BOL_DOT_CR,	/* ".\r", not given out */
	MID,		/* inside a line */
	MID_CR		/* a CR has been given out */
};

static const char dot_cr[] = "\r";

void
dot_in_init(struct dot_in *d)
{
	*d = (struct dot_in){ .state = BOL };
}

static void
note_line(struct dot_in *d, size_t n)
{
	d->line += n;
	if (d->line > d->longest)
		d->longest = d->line;
}

/* State and flags after a byte that is given out in MID or BOL. */
static void
step(struct dot_in *d, char c)
{
	if (c == '\n') {
		if (d->state == MID_CR) {
			d->state = BOL;
			d->line = 0;
			return;
		}
		d->bare_lf = true;
	} else if (d->state == MID_CR)
		d->bare_cr = true;
	if (c == '\r') {
		d->state = MID_CR;
		return;
	}
	if (c == '\0')
		d->nul = true;
	d->state = MID;
	note_line(d, 1);
}

/* As many bytes as are certainly in one line and need no care. */
static size_t
plain_run(struct dot_in *d, const char *p, size_t n)
{
	const char	*end, *lf, *cr;
	size_t		 run;

	end = p + n;
	if ((cr = memchr(p, '\r', n)) != NULL)
		end = cr;
	run = (size_t)(end - p);
	if (run == 0)
		return 0;
	if ((lf = memchr(p, '\n', run)) != NULL)
		d->bare_lf = true;
	if (memchr(p, '\0', run) != NULL)
		d->nul = true;
	note_line(d, run);
	d->state = MID;
	return run;
}

/*
 * The dot that waits is the end only if CRLF follows; else it was stuffing
 * and goes, whatever came after it stays. True: the end was consumed.
 */
static bool
waiting_dot(struct dot_in *d, struct str in, struct str *out, size_t *used)
{
	if (d->state == BOL_DOT) {
		if (in.p[0] != '\r') {
			d->state = MID;		/* RFC 5321 4.5.2: drop it */
			return false;
		}
		d->state = BOL_DOT_CR;
		*used = 1;
		return false;
	}
	if (in.p[0] == '\n') {
		*used = 1;
		d->state = BOL;
		return true;
	}
	/* ".\rX": the CR that was held back is content, and bare */
	d->state = MID_CR;
	out->p = dot_cr;
	out->n = 1;
	return false;
}

bool
dot_in_next(struct dot_in *d, struct str in, struct str *out, size_t *used)
{
	size_t	n = 0;
	bool	end;

	out->p = in.p;
	out->n = 0;
	*used = 0;
	if (in.n == 0)
		return false;
	if (d->state == BOL_DOT || d->state == BOL_DOT_CR) {
		end = waiting_dot(d, in, out, used);
		if (end || *used > 0 || out->n > 0)
			return end;
	}
	if (d->state == BOL && in.p[0] == '.') {
		d->state = BOL_DOT;
		*used = 1;
		return false;
	}
	while (n < in.n) {
		if (d->state == BOL && in.p[n] == '.')
			break;
		if (d->state != MID_CR)
			n += plain_run(d, in.p + n, in.n - n);
		if (n < in.n)
			step(d, in.p[n++]);
	}
	out->n = n;
	*used = n;
	return false;
}

void
dot_out_init(struct dot_out *d)
{
	d->bol = true;
	d->cr = false;
}

/* One piece of a line; eol: what ends it, 0, 1 or 2 bytes. */
static int
put_piece(struct buf *b, bool dot, struct str s, struct str eol)
{
	size_t	 room = (b->cap < b->max ? b->cap : b->max) - b->n;
	char	*to;

	if (room < s.n + 3) {	/* only then it may be too much */
		if ((dot && buf_addc(b, '.') == -1) ||
		    buf_addstr(b, s) == -1 || buf_addstr(b, eol) == -1)
			return -1;
		return 0;
	}
	to = b->p + b->n;
	if (dot)
		*to++ = '.';
	memcpy(to, s.p, s.n);
	to += s.n;
	memcpy(to, eol.p, eol.n);
	b->n = (size_t)(to + eol.n - b->p);
	return 0;
}

int
dot_out_add(struct dot_out *d, struct str in, bool lf, struct buf *b)
{
	const char	*p = in.p, *end = in.p + in.n, *nl;
	struct str	 eol, piece;
	bool		 dot, cr;

	while (p < end) {
		dot = d->bol && *p == '.';
		nl = memchr(p, '\n', (size_t)(end - p));
		piece.p = p;
		piece.n = (size_t)((nl == NULL ? end : nl) - p);
		cr = piece.n > 0 ? p[piece.n - 1] == '\r' : d->cr;
		eol = STR("\r\n");
		if (nl == NULL)
			eol.n = 0;
		else if (!lf || cr)
			eol = STR("\n");
		if (put_piece(b, dot, piece, eol) == -1)
			return -1;
		if (nl == NULL) {
			d->cr = cr;
			d->bol = false;
			break;
		}
		p = nl + 1;
		d->bol = lf || cr;
		d->cr = false;
	}
	return 0;
}

int
dot_out_end(struct dot_out *d, struct buf *b)
{
	if (!d->bol && buf_adds(b, d->cr ? "\n" : "\r\n") == -1)
		return -1;
	return buf_adds(b, ".\r\n");
}

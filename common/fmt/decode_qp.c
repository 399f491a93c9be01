/*
 * common/fmt/decode_qp.c - quoted-printable as it comes in mail (RFC 2045 6.7); pure. Line ends become CRLF whatever
 * they were. A "=" that begins nothing stands for itself.
 */
#include <string.h>

#include "common/fmt/decode_impl.h"

#define HELD	sizeof(((struct decode *)0)->held)

struct qp {
	const char	*p, *end;
	bool		 last;		/* nothing comes behind end */
	bool		 stuck;		/* what is left cannot be decided yet */
	bool		 malformed;
};

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')	/* forbidden, and common */
		return c - 'a' + 10;
	return -1;
}

/* Without blanks, and the CR of a line end, at its end. */
static const char *
trim_end(const char *from, const char *end)
{
	if (end > from && end[-1] == '\r')
		end--;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return end;
}

/* What stands behind a "=": the byte that it gives, or one of these. */
enum { SOFT = -1, NEITHER = -2, LATER = -3 };
static int
escape(struct qp *q, const char **next)
{
	const char	*at = q->p + 1;
	int		 high, low;

	if (q->end - at >= 2 && (high = hex(at[0])) != -1 &&
	    (low = hex(at[1])) != -1) {
		*next = at + 2;
		return high << 4 | low;
	}
	if (q->end - at == 1 && hex(*at) != -1)
		return q->last ? NEITHER : LATER;
	while (at < q->end && at - q->p < (ptrdiff_t)HELD - 1 &&
	    (*at == ' ' || *at == '\t'))
		at++;
	if (at < q->end && *at == '\r')
		at++;
	*next = at;
	if (at == q->end)	/* not farther than HELD */
		return q->last ? SOFT : LATER;
	if (*at != '\n')
		return NEITHER;
	*next = at + 1;
	return SOFT;
}

/* Text without "=", as far as the next one or a line end. */
static int
plain(struct qp *q, struct buf *out)
{
	const char	*at = q->p, *text;
	int		 r;

	while (at < q->end && *at != '=' && *at != '\n')
		at++;
	if (at < q->end && *at == '=')
		text = at;
	else
		text = trim_end(q->p, at);
	if (at == q->end && !q->last && at - text > (ptrdiff_t)HELD)
		text = at;	/* so many blanks are meant */
	r = buf_add(out, q->p, (size_t)(text - q->p));
	q->p = at;
	if (at == q->end && !q->last) {
		q->p = text;
		q->stuck = true;
	}
	if (at == q->end || *at == '=')
		return r;
	q->p++;
	return r == -1 ? -1 : buf_add(out, "\r\n", 2);
}

/* As much as can be decided; what is left is at most HELD bytes. */
static int
decide(struct qp *q, struct buf *out)
{
	const char	*next;
	int		 c, r = 0;

	while (r == 0 && q->p < q->end && !q->stuck) {
		if (*q->p != '=') {
			r = plain(q, out);
			continue;
		}
		c = escape(q, &next);
		if (c >= 0)
			r = buf_addc(out, (char)c);
		switch (c) {
		case LATER:
			q->stuck = true;
			break;
		case NEITHER:
			q->malformed = true;
			r = buf_addc(out, '=');
			q->p++;
			break;
		default:
			q->p = next;
		}
	}
	return r;
}

static int
run(struct decode *d, struct qp *q, struct buf *out)
{
	int	r = decide(q, out);

	d->malformed |= q->malformed;
	return r;
}

static void
hold(struct decode *d, const struct qp *q)
{
	d->nheld = (unsigned)(q->end - q->p);
	if (d->nheld > 0)
		memcpy(d->held, q->p, d->nheld);
}

int
decode_qp(struct decode *d, struct str s, bool last, struct buf *out)
{
	char		joined[2 * HELD + 2];
	size_t		more = s.n < HELD + 2 ? s.n : HELD + 2;
	struct qp	q = { s.p, s.p + s.n, .last = last };

	if (d->nheld > 0) {
		memcpy(joined, d->held, d->nheld);
		if (more > 0)
			memcpy(joined + d->nheld, s.p, more);
		q.p = joined;
		q.end = joined + d->nheld + more;
		if (run(d, &q, out) == -1)
			return -1;
		if (more == s.n) {
			hold(d, &q);
			return 0;
		}
		/* not more than HELD is left of it: what was held is done */
		s.p += (size_t)(q.p - joined) - d->nheld;
		s.n -= (size_t)(q.p - joined) - d->nheld;
		q = (struct qp){ s.p, s.p + s.n, .last = last };
	}
	if (run(d, &q, out) == -1)
		return -1;
	hold(d, &q);
	return 0;
}

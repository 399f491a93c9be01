/* common/fmt/imap_set.c - sets of message numbers (RFC 3501 9: sequence-set); pure. */
#include <stdlib.h>
#include <string.h>

#include "common/fmt/imap.h"

#define STAR	0	/* which is no number of a message */

static bool
one(struct cur *c, uint32_t *out)
{
	if (cur_byte(c, '*')) {
		*out = STAR;
		return true;
	}
	return imap_nz_number(c, out);
}

static bool
range(struct cur *c, struct imap_range *r)
{
	uint32_t	n;

	if (!one(c, &r->from))
		return false;
	r->to = r->from;
	if (!cur_byte(c, ':'))
		return true;
	if (!one(c, &r->to))
		return false;
	if (r->from == STAR || (r->to != STAR && r->from > r->to)) {
		n = r->from;
		r->from = r->to;
		r->to = n;
	}
	return true;
}

static size_t
count_commas(struct cur c)
{
	size_t	n = 0;

	for (; !cur_done(&c); c.p++) {
		if (*c.p == ',')
			n++;
		else if (*c.p != ':' && *c.p != '*' &&
		    !is_digit((unsigned char)*c.p))
			break;
	}
	return n;
}

bool
imap_set(struct cur *in, struct arena *a, struct imap_set *out)
{
	struct cur		 c = *in;
	size_t			 most = count_commas(c) + 1, n = 0;
	struct imap_range	*r;

	if (most > IMAP_SET_MAX ||
	    (r = arena_get(a, most * sizeof(*r))) == NULL)
		return false;
	do {
		if (n == most || !range(&c, &r[n]))
			return false;
		n++;
	} while (cur_byte(&c, ','));
	*out = (struct imap_set){ r, n };
	*in = c;
	return true;
}

static int
by_from(const void *pa, const void *pb)
{
	const struct imap_range	*a = pa, *b = pb;

	return a->from < b->from ? -1 : a->from > b->from;
}

/* '*' is the largest; what reaches beyond a star reaches the largest, too. */
static void
resolve(struct imap_range *r, uint32_t largest)
{
	if (r->to != STAR)
		return;
	r->to = largest;
	if (r->from == STAR || r->from > largest)
		r->from = largest;
}

void
imap_set_end(struct imap_set *s, uint32_t largest)
{
	size_t	i, n = 0;

	for (i = 0; i < s->n; i++)
		resolve(&s->r[i], largest);
	if (s->n > 1)
		qsort(s->r, s->n, sizeof(*s->r), by_from);
	for (i = 0; i < s->n; i++) {
		if (s->r[i].to == 0)
			continue;
		if (n > 0 && s->r[i].from - 1 <= s->r[n - 1].to) {
			if (s->r[i].to > s->r[n - 1].to)
				s->r[n - 1].to = s->r[i].to;
		} else
			s->r[n++] = s->r[i];
	}
	s->n = n;
}

bool
imap_set_has(const struct imap_set *s, uint32_t number)
{
	size_t	low = 0, high = s->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->r[mid].to < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->r[low].from <= number;
}

static void
put_run(struct imap_run *r)
{
	if (r->some)
		buf_addc(r->out, ',');
	r->some = true;
	buf_addu(r->out, r->from);
	if (r->to != r->from) {
		buf_addc(r->out, ':');
		buf_addu(r->out, r->to);
	}
}

void
imap_run_begin(struct imap_run *r, struct buf *out)
{
	*r = (struct imap_run){ .out = out };
}

void
imap_run_add_range(struct imap_run *r, uint32_t from, uint32_t to)
{
	if (r->from != 0 && from == r->to + 1) {
		r->to = to;
		return;
	}
	if (r->from != 0)
		put_run(r);
	r->from = from;
	r->to = to;
}

void
imap_run_add(struct imap_run *r, uint32_t n)
{
	imap_run_add_range(r, n, n);
}

void
imap_run_end(struct imap_run *r)
{
	if (r->from != 0)
		put_run(r);
	r->from = 0;
}

int
imap_put_numbers(struct buf *out, const uint32_t *numbers, size_t n)
{
	struct imap_run	r;
	size_t		i;

	imap_run_begin(&r, out);
	for (i = 0; i < n; i++)
		imap_run_add(&r, numbers[i]);
	imap_run_end(&r);
	return buf_ok(out) ? 0 : -1;
}

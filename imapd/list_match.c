/*
 * imapd/list_match.c - patterns of LIST, as a machine whose states are bits: bit i is set when what was read of the
 * name can be what stands in front of the pattern's byte i. Pure.
 */
#include <string.h>

#include "common/fmt/cur.h"
#include "imapd/list_match.h"

static bool
is_wild(char c)
{
	return c == '*' || c == '%';
}

/* The pattern as one text; "%%" is "%", and "*" swallows those beside it. */
static size_t
squeeze(char *to, struct str a, struct str b)
{
	size_t	i, n = 0;
	char	c;

	for (i = 0; i < a.n + b.n; i++) {
		c = i < a.n ? a.p[i] : b.p[i - a.n];
		if (n > 0 && is_wild(c) && is_wild(to[n - 1])) {
			if (c == '*')
				to[n - 1] = '*';
			continue;
		}
		to[n++] = c;
	}
	return n;
}

static void
set_bit(uint64_t *row, size_t i)
{
	row[i / 64] |= UINT64_C(1) << i % 64;
}

/* A row for each byte that there is in the pattern; row 0 stays empty. */
static int
make_rows(struct list_pattern *p, struct arena *a)
{
	size_t	i, rows = 1;

	for (i = 0; i < p->text.n; i++)
		if (!is_wild(p->text.p[i]) && rows < 256 &&
		    p->letter[(unsigned char)p->text.p[i]] == 0)
			p->letter[(unsigned char)p->text.p[i]] =
			    (unsigned char)rows++;
	if ((p->bits = arena_get(a, (rows + 4) * p->words * 8)) == NULL)
		return -1;
	p->star = p->bits + rows * p->words;
	p->percent = p->star + p->words;
	p->now = p->percent + p->words;
	p->next = p->now + p->words;
	return 0;
}

int
list_pattern_make(struct list_pattern *p, struct arena *a, struct str reference,
    struct str pattern, char separator)
{
	char	*text;
	size_t	 i;

	*p = (struct list_pattern){ .separator = separator };
	if (reference.n + pattern.n > LIST_PATTERN_MAX)
		return 0;
	if ((text = arena_get(a, reference.n + pattern.n + 1)) == NULL)
		return -1;
	p->text = (struct str){ text, squeeze(text, reference, pattern) };
	p->words = p->text.n / 64 + 1;
	if (make_rows(p, a) == -1)
		return -1;
	for (i = 0; i < p->text.n; i++) {
		if (text[i] == '*')
			set_bit(p->star, i);
		else if (text[i] == '%') {
			set_bit(p->percent, i);
			p->has_percent = true;
		} else
			set_bit(p->bits + p->letter[(unsigned char)text[i]] *
			    p->words, i);
	}
	return 0;
}

/* A wildcard may be nothing: who stands in front of it stands behind it, too. */
static void
pass_wildcards(const struct list_pattern *p, uint64_t *set)
{
	uint64_t	wild, carry = 0;
	size_t		i;

	for (i = 0; i < p->words; i++) {
		wild = set[i] & (p->star[i] | p->percent[i]);
		set[i] |= wild << 1 | carry;
		carry = wild >> 63;
	}
}

static bool
step(struct list_pattern *p, const uint64_t *row, const uint64_t *other,
    bool within)
{
	uint64_t	here, any = 0, carry = 0, *swap;
	size_t		i;

	for (i = 0; i < p->words; i++) {
		here = p->now[i] & (row[i] | other[i]);
		p->next[i] = here << 1 | carry |
		    (p->now[i] & (p->star[i] | (within ? p->percent[i] : 0)));
		carry = here >> 63;
		any |= p->next[i];
	}
	pass_wildcards(p, p->next);
	swap = p->now;
	p->now = p->next;
	p->next = swap;
	return any != 0;
}

static const uint64_t *
row_of(const struct list_pattern *p, char c)
{
	return p->bits + p->letter[(unsigned char)c] * p->words;
}

bool
list_pattern_match(struct list_pattern *p, struct str name, size_t nocase)
{
	const uint64_t	*row, *other;
	size_t		 i;
	char		 c;

	if (p->words == 0)
		return false;
	memset(p->now, 0, p->words * 8);
	set_bit(p->now, 0);
	pass_wildcards(p, p->now);
	for (i = 0; i < name.n; i++) {
		c = name.p[i];
		row = other = row_of(p, c);
		if (i < nocase && is_alpha((unsigned char)c))
			other = row_of(p, (char)(c ^ 0x20));
		if (!step(p, row, other, c != p->separator))
			return false;
	}
	return (p->now[p->text.n / 64] >> p->text.n % 64 & 1) != 0;
}

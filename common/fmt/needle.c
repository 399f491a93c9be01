/*
 * common/fmt/needle.c - searching for a word in text, as casemap.h folds it; pure. ASCII is searched as it lies: by
 * memchr(3) for both cases of the letter that is the rarest in the word, then by comparing. Other text is folded first.
 * Where the rarest letter is not rare at all (a text made for that), memmem(3) takes over, which is linear.
 */
#include <errno.h>
#include <string.h>

#include "common/fmt/casemap_impl.h"
#include "common/fmt/utf8.h"

#define WORD_MAX	65536u	/* bytes of one that is looked for */
#define SPAN		1024u	/* bytes that are folded at a time */
#define WORTH		256u	/* of ASCII, to be searched without that */
#define PATIENCE	16u	/* steps in vain for each byte of the text */

/* A word with the place that is looked for first. */
struct rare {
	struct str	word;
	size_t		at;
	char		upper, lower;
};

/* How frequent a byte of folded text is, roughly. */
static unsigned
frequency(unsigned char c)
{
	static const char	order[] = "JQZXKVWYFBGPMUCLDHRSNIOATE ";
	const char		*at;

	if (c >= 0xc0)
		return 40;	/* what begins a character repeats itself */
	if (c >= 0x80)
		return 25;
	if ((at = c == '\0' ? NULL : strchr(order, c)) != NULL)
		return 5 + (unsigned)(at - order);
	return c < ' ' ? 30 : c >= '0' && c <= '9' ? 8 : 6;
}

static struct rare
rare(struct str word)
{
	struct rare	r = { word, 0, 0, 0 };
	size_t		i;

	for (i = 1; i < word.n; i++)
		if (frequency((unsigned char)word.p[i]) <
		    frequency((unsigned char)word.p[r.at]))
			r.at = i;
	r.upper = word.p[r.at];
	r.lower = r.upper >= 'A' && r.upper <= 'Z' ?
	    (char)(r.upper + 0x20) : r.upper;
	return r;
}

/* Do these bytes, ASCII, read like the word? *steps: how many had to be looked at. */
static bool
reads(const char *p, struct str word, size_t *steps)
{
	size_t	i = 0;

	while (i < word.n && casemap_upper(p[i]) == word.p[i])
		i++;
	*steps += i + 1;
	return i == word.n;
}

enum outcome { FOUND, NOT_THERE, TOO_MANY };

/* In text that is ASCII; the word is no longer. */
static enum outcome
look(const struct rare *r, struct str text)
{
	const char	*end, *p, *up, *low;
	size_t		 steps = 0;

	p = text.p + r->at;
	end = text.p + text.n - (r->word.n - r->at - 1);
	up = memchr(p, r->upper, (size_t)(end - p));
	low = r->lower == r->upper ? NULL :
	    memchr(p, r->lower, (size_t)(end - p));
	while (up != NULL || low != NULL) {
		p = low == NULL || (up != NULL && up < low) ? up : low;
		if (reads(p - r->at, r->word, &steps))
			return FOUND;
		if (steps > PATIENCE * text.n)
			return TOO_MANY;
		p++;
		if (up != NULL && up < p)
			up = memchr(p, r->upper, (size_t)(end - p));
		if (low != NULL && low < p)
			low = memchr(p, r->lower, (size_t)(end - p));
	}
	return NOT_THERE;
}

static bool
has(struct str text, struct str word)
{
	return text.n >= word.n &&
	    memmem(text.p, text.n, word.p, word.n) != NULL;
}

int
needle_begin(struct needle *n, struct str utf8)
{
	buf_init(&n->word, (size_t)WORD_MAX * CASEMAP_GROWTH);
	buf_init(&n->rest, n->word.max + SPAN * CASEMAP_GROWTH);
	n->found = utf8.n == 0;
	if (utf8.n > WORD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return casemap_put(&n->word, utf8);
}

void
needle_reset(struct needle *n)
{
	buf_reset(&n->rest);
	n->found = n->word.n == 0;
}

void
needle_free(struct needle *n)
{
	buf_free(&n->word);
	buf_free(&n->rest);
}

/* What could be the beginning of the word stays. */
static void
keep_end(struct needle *n)
{
	if (n->rest.n >= n->word.n)
		buf_consume(&n->rest, n->rest.n - (n->word.n - 1));
}

/* Where a piece of at most SPAN bytes ends, between two characters. */
static size_t
span(struct str s)
{
	size_t	some = SPAN;

	if (s.n <= SPAN)
		return s.n;
	while (some > SPAN - 4 && ((unsigned char)s.p[some] & 0xc0) == 0x80)
		some--;
	return some;
}

/* A piece, folded, behind the rest. */
static int
feed_folded(struct needle *n, struct str s)
{
	size_t	some;

	while (s.n > 0 && !n->found) {
		some = span(s);
		if (casemap_put(&n->rest, (struct str){ s.p, some }) == -1)
			return -1;
		n->found = has(buf_view(&n->rest), buf_view(&n->word));
		keep_end(n);
		s.p += some;
		s.n -= some;
	}
	return 0;
}

/* ASCII, no shorter than the word. */
static int
feed_ascii(struct needle *n, const struct rare *r, struct str s)
{
	size_t		edge = n->word.n - 1;
	struct str	head = { s.p, edge };

	if (n->rest.n > 0) {
		if (casemap_put(&n->rest, head) == -1)
			return -1;
		n->found = has(buf_view(&n->rest), buf_view(&n->word));
	}
	if (n->found)
		return 0;
	buf_reset(&n->rest);
	switch (look(r, s)) {
	case FOUND:
		n->found = true;
		return 0;
	case NOT_THERE:
		break;
	case TOO_MANY:
		return feed_folded(n, s);
	}
	return casemap_put(&n->rest, (struct str){ s.p + s.n - edge, edge });
}

int
needle_feed(struct needle *n, struct str s)
{
	struct rare	r;
	size_t		some;
	int		result = 0;

	if (n->found)
		return 0;
	r = rare(buf_view(&n->word));
	while (s.n > 0 && !n->found && result == 0) {
		some = utf8_ascii_run(s);
		if (some >= WORTH && some >= n->word.n) {
			result = feed_ascii(n, &r, (struct str){ s.p, some });
		} else {
			some = span(s);
			result = feed_folded(n, (struct str){ s.p, some });
		}
		s.p += some;
		s.n -= some;
	}
	return result;
}

bool
needle_in(struct needle *n, struct str utf8)
{
	needle_reset(n);
	return needle_feed(n, utf8) == 0 && n->found;
}

/*
 * common/fmt/words.c - encoded words (RFC 2047), also as they should not be: blanks inside, the end missing, glued to
 * other text, a character begun in one and ended in the next. Pure.
 */
#include "common/fmt/words.h"

#include <string.h>

#include "common/fmt/charset.h"
#include "common/fmt/cur.h"
#include "common/fmt/decode.h"

#define CHARSET_NAME_MAX	64u

struct word {
	const struct charset	*set;
	char			 encoding;	/* 'B', 'Q' */
	struct str		 text;
};

struct words {
	struct buf		*out;
	struct buf		 bytes;		/* of one encoded word */
	struct charset_state	 cs;		/* as long as words follow each other; set NULL: none does */
	bool			 no_more;	/* no "?=" is to come */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_charset(unsigned char c)
{
	return is_vchar(c) && c != '?' && c != '=';
}

/* The text of a word: to "?=", or if that has been lost, to the end. */
static struct str
word_text(struct words *w, struct cur *c)
{
	struct str	rest = cur_rest(c), text = rest;
	const char	*end = w->no_more ? NULL : rest.n < 2 ? NULL :
			    memmem(rest.p, rest.n, "?=", 2);

	if (end != NULL) {
		text.n = (size_t)(end - text.p);
		c->p = end + 2;
		return text;
	}
	w->no_more = true;
	c->p = c->end;
	if (text.n > 0 && text.p[text.n - 1] == '?')
		text.n--;
	return text;
}

static bool
word_parse(struct words *w, struct cur *in, struct word *word)
{
	struct cur	c = *in;
	struct str	name;
	int		encoding;

	if (!cur_byte(&c, '=') || !cur_byte(&c, '?') ||
	    !cur_span(&c, is_charset, CHARSET_NAME_MAX, &name) ||
	    !cur_byte(&c, '?') || (encoding = cur_peek(&c)) == -1)
		return false;
	word->encoding = (char)(encoding & ~0x20);
	c.p++;
	if ((word->encoding != 'B' && word->encoding != 'Q') ||
	    !cur_byte(&c, '?') || (word->set = charset_find(name)) == NULL)
		return false;
	word->text = word_text(w, &c);
	*in = c;
	return true;
}

/* "Q" is not quite quoted-printable (RFC 2047 4.2). */
static int
q_decode(struct str s, struct buf *out)
{
	struct decode	d;
	size_t		n;
	int		r = 0;

	decode_begin(&d, MIME_QP);
	while (r == 0 && s.n > 0) {
		n = 0;
		while (n < s.n && s.p[n] != '_' && !is_blank(s.p[n]))
			n++;
		r = decode_feed(&d, (struct str){ s.p, n }, out);
		if (n < s.n && r == 0 && s.p[n] != '\r' && s.p[n] != '\n')
			r = decode_feed(&d, STR("=20"), out);
		n += n < s.n;
		s.p += n;
		s.n -= n;
	}
	return r == -1 ? -1 : decode_end(&d, out);
}

static int
b_decode(struct str s, struct buf *out)
{
	struct decode	d;

	decode_begin(&d, MIME_BASE64);
	if (decode_feed(&d, s, out) == -1)
		return -1;
	return decode_end(&d, out);
}

/* A line of text has no line ends. */
static void
flatten(struct buf *b, size_t from)
{
	for (; from < b->n; from++)
		if (is_blank(b->p[from]) || b->p[from] == '\0')
			b->p[from] = ' ';
}

static int
word_put(struct words *w, const struct word *word)
{
	size_t	from = w->out->n;
	int	r;

	buf_reset(&w->bytes);
	r = word->encoding == 'B' ? b_decode(word->text, &w->bytes) :
	    q_decode(word->text, &w->bytes);
	if (r == -1)
		return -1;
	if (w->cs.set != word->set) {
		if (w->cs.set != NULL && charset_end(&w->cs, w->out) == -1)
			return -1;
		charset_begin(&w->cs, word->set);
	}
	if (charset_feed(&w->cs, buf_view(&w->bytes), w->out) == -1)
		return -1;
	flatten(w->out, from);
	return 0;
}

/* Other text, as it stands but for folding; a TAB that a line begins with is the blank that it was folded at. */
static int
plain_put(struct words *w, struct str s)
{
	struct charset_state	cs;
	size_t			n;

	if (w->cs.set != NULL && charset_end(&w->cs, w->out) == -1)
		return -1;
	w->cs.set = NULL;
	charset_begin(&cs, charset_find(STR("")));
	while (s.n > 0) {
		n = 0;
		while (n < s.n && s.p[n] != '\r' && s.p[n] != '\n')
			n++;
		if (charset_feed(&cs, (struct str){ s.p, n }, w->out) == -1)
			return -1;
		n += n < s.n;
		s.p += n;
		s.n -= n;
		if (s.n > 0 && s.p[0] == '\t') {
			if (charset_feed(&cs, STR(" "), w->out) == -1)
				return -1;
			s.p++;
			s.n--;
		}
	}
	return charset_end(&cs, w->out);
}

/* Where the next word may begin. */
static const char *
word_at(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '=', (size_t)(end - p))) != NULL) {
		if (end - p > 1 && p[1] == '?')
			return p;
		p++;
	}
	return end;
}

static bool
all_blank(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p == end;
}

static int
decode_all(struct words *w, struct cur c)
{
	const char	*plain = c.p;	/* text that has not been put yet */
	const char	*at;
	struct word	 word;

	while ((c.p = word_at(c.p, c.end)) < c.end) {
		at = c.p;
		if (!word_parse(w, &c, &word)) {
			c.p += 2;
			continue;
		}
		if ((w->cs.set == NULL || !all_blank(plain, at)) &&
		    plain_put(w, (struct str){ plain,
		    (size_t)(at - plain) }) == -1)
			return -1;
		if (word_put(w, &word) == -1)
			return -1;
		plain = c.p;
	}
	return plain_put(w, (struct str){ plain, (size_t)(c.end - plain) });
}

int
words_decode(struct str s, struct buf *out)
{
	struct words	w = { .out = out };
	int		r;

	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	buf_init(&w.bytes, s.n + 16);
	r = decode_all(&w, cur_from(s));
	buf_free(&w.bytes);
	return r;
}

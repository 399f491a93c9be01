/* imapd/scan.c - proof from raw bytes that a text is not in a message; pure. Run by the session, over what anybody sent. */
#include "imapd/scan.h"

#include <stdint.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/words.h"

#define BLOCK	32	/* bytes compared at once: the compiler makes vectors of them */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
scan_word(struct scan_word *w, struct needle *needle)
{
	const char	*p = needle->word.p;
	size_t		 i, from = 0, best = 0, n = needle->word.n;

	memset(w, 0, sizeof(*w));
	w->needle = needle;
	w->is_ascii = true;
	for (i = 0; i <= n; i++) {
		if (i < n && (p[i] & 0x80) != 0)
			w->is_ascii = false;
		if (i < n && !is_blank(p[i]))
			continue;
		if (i - from > w->n) {
			best = from;
			w->n = i - from;
		}
		from = i + 1;
	}
	if (!w->is_ascii)
		w->n = 0;
	if (w->n > SCAN_WORD_MAX)
		w->n = SCAN_WORD_MAX;
	for (i = 0; i < w->n; i++)
		w->lower[i] = lower(p[best + i]);
}

static bool
same(const char *p, struct str word)
{
	size_t	i;

	for (i = 0; i < word.n; i++)
		if (lower(p[i]) != word.p[i])
			return false;
	return true;
}

/* Does anything in the block look like the first and the last byte of the word? */
static bool
block_hit(const unsigned char *p, const unsigned char *q, const unsigned char
    fold[2], const unsigned char want[2])
{
	unsigned char	hit = 0;
	unsigned	j;

	for (j = 0; j < BLOCK; j++)
		hit |= (unsigned char)(((p[j] | fold[0]) == want[0]) &
		    ((q[j] | fold[1]) == want[1]));
	return hit != 0;
}

const char *
scan_find(struct str in, struct str word)
{
	unsigned char	want[2] = { (unsigned char)word.p[0],
	    (unsigned char)word.p[word.n - 1] };
	unsigned char	fold[2];
	const char	*p = in.p, *last;
	size_t		j;

	if (in.n < word.n)
		return NULL;
	last = in.p + (in.n - word.n);
	for (j = 0; j < 2; j++)
		fold[j] = want[j] >= 'a' && want[j] <= 'z' ? 0x20 : 0;
	for (; last - p >= BLOCK; p += BLOCK) {
		if (!block_hit((const unsigned char *)p,
		    (const unsigned char *)p + word.n - 1, fold, want))
			continue;
		for (j = 0; j < BLOCK; j++)
			if (same(p + j, word))
				return p + j;
	}
	for (; p <= last; p++)
		if (same(p, word))
			return p;
	return NULL;
}

static bool
all_ascii(struct str s)
{
	unsigned char	high = 0;
	size_t		i = 0, j;

	for (; i + BLOCK <= s.n; i += BLOCK) {
		for (j = 0; j < BLOCK; j++)
			high |= (unsigned char)s.p[i + j];
		if ((high & 0x80) != 0)
			return false;
	}
	for (; i < s.n; i++)
		high |= (unsigned char)s.p[i];
	return (high & 0x80) == 0;
}

static bool
any_word(const struct scan_word *w, size_t n, struct str in)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (w[i].is_ascii && scan_find(in,
		    (struct str){ w[i].lower, w[i].n }) != NULL)
			return true;
	return false;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a "=" that ends its line: where the next one begins. NULL: it does not. */
static const char *
soft_break(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && *p == '\r')
		p++;
	return p < end && *p == '\n' ? p + 1 : NULL;
}

/*
 * The whole message as if it were quoted-printable: what each part that is becomes, is in there. False: a "=" means nothing, so
 * that decoders may differ.
 */
static bool
unquote(struct str in, struct buf *out)
{
	const char	*p = in.p, *end = in.p + in.n, *eq, *next;
	int		 high, low;

	buf_reset(out);
	while ((eq = memchr(p, '=', (size_t)(end - p))) != NULL) {
		buf_add(out, p, (size_t)(eq - p));
		if (end - eq >= 3 && (high = hex(eq[1])) != -1 &&
		    (low = hex(eq[2])) != -1) {
			buf_addc(out, (char)(high << 4 | low));
			p = eq + 3;
		} else if ((next = soft_break(eq + 1, end)) != NULL) {
			p = next;
		} else {
			/* Of a header, or of HTML: nothing to a decoder that keeps it, but it may also drop it. */
			buf_addc(out, '=');
			p = eq + 1;
		}
	}
	buf_add(out, p, (size_t)(end - p));
	return buf_ok(out);
}

/*
 * The header that "base64" stands in: lines in front and behind it as far as an empty one or a boundary.
 */
static struct str
block_around(struct str in, const char *at)
{
	const char	*from = at, *to = at, *end = in.p + in.n;

	for (; from > in.p; from--)
		if (from[-1] == '\n' && (from[0] == '\n' || from[0] == '\r' ||
		    (end - from >= 2 && from[0] == '-' && from[1] == '-')))
			break;
	for (; to < end; to++)
		if (*to == '\n' && (to + 1 == end || to[1] == '\n' ||
		    to[1] == '\r'))
			break;
	return (struct str){ from, (size_t)(to - from) };
}

/* Is it the header of one part that is surely no text? */
static bool
is_attachment(struct str block)
{
	static const struct str	kinds[] = {
	    { "application/", 12 }, { "image/", 6 },
	    { "audio/", 6 }, { "video/", 6 }, { "font/", 5 },
	};
	const struct str	field = STR("content-type:");
	const char		*p, *end = block.p + block.n;
	struct str		 rest;
	size_t			 i;

	if ((p = scan_find(block, field)) == NULL || p == block.p ||
	    p[-1] != '\n')
		return false;
	p += field.n;
	rest = (struct str){ p, (size_t)(end - p) };
	if (scan_find(rest, STR("content-type")) != NULL)
		return false;
	while (rest.n > 0 && is_blank(*rest.p)) {
		rest.p++;
		rest.n--;
	}
	for (i = 0; i < nitems(kinds); i++)
		if (str_starts_nocase(rest, kinds[i]))
			return true;
	return false;
}

/* Is base64 only where nobody looks for text? */
static bool
base64_is_apart(struct str in)
{
	const char	*end = in.p + in.n, *at;
	struct str	 rest = in, block;

	while ((at = scan_find(rest, STR("base64"))) != NULL) {
		block = block_around(in, at);
		if (!is_attachment(block))
			return false;
		rest.p = block.p + block.n;
		rest.n = (size_t)(end - rest.p);
	}
	return true;
}

/* Charsets in which bytes of ASCII are what they seem. */
static bool
charset_is_plain(struct str name)
{
	static const char *const	plain[] = {
	    "utf-8", "us-ascii", "iso-8859-", "windows-125", "ascii", "utf8",
	    "cp125", "koi8", "gb2312", "gbk", "gb18030", "big5", "euc-",
	};
	size_t				i;

	for (i = 0; i < nitems(plain); i++)
		if (str_starts_nocase(name, str_from(plain[i])))
			return true;
	return false;
}

static bool
charsets_are_plain(struct str in)
{
	const char	*end = in.p + in.n, *p;
	struct str	 rest = in;

	while ((p = scan_find(rest, STR("charset"))) != NULL) {
		p += 7;
		while (p < end && (is_blank(*p) || *p == '='))
			p++;
		if (p < end && *p == '"')
			p++;
		rest = (struct str){ p, (size_t)(end - p) };
		if (!charset_is_plain(rest))
			return false;
	}
	return true;
}

/* The lines of a field around that place, not before from. */
static struct str
field_around(const char *from, const char *at, const char *end)
{
	const char	*p = at, *q = at;

	while (p > from && !(p[-1] == '\n' && *p != ' ' && *p != '\t'))
		p--;
	for (;;) {
		if ((q = memchr(q, '\n', (size_t)(end - q))) == NULL)
			return (struct str){ p, (size_t)(end - p) };
		if (++q == end || (*q != ' ' && *q != '\t'))
			return (struct str){ p, (size_t)(q - p) };
	}
}

/* Is none of the needles in an encoded word, or made by some? */
static bool
words_refute(const struct scan_word *w, size_t n, struct str in,
    struct buf *scratch)
{
	const char	*end = in.p + in.n, *at;
	struct str	 rest = in, field;
	size_t		 i;

	while ((at = scan_find(rest, STR("=?"))) != NULL) {
		field = field_around(rest.p, at, end);
		buf_reset(scratch);
		if (words_decode(field, scratch) == -1)
			return false;
		for (i = 0; i < n; i++)
			if (needle_in(w[i].needle, buf_view(scratch)))
				return false;
		rest.p = field.p + field.n;
		rest.n = (size_t)(end - rest.p);
	}
	return true;
}

bool
scan_refutes(const struct scan_word *w, size_t n, struct str in,
    struct buf scratch[2])
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (w[i].is_ascii && w[i].n == 0)
			return false;
	/* What is not ASCII may become it when it is folded; ESC begins other charsets (ISO 2022). */
	if (in.n == 0 || !all_ascii(in) || memchr(in.p, '\033', in.n) != NULL ||
	    any_word(w, n, in))
		return false;
	if (scan_find(in, STR("quoted-printable")) != NULL &&
	    (!unquote(in, &scratch[0]) || !all_ascii(buf_view(&scratch[0])) ||
	    memchr(scratch[0].p, '\033', scratch[0].n) != NULL ||
	    any_word(w, n, buf_view(&scratch[0]))))
		return false;
	return charsets_are_plain(in) && base64_is_apart(in) &&
	    words_refute(w, n, in, &scratch[1]);
}

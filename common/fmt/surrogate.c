/*
 * common/fmt/surrogate.c - a header for who reads ASCII only. What is in it
 * came from strangers: what does not look like its field should is taken for
 * text.
 */
#include "common/fmt/surrogate.h"

#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/utf8.h"

#define WORD_BYTES	42u	/* in an encoded word of at most 75 (RFC 2047 2), whatever its charset */
#define LINE_WANTED	76u
/* RFC 2606 2: there is no such domain, now and ever. */
#define NOWHERE		"internationalized-address@invalid"

struct writer {
	struct buf	*out;
	struct buf	 run;	/* words that will be encoded together */
};

static bool
is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
has_high(struct str s)
{
	return !utf8_is_ascii(s);
}

bool
surrogate_wanted(struct str header)
{
	return has_high(header);
}

static size_t
column(const struct writer *w)
{
	size_t	n = 0;

	while (n < w->out->n && w->out->p[w->out->n - 1 - n] != '\n')
		n++;
	return n;
}

static const char *
charset_of(struct str s)
{
	return utf8_ok(s) ? "utf-8" : "unknown-8bit";
}

/* How much of it goes into one word: no character is divided. */
static size_t
word_length(struct str s)
{
	size_t	n = s.n < WORD_BYTES ? s.n : WORD_BYTES;

	while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n > 0 ? n : s.n < WORD_BYTES ? s.n : WORD_BYTES;
}

static void
encode(struct writer *w, struct str text)
{
	const char	*charset = charset_of(text);
	struct str	 piece = text;
	size_t		 size;

	while (text.n > 0) {
		piece.p = text.p;
		piece.n = word_length(text);
		size = strlen(charset) + 7 + (piece.n + 2) / 3 * 4;
		/* behind nothing but its fold it is where it can be */
		if (column(w) > 1 && column(w) + size > LINE_WANTED)
			buf_adds(w->out, "\n ");
		buf_addf(w->out, "=?%s?B?", charset);
		(void)base64_encode(w->out, piece);
		buf_adds(w->out, "?=");
		text.p += piece.n;
		text.n -= piece.n;
		if (text.n > 0)
			buf_adds(w->out, "\n ");
	}
}

static void
flush(struct writer *w)
{
	encode(w, buf_view(&w->run));
	buf_reset(&w->run);
}

/* Blanks between encoded words are not seen: they are encoded, too. */
static void
add_blanks(struct writer *w, struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_addc(&w->run, s.p[i]);
}

static struct str
span(struct str *s, bool blank)
{
	struct str	got = { s->p, 0 };

	while (got.n < s->n && is_blank((unsigned char)s->p[got.n]) == blank)
		got.n++;
	s->p += got.n;
	s->n -= got.n;
	return got;
}

static void
text(struct writer *w, struct str s)
{
	struct str	blanks, word;

	while (s.n > 0) {
		blanks = span(&s, true);
		word = span(&s, false);
		if (has_high(word) && w->run.n > 0)
			add_blanks(w, blanks);
		else {
			flush(w);
			buf_addstr(w->out, blanks);
		}
		buf_addstr(has_high(word) ? &w->run : w->out, word);
	}
	flush(w);
}

/* Length of what begins here and ends with that, or with all; escaped ends are none. */
static size_t
enclosed(struct str s, char close)
{
	size_t	i, depth = 1;

	for (i = 1; i < s.n; i++) {
		if (s.p[i] == '\\' && close != '>')
			i++;
		else if (s.p[i] == close) {
			if (--depth == 0)
				return i + 1;
		} else if (s.p[i] == s.p[0])
			depth++;
	}
	return s.n;
}

/* Without what encloses it. */
static struct str
inside(struct str s, char close)
{
	s.p++;
	s.n--;
	if (s.n > 0 && s.p[s.n - 1] == close)
		s.n--;
	return s;
}

/* The text of a quoted string. */
static void
unquoted(struct str quoted, struct buf *out)
{
	struct str	s = inside(quoted, '"');
	size_t		i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_addc(out, s.p[i]);
	}
}

static void
nowhere(struct writer *w, struct str was, const char *before, const char *behind)
{
	buf_adds(w->out, before);
	buf_adds(w->out, NOWHERE);
	buf_adds(w->out, behind);
	buf_adds(w->out, "\n (");
	encode(w, was);
	buf_addc(w->out, ')');
}

static void
quoted_name(struct writer *w, struct str s)
{
	unquoted(s, &w->run);
	if (w->out->n > 0 &&
	    !is_blank((unsigned char)w->out->p[w->out->n - 1]))
		buf_addc(w->out, ' ');
	flush(w);
}

/* A piece of an address field, which has something to hide. */
static void
address_piece(struct writer *w, struct str s)
{
	struct str	inner = s;

	if (s.p[0] == '"')
		quoted_name(w, s);
	else if (s.p[0] == '(') {
		buf_addc(w->out, '(');
		text(w, inside(s, ')'));
		buf_addc(w->out, ')');
	} else if (s.p[0] == '<')
		nowhere(w, inside(s, '>'), "<", ">");
	else if (memchr(s.p, '@', s.n) != NULL) {
		buf_addstr(w->out, span(&inner, true));
		nowhere(w, str_trim(inner), "", "");
	} else
		text(w, s);
}

static size_t
piece_length(struct str s)
{
	size_t	n = 1;

	switch (s.p[0]) {
	case '"':
		return enclosed(s, '"');
	case '(':
		return enclosed(s, ')');
	case '<':
		return enclosed(s, '>');
	case ',':
	case ';':
	case ':':
		return 1;
	}
	while (n < s.n && strchr("\"(<,;:", s.p[n]) == NULL)
		n++;
	return n;
}

static void
addresses(struct writer *w, struct str s)
{
	struct str	piece;

	while (s.n > 0) {
		piece = (struct str){ s.p, piece_length(s) };
		s.p += piece.n;
		s.n -= piece.n;
		if (has_high(piece))
			address_piece(w, piece);
		else
			buf_addstr(w->out, piece);
	}
}

/* RFC 2231 4 */
static void
percent(struct writer *w, struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++) {
		unsigned char	c = (unsigned char)s.p[i];

		if (is_alpha(c) || is_digit(c) || c == '-' || c == '.' ||
		    c == '_')
			buf_addc(w->out, (char)c);
		else
			buf_addf(w->out, "%%%02X", c);
	}
}

/* " name=value" */
static void
parameter(struct writer *w, struct str s)
{
	const char	*equals = memchr(s.p, '=', s.n);
	struct str	 name = s, value;

	if (equals == NULL || has_high((struct str){ s.p,
	    (size_t)(equals - s.p) })) {
		text(w, s);
		return;
	}
	name.n = (size_t)(equals - s.p);
	value.p = equals + 1;
	value.n = s.n - name.n - 1;
	while (name.n > 0 && is_blank((unsigned char)name.p[name.n - 1]))
		name.n--;
	value = str_trim(value);
	if (value.n > 0 && value.p[0] == '"')
		unquoted(value, &w->run);
	else
		buf_addstr(&w->run, value);
	buf_addstr(w->out, name);
	if (name.n == 0 || name.p[name.n - 1] != '*')
		buf_addf(w->out, "*=%s''", charset_of(buf_view(&w->run)));
	else
		buf_addc(w->out, '=');
	percent(w, buf_view(&w->run));
	buf_reset(&w->run);
}

static void
parameters(struct writer *w, struct str s)
{
	struct str	piece, end = { s.p + s.n, 0 };
	size_t		n;

	/* the line end is nobody's */
	while (s.n > 0 && is_blank((unsigned char)s.p[s.n - 1])) {
		s.n--;
		end.p--;
		end.n++;
	}
	while (s.n > 0) {
		for (n = 0; n < s.n && s.p[n] != ';'; n++)
			if (s.p[n] == '"')
				n += enclosed((struct str){ s.p + n,
				    s.n - n }, '"') - 1;
		piece = (struct str){ s.p, n };
		if (has_high(piece))
			parameter(w, piece);
		else
			buf_addstr(w->out, piece);
		if (n < s.n)
			buf_addc(w->out, ';');
		s.p += n + (n < s.n);
		s.n -= n + (n < s.n);
	}
	buf_addstr(w->out, end);
}

static const struct {
	const char	*name;
	void		(*write)(struct writer *, struct str);
} fields[] = {
	{ "From",	addresses },	{ "Sender",		addresses },
	{ "To",		addresses },	{ "Cc",			addresses },
	{ "Bcc",	addresses },	{ "Reply-To",		addresses },
	{ "Resent-From", addresses },	{ "Resent-Sender",	addresses },
	{ "Resent-To",	addresses },	{ "Resent-Cc",		addresses },
	{ "Resent-Bcc",	addresses },	{ "Return-Path",	addresses },
	{ "Delivered-To", addresses },	{ "Disposition-Notification-To",
							addresses },
	{ "Content-Type", parameters },	{ "Content-Disposition", parameters }
};

static void
field(struct writer *w, struct str s)
{
	const char	*colon = memchr(s.p, ':', s.n);
	struct str	 name = { s.p, 0 }, body = s;
	size_t		 i;

	if (colon == NULL || has_high((struct str){ s.p,
	    (size_t)(colon - s.p) })) {
		text(w, s);
		return;
	}
	name.n = (size_t)(colon - s.p);
	body.p = colon + 1;
	body.n = s.n - name.n - 1;
	buf_addstr(w->out, (struct str){ s.p, name.n + 1 });
	name = str_trim(name);
	for (i = 0; i < nitems(fields); i++)
		if (str_eq_nocase(name, str_from(fields[i].name))) {
			fields[i].write(w, body);
			return;
		}
	text(w, body);
}

/* To its end, with the lines that go on. */
static size_t
field_length(struct str s)
{
	const char	*p = s.p, *end = s.p + s.n, *lf;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		p = lf + 1;
		if (p == end || (*p != ' ' && *p != '\t'))
			return (size_t)(p - s.p);
	}
	return s.n;
}

int
surrogate_header(struct str header, struct buf *out)
{
	struct writer	w = { .out = out };
	struct str	one;
	bool		ok;

	buf_init(&w.run, header.n + 1);
	while (header.n > 0) {
		one = (struct str){ header.p, field_length(header) };
		header.p += one.n;
		header.n -= one.n;
		if (has_high(one))
			field(&w, one);
		else
			buf_addstr(out, one);
	}
	ok = buf_ok(out) && buf_ok(&w.run);
	buf_free(&w.run);
	return ok ? 0 : -1;
}

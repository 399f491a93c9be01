/* common/fmt/imap.c - the words of IMAP in; pure. */
#include "common/fmt/imap.h"

#include <string.h>

#include "common/base/attr.h"

bool
is_imap_astring(unsigned char c)
{
	return c > 32 && c < 127 && strchr("(){%*\"\\", c) == NULL;
}

bool
is_imap_atom(unsigned char c)
{
	return is_imap_astring(c) && c != ']';
}

static bool
is_tag(unsigned char c)
{
	return is_imap_astring(c) && c != '+';
}

static bool
is_list_char(unsigned char c)
{
	return is_imap_astring(c) || c == '%' || c == '*';
}

bool
imap_sp(struct cur *c)
{
	return cur_byte(c, ' ');
}

bool
imap_tag(struct cur *c, struct str *out)
{
	return cur_span(c, is_tag, IMAP_TAG_MAX, out);
}

bool
imap_atom(struct cur *c, struct str *out)
{
	return cur_span(c, is_imap_atom, cur_left(c), out);
}

/* A quoted string with escapes, from behind its first quote; n: as long as that with them. */
static bool
unescape(const char *from, size_t n, struct arena *a, struct str *out)
{
	char	*p = arena_get(a, n + 1);
	size_t	 i, used = 0;

	if (p == NULL)
		return false;
	for (i = 0; i < n; i++) {
		if (from[i] == '\\')
			i++;
		p[used++] = from[i];
	}
	*out = (struct str){ p, used };
	return true;
}

static bool
quoted(struct cur *in, struct arena *a, struct str *out)
{
	struct cur	c = *in;
	const char	*from;
	bool		 escaped = false;
	int		 b;

	if (!cur_byte(&c, '"'))
		return false;
	for (from = c.p; (b = cur_peek(&c)) != '"'; c.p++) {
		if (b == '\\') {
			escaped = true;
			c.p++;
			b = cur_peek(&c);
			if (b != '"' && b != '\\')
				return false;
		}
		if (b == -1 || b == '\0' || b == '\r' || b == '\n')
			return false;
	}
	*out = (struct str){ from, (size_t)(c.p - from) };
	if (escaped && !unescape(from, out->n, a, out))
		return false;
	c.p++;
	*in = c;
	return true;
}

/* "{n}", "{n+}", "~{n}" */
static bool
literal_head(struct cur *in, struct imap_literal *out)
{
	struct cur		c = *in;
	unsigned long long	n;

	out->binary = cur_byte(&c, '~');
	if (!cur_byte(&c, '{') || !cur_number(&c, INT64_MAX, &n))
		return false;
	out->plus = cur_byte(&c, '+');
	out->n = n;
	if (!cur_byte(&c, '}'))
		return false;
	*in = c;
	return true;
}

static bool
literal(struct cur *in, struct str *out)
{
	struct cur		c = *in;
	struct imap_literal	l;

	if (!literal_head(&c, &l) || !cur_word(&c, STR("\r\n")) ||
	    l.n > cur_left(&c) ||
	    (!l.binary && memchr(c.p, '\0', (size_t)l.n) != NULL))
		return false;
	*out = (struct str){ c.p, (size_t)l.n };
	c.p += l.n;
	*in = c;
	return true;
}

size_t
imap_blanks(char *p, size_t n)
{
	size_t	i, to = 0;
	bool	quoted = false;

	for (i = 0; i < n; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (quoted && p[i] == '\\' && i + 1 < n)
			p[to++] = p[i++];
		else if (!quoted && p[i] == ' ' && to > 0 &&
		    (p[to - 1] == ' ' || p[to - 1] == '('))
			continue;
		else if (!quoted && p[i] == ')' && to > 0 && p[to - 1] == ' ')
			to--;
		p[to++] = p[i];
	}
	if (!quoted && to > 0 && p[to - 1] == ' ' &&
	    (to == 1 || p[to - 2] != '}'))
		to--;
	return to;
}

bool
imap_literal_at_end(struct str *line, struct imap_literal *out)
{
	struct cur	c;
	size_t		at = line->n;

	if (at == 0 || line->p[at - 1] != '}')
		return false;
	while (at > 0 && line->p[at - 1] != '{')
		at--;
	if (at == 0)
		return false;
	at--;
	if (at > 0 && line->p[at - 1] == '~')
		at--;
	c = cur_from((struct str){ line->p + at, line->n - at });
	if (!literal_head(&c, out) || !cur_done(&c))
		return false;
	line->n = at;
	return true;
}

bool
imap_string(struct cur *c, struct arena *a, struct str *out)
{
	return quoted(c, a, out) || literal(c, out);
}

bool
imap_astring(struct cur *c, struct arena *a, struct str *out)
{
	/* "~" would be an atom, but not in front of a literal */
	return imap_string(c, a, out) ||
	    cur_span(c, is_imap_astring, cur_left(c), out);
}

bool
imap_nstring(struct cur *c, struct arena *a, struct str *out, bool *is_nil)
{
	struct cur	in = *c;

	*is_nil = cur_word(&in, STR("NIL")) &&
	    (cur_done(&in) || !is_imap_astring((unsigned char)*in.p));
	if (!*is_nil)
		return imap_string(c, a, out);
	*out = (struct str){ NULL, 0 };
	*c = in;
	return true;
}

bool
imap_list_mailbox(struct cur *c, struct arena *a, struct str *out)
{
	return cur_span(c, is_list_char, cur_left(c), out) ||
	    imap_string(c, a, out);
}

static bool
number(struct cur *in, unsigned long long least, unsigned long long most,
    unsigned long long *out)
{
	struct cur	c = *in;

	if (!cur_number(&c, most, out) || *out < least)
		return false;
	*in = c;
	return true;
}

bool
imap_number(struct cur *c, uint32_t *out)
{
	unsigned long long	n;

	if (!number(c, 0, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

bool
imap_nz_number(struct cur *c, uint32_t *out)
{
	unsigned long long	n;

	if (!number(c, 1, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

bool
imap_number64(struct cur *c, uint64_t *out)
{
	unsigned long long	n;

	if (!number(c, 0, INT64_MAX, &n))
		return false;
	*out = n;
	return true;
}

bool
imap_flag(struct cur *in, struct str *out)
{
	struct cur	c = *in;
	const char	*from = c.p;
	struct str	word;

	(void)cur_byte(&c, '\\');
	if (!imap_atom(&c, &word))
		return false;
	*out = (struct str){ from, (size_t)(c.p - from) };
	*in = c;
	return true;
}

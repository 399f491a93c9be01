/* common/fmt/imap_url.c - URLs of messages (RFC 5092, relative to this server); pure. */
#include "common/fmt/imap_url.h"

#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/imap.h"

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "%2F" is a slash that separates nothing. */
static bool
decode(struct str in, struct arena *a, struct str *out)
{
	char	*p = arena_get(a, in.n + 1);
	size_t	 n = 0, i;

	for (i = 0; p != NULL && i < in.n; i++) {
		p[n] = in.p[i];
		if (in.p[i] == '%') {
			if (in.n - i < 3 || hex(in.p[i + 1]) == -1 ||
			    hex(in.p[i + 2]) == -1)
				return false;
			p[n] = (char)(hex(in.p[i + 1]) << 4 |
			    hex(in.p[i + 2]));
			i += 2;
		}
		if ((unsigned char)p[n] < ' ' || p[n] == 0x7f)
			return false;
		n++;
	}
	*out = (struct str){ p, n };
	return p != NULL && n > 0;
}

static bool
number(struct cur *c, uint32_t *out)
{
	unsigned long long	v;

	if (!cur_number(c, UINT32_MAX, &v) || v == 0)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* " (FROM TO)" */
static bool
names(struct cur *c, struct arena *a, struct imap_url *u)
{
	struct str	some[IMAP_URL_NAMES];
	size_t		n = 0;

	if (!imap_sp(c) || !cur_byte(c, '('))
		return false;
	do
		if (n == nitems(some) || !imap_astring(c, a, &some[n++]))
			return false;
	while (imap_sp(c));
	u->names = arena_get(a, n * sizeof(*u->names));
	if (!cur_byte(c, ')') || u->names == NULL)
		return false;
	memcpy(u->names, some, n * sizeof(*u->names));
	u->nnames = n;
	return true;
}

static const struct {
	const char		*name;
	enum imap_url_text	 text;
} texts[] = {
	{ "HEADER.FIELDS.NOT",	IMAP_URL_FIELDS_NOT },
	{ "HEADER.FIELDS",	IMAP_URL_FIELDS },
	{ "HEADER",		IMAP_URL_HEADER },
	{ "TEXT",		IMAP_URL_TEXT },
	{ "MIME",		IMAP_URL_MIME },
};

static bool
section(struct str in, struct arena *a, struct imap_url *u)
{
	struct cur	c = cur_from(in);
	size_t		i;

	while (is_digit((unsigned char)*c.p)) {
		if (u->nnumbers == IMAP_URL_PARTS ||
		    !number(&c, &u->numbers[u->nnumbers++]))
			return false;
		if (cur_done(&c))
			return true;
		if (!cur_byte(&c, '.') || cur_done(&c))
			return false;
	}
	for (i = 0; i < nitems(texts); i++)
		if (cur_word(&c, str_from(texts[i].name)))
			break;
	if (i == nitems(texts) ||
	    (texts[i].text == IMAP_URL_MIME && u->nnumbers == 0))
		return false;
	u->text = texts[i].text;
	if ((u->text == IMAP_URL_FIELDS || u->text == IMAP_URL_FIELDS_NOT) &&
	    !names(&c, a, u))
		return false;
	return cur_done(&c);
}

static bool
partial(struct cur *c, struct imap_url *u)
{
	unsigned long long	v;

	u->partial = true;
	u->length = UINT64_MAX;
	if (!cur_number(c, INT64_MAX, &v))
		return false;
	u->offset = v;
	if (!cur_byte(c, '.'))
		return true;
	if (!cur_number(c, INT64_MAX, &v) || v == 0)
		return false;
	u->length = v;
	return true;
}

/* Up to the next "/;", or to the end. */
static struct str
piece(struct cur *c)
{
	struct str	out = { c->p, 0 };

	while (!cur_done(c) && !(cur_left(c) >= 2 && c->p[0] == '/' &&
	    c->p[1] == ';')) {
		c->p++;
		out.n++;
	}
	return out;
}

/* "Drafts;UIDVALIDITY=3" */
static bool
mailbox(struct str in, struct arena *a, struct imap_url *u)
{
	const char	*semi = in.n == 0 ? NULL : memchr(in.p, ';', in.n);
	struct cur	 c;

	if (semi != NULL) {
		c = (struct cur){ semi, in.p + in.n };
		in.n = (size_t)(semi - in.p);
		if (!cur_word(&c, STR(";UIDVALIDITY=")) ||
		    !number(&c, &u->validity) || !cur_done(&c))
			return false;
	}
	return decode(in, a, &u->mailbox);
}

bool
imap_url(struct str in, struct arena *a, struct imap_url *out)
{
	struct cur	c = cur_from(in);
	struct imap_url	u = { .text = IMAP_URL_WHOLE };
	struct str	text;

	if (!cur_byte(&c, '/') || !mailbox(piece(&c), a, &u) ||
	    !cur_word(&c, STR("/;UID=")) || !number(&c, &u.uid))
		return false;
	if (cur_word(&c, STR("/;SECTION="))) {
		text = piece(&c);
		if (!decode(text, a, &text) || !section(text, a, &u))
			return false;
	}
	if (cur_word(&c, STR("/;PARTIAL=")) && !partial(&c, &u))
		return false;
	if (!cur_done(&c))
		return false;
	*out = u;
	return true;
}

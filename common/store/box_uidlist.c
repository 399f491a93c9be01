/* common/store/box_uidlist.c - the text of dovecot-uidlist; pure. */
#include "common/store/box_uidlist.h"

#include <string.h>

#include "common/store/maildir.h"

static bool
not_blank(unsigned char c)
{
	return c != ' ';
}

static bool
number32(struct cur *in, uint32_t *out)
{
	unsigned long long	v;

	if (!cur_number(in, UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* V and N are known, the others are kept for those who know them. */
static bool
head_fields(struct cur *c, struct uidlist_head *h)
{
	struct str	more = { c->end, 0 }, word;
	struct cur	in;
	uint32_t	v;

	while (cur_byte(c, ' ')) {
		if (!cur_span(c, not_blank, cur_left(c) + 1, &word))
			continue;
		in = cur_from(word);
		if (cur_byte(&in, 'V') || cur_byte(&in, 'N')) {
			if (!number32(&in, &v) || !cur_done(&in) ||
			    more.n > 0)
				return false;
			if (word.p[0] == 'V')
				h->validity = v;
			else
				h->next = v;
		} else {
			if (more.n == 0)
				more.p = word.p;
			more.n = (size_t)(word.p + word.n - more.p);
		}
	}
	h->more = more;
	return cur_done(c);
}

bool
uidlist_head(struct cur *in, struct uidlist_head *out)
{
	struct uidlist_head	h = { .more = { "", 0 } };
	struct cur		rest = *in, c;
	struct str		line;

	if (!cur_until(&rest, '\n', &line) ||
	    memchr(line.p, '\0', line.n) != NULL)
		return false;
	c = cur_from(line);
	if (cur_word(&c, STR("3"))) {
		h.version = 3;
		if (!head_fields(&c, &h))
			return false;
	} else {
		h.version = 1;
		if (!cur_word(&c, STR("1 ")) || !number32(&c, &h.validity) ||
		    !cur_byte(&c, ' ') || !number32(&c, &h.next) ||
		    !cur_done(&c))
			return false;
	}
	if (h.validity == 0 || h.next == 0)
		return false;
	*in = rest;
	*out = h;
	return true;
}

bool
uidlist_name_ok(struct str name)
{
	return name.n > 0 && name.n <= MAILDIR_NAME_MAX && name.p[0] != '.' &&
	    memchr(name.p, '\n', name.n) == NULL &&
	    memchr(name.p, '/', name.n) == NULL &&
	    memchr(name.p, ':', name.n) == NULL &&
	    memchr(name.p, '\0', name.n) == NULL;
}

/* "X1 Y2 :" before the name. */
static bool
line_fields(struct cur *c, struct str *more)
{
	struct str	word;

	more->p = c->p;
	more->n = 0;
	while (!cur_byte(c, ':')) {
		if (!cur_span(c, not_blank, cur_left(c) + 1, &word) ||
		    !cur_byte(c, ' ') ||
		    memchr(word.p, '\0', word.n) != NULL)
			return false;
		more->n = (size_t)(word.p + word.n - more->p);
	}
	return true;
}

static bool
line_parse(struct str text, unsigned version, struct uidlist_line *l)
{
	struct cur	c = cur_from(text);

	l->more = (struct str){ "", 0 };
	if (!number32(&c, &l->uid) || l->uid == 0 || l->uid == UINT32_MAX ||
	    !cur_byte(&c, ' ') ||
	    (version == 3 && !line_fields(&c, &l->more)))
		return false;
	l->name = maildir_name_base(cur_rest(&c));
	return uidlist_name_ok(l->name);
}

bool
uidlist_next(struct cur *in, unsigned version, uint32_t *last, size_t *skipped,
    struct uidlist_line *out)
{
	struct str	text;

	/* what has no end of line was cut off while it was written */
	while (cur_until(in, '\n', &text)) {
		if (line_parse(text, version, out) && out->uid > *last) {
			*last = out->uid;
			return true;
		}
		(*skipped)++;
	}
	if (!cur_done(in))
		(*skipped)++;
	in->p = in->end;
	return false;
}

bool
uidlist_field(struct str more, char key, struct str *value)
{
	struct cur	c = cur_from(more);
	struct str	word;

	while (cur_span(&c, not_blank, cur_left(&c) + 1, &word)) {
		if (word.p[0] == key) {
			value->p = word.p + 1;
			value->n = word.n - 1;
			return true;
		}
		while (cur_byte(&c, ' '))
			;
	}
	return false;
}

/* One conversion, behind its '%'. */
static bool
convert(struct cur *in, uint32_t uid, uint32_t validity, struct str name,
    struct buf *out)
{
	unsigned long long	width = 0;
	bool			hex;
	uint32_t		v;

	if (cur_byte(in, '%'))
		return buf_addc(out, '%') == 0;
	if (cur_byte(in, 'f'))
		return buf_addstr(out, name) == 0;
	if (cur_byte(in, '0') && !cur_number(in, 64, &width))
		return false;
	hex = cur_byte(in, 'X');
	if (cur_byte(in, 'u'))
		v = uid;
	else if (cur_byte(in, 'v'))
		v = validity;
	else
		return false;
	return buf_addf(out, hex ? "%0*x" : "%0*u", width == 0 ? 1 :
	    (int)width, v) == 0;
}

bool
uidlist_pop3_name(const char *format, uint32_t uid, uint32_t validity,
    struct str name, char *out, size_t size)
{
	struct cur	in = cur_from(str_from(format));
	struct buf	text;
	bool		ok = true;

	buf_init(&text, size);
	while (ok && !cur_done(&in))
		if (cur_byte(&in, '%'))
			ok = convert(&in, uid, validity, name, &text);
		else {
			ok = buf_addc(&text, (char)cur_peek(&in)) == 0;
			in.p++;
		}
	ok = ok && text.n > 0 && str_copy(out, size, buf_view(&text)) == 0;
	buf_free(&text);
	return ok;
}

void
uidlist_put_head(struct buf *b, const struct uidlist_head *h)
{
	buf_addf(b, "3 V%u N%u", h->validity, h->next);
	if (h->more.n > 0)
		buf_addc(b, ' ');
	buf_addstr(b, h->more);
	buf_addc(b, '\n');
}

void
uidlist_put(struct buf *b, const struct uidlist_line *l)
{
	buf_addf(b, "%u ", l->uid);
	if (l->more.n > 0) {
		buf_addstr(b, l->more);
		buf_addc(b, ' ');
	}
	buf_addc(b, ':');
	buf_addstr(b, l->name);
	buf_addc(b, '\n');
}

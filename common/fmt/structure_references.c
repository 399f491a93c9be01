/* common/fmt/structure_references.c - the msg-ids that threads are made of (RFC 5322 3.6.4 and 4.5.4, RFC 5256 3); pure. */
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/header.h"
#include "common/fmt/structure.h"

#define MSG_ID_MAX	998u

struct id {
	size_t	n, at;		/* at: of the @ */
	char	p[MSG_ID_MAX + 1];
	bool	too_long;
};

static void
add(struct id *id, char c)
{
	if (id->n < MSG_ID_MAX)
		id->p[id->n++] = c;
	else
		id->too_long = true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What is in quotes; the quotes stay if they have to. */
static void
quoted(struct cur *c, struct id *id)
{
	size_t	from = id->n, n = 0;
	char	text[MSG_ID_MAX];
	bool	needed = false;
	size_t	i;

	for (c->p++; !cur_done(c) && *c->p != '"'; c->p++) {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		if (is_blank(*c->p) && *c->p != ' ')
			continue;
		if (n < sizeof(text))
			text[n++] = *c->p;
		else
			id->too_long = true;
		needed |= !is_atext((unsigned char)*c->p) &&
		    (*c->p != '.' || n == 1);
	}
	(void)cur_byte(c, '"');
	needed |= n == 0 || from > 0 || (n > 0 && text[n - 1] == '.');
	if (needed)
		add(id, '"');
	for (i = 0; i < n; i++) {
		if (needed && (text[i] == '"' || text[i] == '\\'))
			add(id, '\\');
		add(id, text[i]);
	}
	if (needed)
		add(id, '"');
}

/* From its < on. True: there was one, up to its >. */
static bool
msg_id(struct cur *c, struct id *id)
{
	bool	has_at = false;

	id->n = id->at = 0;
	id->too_long = false;
	for (c->p++; !cur_done(c); ) {
		switch (*c->p) {
		case '>':
			c->p++;
			return has_at && id->at > 0 && id->n > id->at + 1 &&
			    !id->too_long;
		case '<':
			return false;	/* perhaps it begins here */
		case '"':
			quoted(c, id);
			continue;
		case '(':
			header_skip_comment(c);
			continue;
		case '@':
			has_at = true;
			id->at = id->n;
			break;
		}
		if (!is_blank(*c->p) && *c->p != '\0')
			add(id, *c->p);
		c->p++;
	}
	return false;
}

/* How many are appended, at most max. */
static size_t
put_ids(struct buf *b, struct str body, size_t max)
{
	struct cur	c = cur_from(body.n == 0 ? STR("") : body);
	struct id	id;
	size_t		n = 0;

	while (n < max && !cur_done(&c)) {
		if (*c.p == '(')
			header_skip_comment(&c);
		else if (*c.p != '<')
			c.p++;
		else if (msg_id(&c, &id)) {
			buf_adds(b, n++ == 0 ? "<" : " <");
			buf_add(b, id.p, id.n);
			buf_addc(b, '>');
		}
	}
	return n;
}

int
references_put_first(struct buf *b, struct str body)
{
	put_ids(b, body, 1);
	return buf_ok(b) ? 0 : -1;
}

int
references_put(struct buf *b, struct str header)
{
	struct str		references = { "", 0 }, reply = { "", 0 };
	struct header_field	f;
	struct cur		c = cur_from(header.n == 0 ? STR("") :
				    header);

	while (header_next_any(&c, &f))
		if (references.n == 0 &&
		    str_eq_nocase(f.name, STR("references")))
			references = f.body;
		else if (reply.n == 0 &&
		    str_eq_nocase(f.name, STR("in-reply-to")))
			reply = f.body;
	if (put_ids(b, references, SIZE_MAX) == 0)
		put_ids(b, reply, 1);
	return buf_ok(b) ? 0 : -1;
}

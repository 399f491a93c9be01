/*
 * common/fmt/downgrade.c - conversion to 7 bits; pure. The message is a
 * stranger's: whatever it is, what comes out decodes to the same, and nothing
 * grows without bound. The encoders are in downgrade_body.c.
 */
#include "common/fmt/downgrade.h"

#include <errno.h>
#include <string.h>

#include "common/fmt/downgrade_impl.h"
#include "common/fmt/header.h"

void
downgrade_init(struct downgrade *d)
{
	memset(d, 0, sizeof(*d));
	buf_init(&d->line, DOWNGRADE_LINE);
	buf_init(&d->head, DOWNGRADE_HEAD);
	d->state = IN_HEADER;
	d->top = d->bol = true;
}

void
downgrade_write(struct downgrade *d, struct buf *out)
{
	d->out = out;
	d->part = d->depth = 0;
	buf_reset(&d->line);
	buf_reset(&d->head);
	d->state = IN_HEADER;
	d->top = d->bol = true;
	d->message = false;
}

void
downgrade_free(struct downgrade *d)
{
	buf_free(&d->line);
	buf_free(&d->head);
}

/* ---- headers */

static bool
is_field(const struct header_field *f, const char *name)
{
	return str_eq_nocase(f->name, str_from(name));
}

/* The next field; or a line that is none, which is passed over (without a name). */
static bool
next_field(struct cur *c, struct header_field *f)
{
	const char	*from = c->p, *lf;

	if (header_next(c, f))
		return true;
	if (c->p != from || cur_done(c))	/* the empty line */
		return false;
	lf = memchr(c->p, '\n', cur_left(c));
	c->p = lf == NULL ? c->end : lf + 1;
	*f = (struct header_field){ .name = { from, 0 },
	    .raw = { from, (size_t)(c->p - from) } };
	return true;
}

/* What the header says, and what it does not. */
struct kind {
	struct mime_type	type;
	bool			has_type, has_version;
	bool			whole;	/* its empty line came; else there is no body */
	enum mime_encoding	encoding;
};

static void
look(const struct downgrade *d, bool whole, struct kind *k)
{
	struct cur		c = cur_from(buf_view(&d->head));
	struct header_field	f;
	bool			encoded = false;

	*k = (struct kind){ .encoding = MIME_7BIT, .whole = whole };
	while (next_field(&c, &f)) {
		if (is_field(&f, "MIME-Version"))
			k->has_version = true;
		else if (!k->has_type && is_field(&f, "Content-Type"))
			k->has_type = mime_type(f.body, &k->type);
		else if (!encoded && is_field(&f,
		    "Content-Transfer-Encoding")) {
			k->encoding = mime_encoding(f.body);
			encoded = true;
		}
	}
	if (k->has_type)
		return;
	k->type = (struct mime_type){ .type = STR("text"),
	    .subtype = STR("plain") };
	if (d->message)
		k->type = (struct mime_type){ .type = STR("message"),
		    .subtype = STR("rfc822") };
}

/* The header with another encoding; NULL: as it is. */
static void
put_header(struct downgrade *d, const struct kind *k, const char *encoding,
    bool type)
{
	struct cur		c = cur_from(buf_view(&d->head));
	struct header_field	f;

	if (d->out == NULL)
		return;
	if (encoding == NULL || !k->whole) {
		buf_addstr(d->out, buf_view(&d->head));
		return;
	}
	while (next_field(&c, &f))
		if (!is_field(&f, "Content-Transfer-Encoding")) {
			buf_addstr(d->out, f.raw);
			if (f.raw.p[f.raw.n - 1] != '\n')
				buf_adds(d->out, "\r\n");
		}
	if (d->top && !k->has_version)
		buf_adds(d->out, "MIME-Version: 1.0\r\n");
	if (type && !k->has_type)	/* RFC 1428 */
		buf_adds(d->out,
		    "Content-Type: text/plain; charset=unknown-8bit\r\n");
	buf_addf(d->out, "Content-Transfer-Encoding: %s\r\n\r\n", encoding);
}

bool
downgrade_sealed(const struct downgrade *d)
{
	return d->depth > 0 && d->level[d->depth - 1].sealed;
}

static void
begin_body(struct downgrade *d, const struct kind *k)
{
	static const char *const names[] = {
		[HOW_KEEP] = NULL, [HOW_LABEL] = "7bit",
		[HOW_QP] = "quoted-printable", [HOW_BASE64] = "base64",
		[HOW_ESCAPE] = NULL, [HOW_DROP] = NULL
	};

	d->state = IN_BODY;
	d->text = mime_type_is(&k->type, "text", NULL);
	d->encoding = k->whole ? k->encoding : MIME_7BIT;
	d->bytes = d->high = d->ngroup = d->column = 0;
	d->eol = false;
	d->now = HOW_KEEP;
	if (d->out != NULL && d->part < DOWNGRADE_PARTS)
		d->now = d->how[d->part];
	put_header(d, k, names[d->now],
	    d->now == HOW_QP || d->now == HOW_BASE64);
}

static bool
is_plain_encoding(enum mime_encoding e)
{
	return e == MIME_7BIT || e == MIME_8BIT || e == MIME_BINARY;
}

/* A multipart or a message, whose own label must be 7bit, too. */
static void
begin_composite(struct downgrade *d, const struct kind *k)
{
	put_header(d, k, k->encoding == MIME_7BIT || downgrade_sealed(d) ?
	    NULL : "7bit", false);
	d->top = false;
}

static void
begin_multipart(struct downgrade *d, const struct kind *k)
{
	struct downgrade_level	*l = &d->level[d->depth];

	begin_composite(d, k);
	memcpy(l->boundary, k->type.boundary, sizeof(k->type.boundary));
	l->digest = mime_type_is(&k->type, "multipart", "digest");
	l->sealed = downgrade_sealed(d) ||
	    mime_type_is(&k->type, "multipart", "signed");
	d->depth++;
	d->state = IN_BETWEEN;
}

static void
end_header(struct downgrade *d, bool whole)
{
	struct kind	k;
	bool		mime;

	look(d, whole, &k);
	mime = !d->top || k.has_type || k.has_version;
	if (mime && mime_type_is(&k.type, "multipart", NULL) &&
	    k.type.boundary[0] != '\0' && d->depth < DOWNGRADE_DEPTH &&
	    is_plain_encoding(k.encoding))
		begin_multipart(d, &k);
	else if (mime && mime_type_is(&k.type, "message", "rfc822") &&
	    is_plain_encoding(k.encoding)) {
		begin_composite(d, &k);
		d->message = false;
		d->top = true;
		d->state = IN_HEADER;
	} else {
		begin_body(d, &k);
		d->top = false;
	}
	buf_reset(&d->head);
}

static void
end_part(struct downgrade *d)
{
	if (d->state == IN_HEADER)
		end_header(d, false);
	if (d->state == IN_BODY)
		downgrade_body_end(d);
}

/* ---- lines */

/* The level whose delimiter this line is, counted from 1; 0: none. */
static size_t
delimiter(const struct downgrade *d, struct str line, bool *closes)
{
	struct str	rest;
	size_t		i, n;

	*closes = false;
	if (line.n < 3 || line.p[0] != '-' || line.p[1] != '-')
		return 0;
	for (i = d->depth; i > 0; i--) {
		n = strlen(d->level[i - 1].boundary);
		if (line.n < n + 2 ||
		    memcmp(line.p + 2, d->level[i - 1].boundary, n) != 0)
			continue;
		rest = (struct str){ line.p + 2 + n, line.n - 2 - n };
		if (rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-') {
			*closes = true;
			rest.p += 2;
			rest.n -= 2;
		}
		if (str_trim(rest).n == 0)
			return i;
		*closes = false;
	}
	return 0;
}

static void
cross(struct downgrade *d, size_t level, bool closes)
{
	end_part(d);
	if (d->out != NULL) {
		buf_addstr(d->out, buf_view(&d->line));
		buf_adds(d->out, "\r\n");
	}
	d->depth = closes ? level - 1 : level;
	d->state = closes ? IN_BETWEEN : IN_HEADER;
	d->message = d->level[level - 1].digest;
	d->top = d->bol = false;
}

/* Before the first part and behind the last one nobody reads; but it may be signed. */
static void
put_between(struct downgrade *d, struct str s, bool ended)
{
	size_t	i;
	bool	high;

	for (i = 0; i < s.n; i++) {
		high = (unsigned char)s.p[i] > 127;
		d->impossible |= high && downgrade_sealed(d);
		if (d->out != NULL)
			buf_addc(d->out, high ? '?' : s.p[i]);
	}
	if (d->out != NULL && ended)
		buf_adds(d->out, "\r\n");
}

static void
header_line(struct downgrade *d, struct str s, bool ended)
{
	buf_addstr(&d->head, s);
	if (ended)
		buf_adds(&d->head, "\r\n");
	if (!buf_ok(&d->head)) {
		d->impossible = true;
		buf_reset(&d->head);
	} else if (d->bol && ended && s.n == 0)
		end_header(d, true);
}

/* What is in d->line; ended: its line end came. */
static void
take_line(struct downgrade *d, bool ended)
{
	struct str	s = buf_view(&d->line);
	bool		closes;
	size_t		level = 0;

	if (d->bol)
		level = delimiter(d, s, &closes);
	if (level > 0)
		cross(d, level, closes);
	else if (d->state == IN_HEADER)
		header_line(d, s, ended);
	else if (d->state == IN_BODY)
		downgrade_body_line(d, s, ended);
	else
		put_between(d, s, ended);
	buf_reset(&d->line);
	d->bol = ended;
}

/* A long line in pieces; a CR at the end may be half of a line end. */
static void
cut_line(struct downgrade *d)
{
	bool	cr = d->line.p[d->line.n - 1] == '\r';

	d->line.n -= cr;
	take_line(d, false);
	if (cr)
		buf_addc(&d->line, '\r');
}

int
downgrade_add(struct downgrade *d, struct str in)
{
	const char	*lf;
	size_t		 n, room;

	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		n = lf == NULL ? in.n : (size_t)(lf - in.p);
		/* one byte is kept for a CR whose LF may come */
		room = DOWNGRADE_LINE - 1 - d->line.n;
		if (n > room) {
			n = room;
			lf = NULL;
		}
		if (buf_add(&d->line, in.p, n) == -1)
			return -1;
		in.p += n;
		in.n -= n;
		if (lf != NULL) {
			in.p++;
			in.n--;
			if (d->line.n > 0 && d->line.p[d->line.n - 1] == '\r')
				d->line.n--;
			take_line(d, true);
		} else if (d->line.n == DOWNGRADE_LINE - 1 && in.n > 0)
			cut_line(d);
		if (d->out != NULL && !buf_ok(d->out))
			return -1;
	}
	return 0;
}

int
downgrade_end(struct downgrade *d)
{
	if (d->line.n > 0)
		take_line(d, false);
	if (d->state == IN_BODY)
		downgrade_body_last(d);
	end_part(d);
	if (d->impossible) {
		errno = EINVAL;
		return -1;
	}
	return d->out == NULL || buf_ok(d->out) ? 0 : -1;
}

/* common/fmt/downgrade_body.c - what a body needs, and its encoders (RFC 2045 6.7, 6.8); pure. */
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/downgrade_impl.h"

#define QP_LINE	75	/* and the "=" of a soft break */

static bool
is_high(char c)
{
	return (unsigned char)c > 127;
}

static void
count(struct downgrade *d, struct str s, bool ended)
{
	size_t	i;

	d->bytes += s.n + (ended ? 2 : 0);
	for (i = 0; i < s.n; i++)
		d->high += is_high(s.p[i]);
}

static uint8_t
decide(struct downgrade *d)
{
	if (downgrade_sealed(d)) {
		d->impossible |= d->high > 0;
		return HOW_KEEP;
	}
	if (d->high == 0)
		return d->encoding == MIME_8BIT || d->encoding == MIME_BINARY ?
		    HOW_LABEL : HOW_KEEP;
	switch (d->encoding) {
	case MIME_QP:
		return HOW_ESCAPE;
	case MIME_BASE64:
		return HOW_DROP;
	case MIME_7BIT:
	case MIME_8BIT:
	case MIME_BINARY:
		break;
	case MIME_UNKNOWN:
		d->impossible = true;	/* what it would decode to is not known */
		break;
	}
	/* Text stays legible, unless most of it would be escapes. */
	return d->text && d->high <= d->bytes / 3 ? HOW_QP : HOW_BASE64;
}

static void
put_qp(struct downgrade *d, const char *p, size_t n)
{
	if (d->column + n > QP_LINE) {
		buf_adds(d->out, "=\r\n");
		d->column = 0;
	}
	buf_add(d->out, p, n);
	d->column += n;
}

static void
put_escape(struct downgrade *d, char c)
{
	static const char	digits[] = "0123456789ABCDEF";
	char			three[3] = { '=', digits[(unsigned char)c >> 4],
				    digits[(unsigned char)c & 15] };

	put_qp(d, three, sizeof(three));
}

static void
end_line(struct downgrade *d)
{
	buf_adds(d->out, "\r\n");
	d->column = 0;
}

static void
write_qp(struct downgrade *d, struct str s, bool ended)
{
	size_t	i;

	for (i = 0; i < s.n; i++) {
		/* a blank at the end of a line would not survive */
		if ((is_vchar((unsigned char)s.p[i]) && s.p[i] != '=') ||
		    (is_wsp((unsigned char)s.p[i]) && i + 1 < s.n))
			put_qp(d, s.p + i, 1);
		else
			put_escape(d, s.p[i]);
	}
	if (ended)
		end_line(d);
}

static void
write_escaped(struct downgrade *d, struct str s, bool ended)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (is_high(s.p[i]))
			put_escape(d, s.p[i]);
		else {
			buf_addc(d->out, s.p[i]);
			d->column++;
		}
	if (ended)
		end_line(d);
}

static void
write_low(struct downgrade *d, struct str s, bool ended)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (!is_high(s.p[i]))
			buf_addc(d->out, s.p[i]);
	if (ended)
		buf_adds(d->out, "\r\n");
}

static void
flush_group(struct downgrade *d)
{
	if (d->ngroup == 0)
		return;
	/* errors stay in the buffer */
	(void)base64_encode(d->out, (struct str){ (const char *)d->group,
	    d->ngroup });
	buf_adds(d->out, "\r\n");
	d->ngroup = 0;
}

static void
put_base64(struct downgrade *d, struct str s)
{
	size_t	n;

	while (s.n > 0) {
		n = sizeof(d->group) - d->ngroup;
		if (n > s.n)
			n = s.n;
		memcpy(d->group + d->ngroup, s.p, n);
		d->ngroup += n;
		s.p += n;
		s.n -= n;
		if (d->ngroup == sizeof(d->group))
			flush_group(d);
	}
}

void
downgrade_body_last(struct downgrade *d)
{
	if (d->out != NULL && d->now == HOW_BASE64 && d->eol)
		put_base64(d, STR("\r\n"));
	d->eol = false;
}

void
downgrade_body_line(struct downgrade *d, struct str s, bool ended)
{
	if (d->out == NULL) {
		count(d, s, ended);
		return;
	}
	switch (d->now) {
	case HOW_QP:
		write_qp(d, s, ended);
		break;
	case HOW_BASE64:
		/* the line end before a delimiter is the delimiter's */
		downgrade_body_last(d);
		put_base64(d, s);
		d->eol = ended;
		break;
	case HOW_ESCAPE:
		write_escaped(d, s, ended);
		break;
	case HOW_DROP:
		write_low(d, s, ended);
		break;
	default:
		buf_addstr(d->out, s);
		if (ended)
			buf_adds(d->out, "\r\n");
		break;
	}
}

void
downgrade_body_end(struct downgrade *d)
{
	uint8_t	how;

	if (d->out != NULL)
		flush_group(d);
	else {
		how = decide(d);
		if (d->part < DOWNGRADE_PARTS)
			d->how[d->part] = how;
		else if (how != HOW_KEEP && how != HOW_LABEL)
			d->impossible = true;
	}
	d->part++;
}

/*
 * common/fmt/dsn_text.c - the part of a report that a person reads: what
 * happened to which message, to whom, what was said, and what to do now.
 */
#include "common/fmt/dsn.h"

#include <string.h>

#define WIDTH		72u
#define REASON_MAX	2000u
#define LINES_MAX	50u	/* of a history; the last ones count */

/* No character of UTF-8 ends on another line than it began. */
static size_t
whole_characters(struct str text, size_t n)
{
	size_t	back = 0;

	while (back < 3 && back + 1 < n && n < text.n &&
	    ((unsigned char)text.p[n - back] & 0xc0) == 0x80)
		back++;
	return n - back;
}

/* Words on lines of at most WIDTH bytes behind the indent; a longer word has a line of its own. */
static void
wrap(struct buf *out, const char *indent, struct str text)
{
	size_t	n, room = WIDTH - strlen(indent);

	while (text.n > 0) {
		while (text.n > 0 && *text.p == ' ') {
			text.p++;
			text.n--;
		}
		n = text.n;
		if (n > room) {
			for (n = room; n > 0 && text.p[n] != ' '; n--)
				continue;
			if (n == 0)
				for (n = room; n < text.n && n < REASON_MAX / 3 &&
				    text.p[n] != ' '; n++)
					continue;
			n = whole_characters(text, n);
		}
		if (n > 0)
			buf_addf(out, "%s%.*s\r\n", indent, (int)n, text.p);
		text.p += n;
		text.n -= n;
	}
}

/* Cleaned first, so that what is measured is what is written. */
static void
wrap_clean(struct buf *out, const char *indent, struct str a,
    const char *between, struct str b)
{
	struct buf	line;

	buf_init(&line, 2 * REASON_MAX + 64);
	dsn_clean(&line, a, true, REASON_MAX);
	buf_adds(&line, between);
	dsn_clean(&line, b, true, REASON_MAX);
	if (buf_ok(&line))
		wrap(out, indent, buf_view(&line));
	buf_free(&line);
}

/* The last LINES_MAX lines. */
static struct str
tail(struct str text)
{
	size_t	i, lines = 0;

	for (i = text.n; i > 0; i--)
		if (text.p[i - 1] == '\n' && lines++ == LINES_MAX)
			break;
	return (struct str){ text.p + i, text.n - i };
}

static void
history(struct buf *out, struct str text)
{
	const char	*lf;
	struct str	 line, rest = tail(text);

	if (rest.n == 0)
		return;
	buf_adds(out, "    What was tried:\r\n");
	while (rest.n > 0) {
		lf = memchr(rest.p, '\n', rest.n);
		line = (struct str){ rest.p, lf == NULL ? rest.n :
		    (size_t)(lf - rest.p) };
		wrap_clean(out, "      ", line, "", STR(""));
		rest.p += line.n + (lf != NULL);
		rest.n -= line.n + (lf != NULL);
	}
}

static void
recipient(struct buf *out, const struct dsn_rcpt *r)
{
	buf_adds(out, "\r\n<");
	dsn_clean(out, r->addr, true, REASON_MAX / 3);
	buf_adds(out, ">\r\n");
	if (r->remote.n > 0)
		wrap_clean(out, "    ", r->remote, " said: ", r->diagnostic);
	else
		wrap_clean(out, "    ", r->diagnostic.n > 0 ? r->diagnostic :
		    STR("(nothing more is known)"), "", STR(""));
	if (r->until_s != 0) {
		buf_adds(out, "    It will be tried until ");
		dsn_date(out, r->until_s);
		buf_adds(out, ".\r\n");
	}
	history(out, r->history);
}

static const char *
opening(const struct dsn *d, bool many)
{
	switch (d->kind) {
	case DSN_FAILURE:
		if (d->postmaster)
			return "Mail that has no sender who could be told (most "
			    "often a report like this\r\none) could not be "
			    "delivered. You get this as the postmaster.";
		return many ? "Your message could not be delivered to these "
		    "recipients. It is not\r\ntried again for them." :
		    "Your message could not be delivered to this recipient. "
		    "It is not tried\r\nagain.";
	case DSN_DELAY:
		return "Your message has not been delivered yet. You need not "
		    "do anything:\r\nit is still being tried.";
	case DSN_SUCCESS:
		break;
	}
	return "Your message was delivered, as told below. You get this "
	    "because it was sent\r\nwith the wish for such a report.";
}

const char *
dsn_what(const struct dsn *d)
{
	if (d->postmaster)
		return d->full ? "The message" : "The header of the message";
	return d->full ? "Your message" : "The header of your message";
}

void
dsn_text(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r,
    size_t n)
{
	size_t	i;

	buf_addf(out, "This is the mail system of %s.\r\n\r\n%s\r\n\r\n",
	    d->hostname, opening(d, n > 1));
	if (d->subject.n > 0)
		wrap_clean(out, "    ", STR("Subject"), ":  ", d->subject);
	buf_adds(out, "    Received: ");
	dsn_date(out, d->arrival_s);
	buf_addf(out, "\r\n    Id:       %s\r\n", d->about);
	for (i = 0; i < n; i++)
		recipient(out, &r[i]);
	buf_addf(out, "\r\n%s is attached.\r\n", dsn_what(d));
	if (d->kind == DSN_FAILURE && !d->postmaster)
		buf_addf(out, "If you cannot make out what to do, ask "
		    "postmaster@%s, and send\r\nthis report along.\r\n",
		    d->hostname);
}

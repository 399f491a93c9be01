/*
 * common/fmt/dsn.c - the frame of a report, and its part for programs. What is
 * told of the message and of other hosts' replies came from outside: it stays on
 * its line and within the bounds of one.
 */
#include "common/fmt/dsn.h"

#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/date.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/utf8.h"

#define VALUE_MAX	900u	/* RFC 5322 2.1.1: 998 with the field's name */

void
dsn_clean(struct buf *out, struct str s, bool utf8, size_t max)
{
	size_t		i, n;
	unsigned char	c;

	for (i = 0; i < s.n && i < max; i += n) {
		c = (unsigned char)s.p[i];
		n = utf8 ? utf8_length((struct str){ s.p + i, s.n - i }) : 0;
		if (i + n > max)
			return;
		if (n > 0) {
			buf_add(out, s.p + i, n);
			continue;
		}
		n = 1;
		if (c == '\t')
			buf_addc(out, ' ');
		else
			buf_addc(out, c < ' ' || c >= 127 ? '?' : (char)c);
	}
}

void
dsn_date(struct buf *out, int64_t at)
{
	char	date[DATE_SIZE];

	if (date_format(at, 0, date) == 0)
		buf_adds(out, date);
}

static void
field(struct buf *out, const struct dsn *d, const char *name, const char *type,
    struct str value)
{
	buf_addf(out, "%s: %s", name, type);
	dsn_clean(out, value, d->utf8, VALUE_MAX);
	buf_adds(out, "\r\n");
}

static void
date_field(struct buf *out, const char *name, int64_t at)
{
	if (at == 0)
		return;
	buf_addf(out, "%s: ", name);
	dsn_date(out, at);
	buf_adds(out, "\r\n");
}

/* "5.1.1": a class, and two numbers of one to three digits (RFC 3463 2). */
static bool
status_ok(struct str s)
{
	struct cur		c = cur_from(s);
	unsigned long long	n;

	return (cur_byte(&c, '2') || cur_byte(&c, '4') || cur_byte(&c, '5')) &&
	    cur_byte(&c, '.') && cur_number(&c, 999, &n) && cur_byte(&c, '.') &&
	    cur_number(&c, 999, &n) && cur_done(&c);
}

static struct str
status_of(const struct dsn *d, const struct dsn_rcpt *r)
{
	if (status_ok(r->status))
		return r->status;
	switch (d->kind) {
	case DSN_FAILURE:
		return STR("5.0.0");
	case DSN_DELAY:
		return STR("4.0.0");
	case DSN_SUCCESS:
		break;
	}
	return STR("2.0.0");
}

static void
recipient(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r)
{
	buf_adds(out, "\r\n");
	if (r->orcpt.n > 0) {
		buf_adds(out, "Original-Recipient: ");
		dsn_original(out, d, r->orcpt);
		buf_adds(out, "\r\n");
	}
	buf_adds(out, "Final-Recipient: ");
	dsn_final(out, d, r->addr);
	buf_adds(out, "\r\n");
	field(out, d, "Action", "", str_from(r->action));
	field(out, d, "Status", "", status_of(d, r));
	if (r->remote.n > 0)
		field(out, d, "Remote-MTA", "dns;", r->remote);
	if (r->diagnostic.n > 0)
		field(out, d, "Diagnostic-Code",
		    r->remote.n > 0 ? "smtp;" : "x-posthouse;", r->diagnostic);
	date_field(out, "Last-Attempt-Date", r->last_s);
	date_field(out, "Will-Retry-Until", r->until_s);
}

static void
program_part(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r,
    size_t n)
{
	char	plain[ENVID_MAX * 3 + 1];
	size_t	i, len;

	buf_addf(out, "\r\n--=_%s\r\nContent-Description: Delivery report\r\n"
	    "Content-Type: message/%sdelivery-status\r\n%s\r\n", d->id,
	    d->utf8 ? "global-" : "",
	    d->utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
	if (d->envid.n > 0 && esmtp_xtext_decode(d->envid, plain,
	    sizeof(plain), &len) == 0)
		field(out, d, "Original-Envelope-Id", "",
		    (struct str){ plain, len });
	field(out, d, "Reporting-MTA", "dns;", str_from(d->hostname));
	date_field(out, "Arrival-Date", d->arrival_s);
	field(out, d, "X-Posthouse-Id", "", str_from(d->about));
	for (i = 0; i < n; i++)
		recipient(out, d, &r[i]);
}

static const char *
subject(const struct dsn *d)
{
	switch (d->kind) {
	case DSN_FAILURE:
		if (d->postmaster)
			return "Undelivered mail: it had no sender";
		return "Undelivered mail: returned to you";
	case DSN_DELAY:
		return "Delayed mail: still being tried";
	case DSN_SUCCESS:
		break;
	}
	return "Delivered mail: the report that you asked for";
}

/* Auto-Submitted (RFC 3834) keeps vacation programs from answering. */
static void
frame(struct buf *out, const struct dsn *d, bool eightbit)
{
	buf_addf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\nTo: <",
	    d->hostname);
	dsn_clean(out, d->to, d->utf8, VALUE_MAX);
	buf_addf(out, ">\r\nSubject: %s\r\nDate: ", subject(d));
	dsn_date(out, d->now_s);
	buf_addf(out, "\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=%sdelivery-status;\r\n"
	    "\tboundary=\"=_%s\"\r\n%s\r\n", d->id, d->hostname,
	    d->utf8 ? "global-" : "", d->id,
	    eightbit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

/* RFC 6522 3: the message, or its header alone; RFC 6533 5 names their UTF-8 forms. */
static void
returned(struct buf *out, const struct dsn *d)
{
	const char	*type;

	if (d->full)
		type = d->utf8 ? "message/global" : "message/rfc822";
	else
		type = d->utf8 ? "message/global-headers" :
		    "text/rfc822-headers";
	buf_addf(out, "\r\n--=_%s\r\nContent-Description: %s\r\n"
	    "Content-Type: %s\r\n%s\r\n", d->id, dsn_what(d), type,
	    d->utf8 || d->eightbit ?
	    "Content-Transfer-Encoding: 8bit\r\n" : "");
}

/* The text may hold UTF-8 whatever the form of the report: it has a charset. */
static bool
text_is_utf8(const struct dsn *d, const struct dsn_rcpt *r, size_t n)
{
	size_t	i;

	if (d->utf8 || !utf8_is_ascii(d->subject))
		return true;
	for (i = 0; i < n; i++)
		if (!utf8_is_ascii(r[i].addr) || !utf8_is_ascii(r[i].remote) ||
		    !utf8_is_ascii(r[i].diagnostic) ||
		    !utf8_is_ascii(r[i].history))
			return true;
	return false;
}

bool
dsn_is_eightbit(const struct dsn *d, const struct dsn_rcpt *r, size_t n)
{
	return d->eightbit || text_is_utf8(d, r, n);
}

int
dsn_begin(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r,
    size_t n)
{
	bool	utf8 = text_is_utf8(d, r, n);

	frame(out, d, utf8 || d->eightbit);
	buf_addf(out, "--=_%s\r\nContent-Description: Explanation\r\n"
	    "Content-Type: text/plain; charset=%s\r\n%s\r\n", d->id,
	    utf8 ? "utf-8" : "us-ascii",
	    utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
	dsn_text(out, d, r, n);
	program_part(out, d, r, n);
	returned(out, d);
	return buf_ok(out) ? 0 : -1;
}

int
dsn_end(struct buf *out, const struct dsn *d)
{
	return buf_addf(out, "\r\n--=_%s--\r\n", d->id);
}

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

#define VALUE_MAX	900u	/* RFC 5322 2.1.1: 998 with the field's name */

static bool
is_ascii(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

void
dsn_clean(struct buf *out, struct str s, bool utf8, size_t max)
{
	size_t		i, n = s.n < max ? s.n : max;
	unsigned char	c;

	while (utf8 && n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	for (i = 0; i < n; i++) {
		c = (unsigned char)s.p[i];
		if (c == '\t')
			buf_addc(out, ' ');
		else if (c < ' ' || c == 127 || (c > 127 && !utf8))
			buf_addc(out, '?');
		else
			buf_addc(out, (char)c);
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

/* ORCPT without its xtext (RFC 3461 6.3 wants it as it was before). */
static void
original(struct buf *out, const struct dsn *d, struct str orcpt)
{
	struct cur	c = cur_from(orcpt);
	struct str	type, rest;
	char		plain[ORCPT_MAX + 1];
	size_t		n;

	if (!cur_until(&c, ';', &type))
		return;
	rest = cur_rest(&c);
	if (esmtp_xtext_decode(rest, plain, sizeof(plain), &n) == 0)
		rest = (struct str){ plain, n };
	buf_adds(out, "Original-Recipient: ");
	dsn_clean(out, type, false, 64);
	buf_adds(out, ";");
	dsn_clean(out, rest, d->utf8, VALUE_MAX);
	buf_adds(out, "\r\n");
}

static void
recipient(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r)
{
	buf_adds(out, "\r\n");
	if (r->orcpt.n > 0)
		original(out, d, r->orcpt);
	field(out, d, "Final-Recipient",
	    is_ascii(r->addr) ? "rfc822;" : "utf-8;", r->addr);
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
	field(out, d, "X-Posthouse-Id", "", str_from(d->about));
	date_field(out, "Arrival-Date", d->arrival_s);
	for (i = 0; i < n; i++)
		recipient(out, d, &r[i]);
}

static const char *
subject(enum dsn_kind kind)
{
	switch (kind) {
	case DSN_FAILURE:
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
frame(struct buf *out, const struct dsn *d)
{
	buf_addf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\nTo: <",
	    d->hostname);
	dsn_clean(out, d->to, d->utf8, VALUE_MAX);
	buf_addf(out, ">\r\nSubject: %s\r\nDate: ", subject(d->kind));
	dsn_date(out, d->now_s);
	buf_addf(out, "\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=%sdelivery-status;\r\n"
	    "\tboundary=\"=_%s\"\r\n%s\r\n", d->id, d->hostname,
	    d->utf8 ? "global-" : "", d->id, d->utf8 || d->eightbit ?
	    "Content-Transfer-Encoding: 8bit\r\n" : "");
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
	    "Content-Type: %s\r\n%s\r\n", d->id, d->full ?
	    "Your message" : "The header of your message", type,
	    d->utf8 || d->eightbit ?
	    "Content-Transfer-Encoding: 8bit\r\n" : "");
}

int
dsn_begin(struct buf *out, const struct dsn *d, const struct dsn_rcpt *r,
    size_t n)
{
	frame(out, d);
	buf_addf(out, "--=_%s\r\nContent-Description: Explanation\r\n"
	    "Content-Type: text/plain; charset=%s\r\n%s\r\n", d->id,
	    d->utf8 ? "utf-8" : "us-ascii",
	    d->utf8 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
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

/* common/fmt/postfix.c - queue files of Postfix. Pure; distrusts the file, which may be torn or edited. */
#include "common/fmt/postfix.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/cur.h"

#define JUMPS_MAX	1000000u	/* pointers may lead in circles */
#define FLAG_UTF8	1u

enum part { ENVELOPE, CONTENT, EXTRACTED };

struct reading {
	struct str			 file;
	size_t				 at;
	unsigned			 jumps;
	enum part			 part;
	const struct postfix_ops	*ops;
	void				*arg;
	struct postfix_mail		*mail;
	struct postfix_rcpt		 rcpt;	/* what is known of the next one */
	bool				 has_time, has_sender, ended;
	const char			*why;
};

static bool
wrong(struct reading *r, const char *why)
{
	r->why = why;
	return false;
}

/* The next one as it lies there. */
static bool
record(struct reading *r, char *type, struct str *data)
{
	size_t		n = 0;
	unsigned	shift = 0;
	unsigned char	c;

	if (r->at >= r->file.n)
		return wrong(r, "it ends in the middle");
	*type = r->file.p[r->at++];
	do {
		if (r->at >= r->file.n || shift > 28)
			return wrong(r, "a record's length makes no sense");
		c = (unsigned char)r->file.p[r->at++];
		n |= (size_t)(c & 0x7f) << shift;
		shift += 7;
	} while (c & 0x80);
	if (n > r->file.n - r->at)
		return wrong(r, "a record is longer than the file");
	*data = (struct str){ r->file.p + r->at, n };
	r->at += n;
	return true;
}

/* Numbers stand in fields of fixed width, with blanks in front. */
static bool
field(struct cur *c, unsigned long long *out)
{
	while (cur_byte(c, ' '))
		continue;
	return cur_number(c, INT64_MAX, out);
}

static bool
take_pointer(struct reading *r, struct str data)
{
	struct cur		c = cur_from(data);
	unsigned long long	to;

	if (!field(&c, &to))
		return wrong(r, "a pointer is no number");
	if (to == 0)
		return true;	/* room for one */
	if (to >= r->file.n || r->jumps++ == JUMPS_MAX)
		return wrong(r, "a pointer leads nowhere");
	r->at = (size_t)to;
	return true;
}

static bool
take_size(struct reading *r, struct str data)
{
	struct cur		c = cur_from(data);
	unsigned long long	n;
	unsigned		i;

	/* size, offset, recipients, flags, content; since 3.0 what SMTPUTF8 was asked for */
	for (i = 0; field(&c, &n); i++)
		if (i == 5)
			r->mail->utf8 = (n & FLAG_UTF8) != 0;
	return i >= 1 || wrong(r, "its first record makes no sense");
}

static bool
take_time(struct reading *r, struct str data)
{
	struct cur		c = cur_from(data);
	unsigned long long	s, us = 0;

	if (!field(&c, &s) || s > INT64_MAX / 2000000)
		return wrong(r, "its time is no number");
	if (!field(&c, &us) || us > 999999)
		us = 0;
	r->mail->arrival_us = (int64_t)(s * 1000000 + us);
	r->has_time = true;
	return true;
}

static unsigned
small(struct str s)
{
	struct cur		c = cur_from(s);
	unsigned long long	n;

	return field(&c, &n) && n <= 15 ? (unsigned)n : 0;
}

/* "name=value" */
static void
take_attribute(struct reading *r, struct str data)
{
	struct postfix_mail	*m = r->mail;
	struct cur		 c = cur_from(data);
	struct str		 name, v;
	const struct {
		const char	*name;
		struct str	*to;
	} texts[] = {
		{ "client_address",	&m->client },
		{ "helo_name",		&m->helo },
		{ "protocol_name",	&m->proto },
		{ "sasl_username",	&m->auth },
		{ "envelope_id",	&m->envid },
		{ "dsn_orig_rcpt",	&r->rcpt.orcpt },
	};
	size_t			 i;

	if (!cur_until(&c, '=', &name))
		return;
	v = cur_rest(&c);
	for (i = 0; i < nitems(texts); i++)
		if (str_eq(name, str_from(texts[i].name)))
			*texts[i].to = v;
	if (str_eq(name, STR("notify_flags")))
		r->rcpt.notify = small(v);
	else if (str_eq(name, STR("ret_flags")))
		m->ret = small(v);
	else if (str_eq(name, STR("encoding")))
		m->eightbit = str_eq_nocase(v, STR("8bit"));
}

/* One who is to get it; what stood before him is his. */
static bool
take_rcpt(struct reading *r, struct str addr)
{
	bool	ok;

	r->rcpt.addr = addr;
	r->mail->todo++;
	ok = r->ops->rcpt == NULL || r->ops->rcpt(r->arg, &r->rcpt);
	r->rcpt = (struct postfix_rcpt){ STR(""), STR(""), 0 };
	return ok || wrong(r, "stopped");
}

static bool
in_envelope(struct reading *r, char type, struct str data)
{
	switch (type) {
	case 'C':
		return take_size(r, data);
	case 'T':
		return take_time(r, data);
	case 'S':
		r->mail->sender = data;
		r->has_sender = true;
		return true;
	case 'A':
		take_attribute(r, data);
		return true;
	case 'R':
		return take_rcpt(r, data);
	case 'D':		/* has got it */
	case '/':		/* was taken back */
		r->mail->done += type == 'D';
		r->rcpt = (struct postfix_rcpt){ STR(""), STR(""), 0 };
		return true;
	case 'o':
		r->rcpt.orcpt = data;
		return true;
	case 'n':
		r->rcpt.notify = small(data);
		return true;
	case 'i':
		r->mail->envid = data;
		return true;
	case '<':
		r->mail->ret = small(data);
		return true;
	case 'M':
		if (r->part != ENVELOPE)
			return wrong(r, "the content begins twice");
		r->part = CONTENT;
		return true;
	case 'E':
		if (r->part == ENVELOPE)
			return wrong(r, "it has no content");
		r->ended = true;
		return true;
	}
	/* names, filters, times of warnings, padding: nothing that we need; or of a later version */
	return (type >= 32 && type < 127) || wrong(r, "a record has no type");
}

static bool
in_content(struct reading *r, char type, struct str data)
{
	switch (type) {
	case 'N':
	case 'L':
		return r->ops->text == NULL ||
		    r->ops->text(r->arg, data, type == 'N') ||
		    wrong(r, "stopped");
	case 'X':
		r->part = EXTRACTED;
		return true;
	case 'w':
		return true;
	}
	return wrong(r, "a record in the content makes no sense");
}

bool
postfix_read(struct str file, const struct postfix_ops *ops, void *arg,
    struct postfix_mail *mail, const char **why)
{
	struct reading	r = { .file = file, .ops = ops, .arg = arg,
			    .mail = mail };
	struct str	none = STR(""), data;
	char		type;
	bool		ok = true;

	*mail = (struct postfix_mail){ .sender = none, .client = none,
	    .helo = none, .proto = none, .auth = none, .envid = none };
	r.rcpt.addr = r.rcpt.orcpt = none;
	while (ok && !r.ended && (ok = record(&r, &type, &data))) {
		if (type == 'p')
			ok = take_pointer(&r, data);
		else if (r.part == CONTENT)
			ok = in_content(&r, type, data);
		else
			ok = in_envelope(&r, type, data);
	}
	if (ok && (!r.has_time || !r.has_sender))
		ok = wrong(&r, "it has no time, or no sender");
	*why = r.why;
	return ok;
}

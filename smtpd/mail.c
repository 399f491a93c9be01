/* smtpd/mail.c - MAIL (RFC 5321 4.1.1.2) and its parameters. */
#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/path.h"
#include "smtpd/session.h"

struct mail_params {
	unsigned long long size;
	unsigned	options;	/* ENV_ bits */
	char		envid[ENVID_MAX + 1];
	size_t		envid_len;
	bool		has_size, has_body, has_ret, has_envid;
};

struct bad {
	unsigned	 code;
	const char	*status, *text;
};

static bool
fail(struct bad *b, unsigned code, const char *status, const char *text)
{
	*b = (struct bad){ code, status, text };
	return false;
}

static bool
take_size(struct mail_params *m, const struct esmtp_param *p, struct bad *b)
{
	/* RFC 1870 5: up to 20 digits; more than we can count is too much */
	if (m->has_size || !p->has_value || p->value.n == 0 ||
	    p->value.n > 20)
		return fail(b, 501, "5.5.4", "SIZE: expected a number");
	m->has_size = true;
	if (str_number(p->value, UINT64_MAX, &m->size) == -1) {
		if (errno != ERANGE)
			return fail(b, 501, "5.5.4", "SIZE: expected a number");
		m->size = UINT64_MAX;
	}
	return true;
}

static bool
take_body(struct mail_params *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_body)
		return fail(b, 501, "5.5.4", "BODY: given twice");
	m->has_body = true;
	if (str_eq_nocase(p->value, STR("8BITMIME")))
		m->options |= ENV_8BITMIME;
	else if (!str_eq_nocase(p->value, STR("7BIT")))
		return fail(b, 501, "5.5.4", "BODY: expected 7BIT or 8BITMIME");
	return true;
}

static bool
take_ret(struct mail_params *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_ret)
		return fail(b, 501, "5.5.4", "RET: given twice");
	m->has_ret = true;
	if (str_eq_nocase(p->value, STR("FULL")))
		m->options |= ENV_RET_FULL;
	else if (str_eq_nocase(p->value, STR("HDRS")))
		m->options |= ENV_RET_HDRS;
	else
		return fail(b, 501, "5.5.4", "RET: expected FULL or HDRS");
	return true;
}

static bool
take_envid(struct mail_params *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_envid || p->value.n == 0 || esmtp_xtext_decode(p->value,
	    m->envid, sizeof(m->envid), &m->envid_len) == -1)
		return fail(b, 501, "5.5.4", "ENVID: expected xtext of at most "
		    "100 characters, once");
	m->has_envid = true;
	return true;
}

static bool
take_utf8(struct mail_params *m, const struct esmtp_param *p, struct bad *b)
{
	if (p->has_value || (m->options & ENV_SMTPUTF8))
		return fail(b, 501, "5.5.4", "SMTPUTF8: expected once, without "
		    "a value");
	m->options |= ENV_SMTPUTF8;
	return true;
}

static const struct {
	const char	*key;
	bool		(*take)(struct mail_params *, const struct esmtp_param *,
			    struct bad *);
} params[] = {
	{ "SIZE",	take_size },
	{ "BODY",	take_body },
	{ "SMTPUTF8",	take_utf8 },
	{ "RET",	take_ret },
	{ "ENVID",	take_envid },
};

static bool
take_params(struct cur *in, struct mail_params *m, struct bad *b)
{
	struct esmtp_param	p;
	size_t			i;

	while (esmtp_param(in, &p)) {
		for (i = 0; i < nitems(params); i++)
			if (str_eq_nocase(p.key, str_from(params[i].key)))
				break;
		if (i == nitems(params))
			return fail(b, 555, "5.5.4", "parameter not recognized");
		if (!params[i].take(m, &p, b))
			return false;
	}
	return cur_done(in) ||
	    fail(b, 501, "5.5.4", "malformed parameters");
}

/* Is there room for what it says it will send? (RFC 1870 6.1) */
static bool
has_room(struct session *s, unsigned long long size)
{
	struct statvfs	fs;

	if (fstatvfs(s->d->spool.tmp, &fs) == -1)
		return true;	/* the write will tell */
	return size / (fs.f_frsize == 0 ? 1 : fs.f_frsize) < fs.f_bavail;
}

static bool
check_limits(struct session *s, const struct mail_params *m, struct bad *b)
{
	const struct smtp_settings	*set = &s->set->smtp;

	if (m->has_size && m->size > (unsigned long long)set->message_size)
		return fail(b, 552, "5.3.4", "message is larger than the limit");
	if (m->has_size && !has_room(s, m->size))
		return fail(b, 452, "4.3.1", "insufficient system storage");
	if (!server_rate_ok(s->peer->client, 'm',
	    (unsigned)set->client_message_rate))
		return fail(b, 450, "4.7.1", "too many messages, try again "
		    "later");
	return true;
}

static bool
parse(struct session *s, struct cur *in, struct path *path,
    struct mail_params *m, struct bad *b)
{
	if (!cur_word(in, STR("FROM:")))
		return fail(b, 501, "5.5.4", "expected MAIL FROM:<address>");
	cur_skip_wsp(in);
	if (!path_reverse(in, PATH_UTF8 | PATH_LENIENT, path))
		return fail(b, 501, "5.1.7", "bad sender address syntax");
	if (!take_params(in, m, b))
		return false;
	if (path->utf8 && !(m->options & ENV_SMTPUTF8))
		return fail(b, 553, "5.6.7", "address needs SMTPUTF8");
	return check_limits(s, m, b);
}

enum state
cmd_mail(struct session *s, struct cur *in)
{
	struct mail_params	m = { .size = 0 };
	struct path		path = { .utf8 = false };
	struct bad		b;
	struct buf		text;
	int			r;

	if (!parse(s, in, &path, &m, &b)) {
		reply(s, b.code, b.status, "%s", b.text);
		return S_IDLE;
	}
	buf_init(&text, ADDR_MAX);
	r = path.local.n > 0 ? path_format(&path, &text) : 0;
	if (r == 0)
		r = arena_dup(&s->tx.mem, buf_view(&text), &s->tx.sender);
	if (r == 0)
		r = arena_dup(&s->tx.mem, (struct str){ m.envid, m.envid_len },
		    &s->tx.envid);
	buf_free(&text);
	if (r == -1) {
		log_error("mail why=\"%s\"", strerror(errno));
		reply(s, 451, "4.3.0", "local error in processing");
		return S_IDLE;
	}
	s->tx.options = m.options;
	reply(s, 250, "2.1.0", "sender ok");
	return S_MAIL;
}

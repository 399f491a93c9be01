/* smtpd/args_mail.c - the arguments of MAIL (RFC 5321 4.1.1.2); pure. */
#include <stdint.h>

#include "common/fmt/esmtp.h"
#include "common/store/envelope.h"
#include "smtpd/args.h"

static bool
fail(struct bad *b, unsigned code, const char *text)
{
	*b = (struct bad){ code, "5.5.4", text };
	return false;
}

static bool
take_size(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	unsigned long long	n = 0;
	size_t			i;

	if (m->has_size || p->value.n == 0 || p->value.n > 20)
		return fail(b, 501, "SIZE: expected a number, once");
	/* RFC 1870 5: up to 20 digits; more than we can count is too much */
	for (i = 0; i < p->value.n; i++) {
		if (!is_digit((unsigned char)p->value.p[i]))
			return fail(b, 501, "SIZE: expected a number, once");
		n = n > UINT64_MAX / 10 - 1 ? UINT64_MAX :
		    n * 10 + (unsigned)(p->value.p[i] - '0');
	}
	m->has_size = true;
	m->size = n;
	return true;
}

static bool
take_body(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_body)
		return fail(b, 501, "BODY: given twice");
	m->has_body = true;
	if (str_eq_nocase(p->value, STR("8BITMIME")))
		m->options |= ENV_8BITMIME;
	else if (!str_eq_nocase(p->value, STR("7BIT")))
		return fail(b, 501, "BODY: expected 7BIT or 8BITMIME");
	return true;
}

static bool
take_ret(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_ret)
		return fail(b, 501, "RET: given twice");
	m->has_ret = true;
	if (str_eq_nocase(p->value, STR("FULL")))
		m->options |= ENV_RET_FULL;
	else if (str_eq_nocase(p->value, STR("HDRS")))
		m->options |= ENV_RET_HDRS;
	else
		return fail(b, 501, "RET: expected FULL or HDRS");
	return true;
}

/* RFC 3461 4.4: at most 100 characters, printable ones, before the encoding. */
static bool
take_envid(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	char	plain[ENVID_MAX];
	size_t	i, n = 0;
	bool	ok;

	ok = m->envid.n == 0 && p->value.n > 0 &&
	    esmtp_xtext_decode(p->value, plain, sizeof(plain), &n) == 0;
	for (i = 0; ok && i < n; i++)
		ok = plain[i] >= 32 && plain[i] < 127;
	if (!ok)
		return fail(b, 501, "ENVID: expected xtext of at most 100 "
		    "characters, once");
	m->envid = p->value;
	return true;
}

static bool
take_utf8(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	if (p->has_value || (m->options & ENV_SMTPUTF8))
		return fail(b, 501, "SMTPUTF8: expected once, without a value");
	m->options |= ENV_SMTPUTF8;
	return true;
}

static bool
take_auth(struct mail_args *m, const struct esmtp_param *p, struct bad *b)
{
	if (m->has_auth || !args_auth_sender(p->value))
		return fail(b, 501, "AUTH: expected <> or a mailbox as xtext, "
		    "once");
	m->has_auth = true;
	return true;
}

static const struct {
	const char	*key;
	bool		(*take)(struct mail_args *, const struct esmtp_param *,
			    struct bad *);
} params[] = {
	{ "SIZE",	take_size },
	{ "BODY",	take_body },
	{ "SMTPUTF8",	take_utf8 },
	{ "RET",	take_ret },
	{ "ENVID",	take_envid },
	{ "AUTH",	take_auth },
};

static bool
take_params(struct cur *in, struct mail_args *m, struct bad *b)
{
	struct esmtp_param	p;
	size_t			i;

	while (esmtp_param(in, &p)) {
		for (i = 0; i < nitems(params); i++)
			if (str_eq_nocase(p.key, str_from(params[i].key)))
				break;
		if (i == nitems(params))
			return fail(b, 555, "parameter not recognized");
		if (!params[i].take(m, &p, b))
			return false;
	}
	return cur_done(in) || fail(b, 501, "malformed parameters");
}

bool
args_mail(struct cur *in, struct mail_args *m, struct bad *b)
{
	*m = (struct mail_args){ .envid = STR("") };
	cur_skip_wsp(in);
	if (!cur_word(in, STR("FROM:")))
		return fail(b, 501, "expected MAIL FROM:<address>");
	cur_skip_wsp(in);
	if (!path_reverse(in, PATH_UTF8 | PATH_LENIENT, &m->from)) {
		*b = (struct bad){ 501, "5.1.7", "bad sender address syntax" };
		return false;
	}
	if (!take_params(in, m, b))
		return false;
	if (m->from.utf8 && !(m->options & ENV_SMTPUTF8)) {
		*b = (struct bad){ 553, "5.6.7", "address needs SMTPUTF8" };
		return false;
	}
	return true;
}

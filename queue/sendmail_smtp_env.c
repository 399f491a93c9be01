/*
 * queue/sendmail_smtp_env.c - MAIL and RCPT of sendmail -bs: the envelope, with
 * all that ESMTP may say of it. What the user may not have in it, drop refuses.
 */
#include <string.h>

#include "common/fmt/esmtp.h"
#include "common/fmt/path.h"
#include "common/store/envelope.h"
#include "queue/sendmail_smtp_impl.h"

/* What SMTP allows, and a user of this host without a domain. */
static bool
parse_path(struct cur *in, bool sender, struct path *p)
{
	struct cur	c = *in;

	if (sender ? path_reverse(in, PATH_UTF8 | PATH_LENIENT, p) :
	    path_forward(in, PATH_UTF8 | PATH_LENIENT, p))
		return true;
	if (!cur_byte(&c, '<') || !path_mailbox(&c, PATH_UTF8, true, p) ||
	    !cur_byte(&c, '>'))
		return false;
	*in = c;
	return true;
}

static bool
mail_param(struct smtp *s, const struct esmtp_param *p)
{
	unsigned long long	n;
	char			plain[ENVID_MAX];
	size_t			len;

	if (str_eq_nocase(p->key, STR("SIZE")))
		return str_number(p->value, (unsigned long long)
		    s->m->set->smtp.message_size, &n) == 0;
	if (str_eq_nocase(p->key, STR("BODY")) &&
	    str_eq_nocase(p->value, STR("8BITMIME"))) {
		s->env.options |= ENV_8BITMIME;
		return true;
	}
	if (str_eq_nocase(p->key, STR("BODY")))
		return str_eq_nocase(p->value, STR("7BIT"));
	if (str_eq_nocase(p->key, STR("SMTPUTF8"))) {
		s->env.options |= ENV_SMTPUTF8;
		return !p->has_value;
	}
	if (str_eq_nocase(p->key, STR("RET"))) {
		s->env.options |= str_eq_nocase(p->value, STR("FULL")) ?
		    ENV_RET_FULL : ENV_RET_HDRS;
		return str_eq_nocase(p->value, STR("FULL")) ||
		    str_eq_nocase(p->value, STR("HDRS"));
	}
	return str_eq_nocase(p->key, STR("ENVID")) &&
	    esmtp_xtext_decode(p->value, plain, sizeof(plain), &len) == 0 &&
	    arena_dup(&s->mem, p->value, &s->env.envid) == 0;
}

/* The path as it stands in the line, without brackets and route. */
static int
keep_path(struct smtp *s, const struct path *p, struct str *out)
{
	struct str	text = p->local;

	if (p->domain.n > 0)
		text.n = (size_t)(p->domain.p + p->domain.n - p->local.p);
	if (p->utf8)
		s->env.options |= ENV_SMTPUTF8;
	return arena_dup(&s->mem, text, out);
}

enum state
sendmail_mail(struct smtp *s, struct cur *in)
{
	struct esmtp_param	param;
	struct path		p;

	sendmail_reset(s);
	cur_skip_wsp(in);
	if (!cur_word(in, STR("FROM:")) || (cur_skip_wsp(in), false) ||
	    !parse_path(in, true, &p)) {
		sendmail_reply(s, 501, "5.1.7 expected MAIL FROM:<address>");
		return S_IDLE;
	}
	while (esmtp_param(in, &param))
		if (!mail_param(s, &param)) {
			if (str_eq_nocase(param.key, STR("SIZE")))
				sendmail_reply(s, 552, "5.3.4 message too large");
			else
				sendmail_reply(s, 555, "5.5.4 bad parameter");
			return S_IDLE;
		}
	if (!cur_done(in)) {
		sendmail_reply(s, 501, "5.5.4 malformed parameters");
		return S_IDLE;
	}
	if (keep_path(s, &p, &s->env.sender) == -1) {
		sendmail_reply(s, 451, "4.3.0 out of memory");
		return S_IDLE;
	}
	sendmail_reply(s, 250, "2.1.0 sender ok");
	return S_MAIL;
}

static bool
rcpt_param(struct smtp *s, const struct esmtp_param *p, struct submit_rcpt *r)
{
	if (str_eq_nocase(p->key, STR("NOTIFY")))
		return esmtp_notify(p->value, &r->notify);
	return str_eq_nocase(p->key, STR("ORCPT")) &&
	    p->value.n <= ORCPT_MAX && esmtp_orcpt_ok(p->value, true) &&
	    arena_dup(&s->mem, p->value, &r->orcpt) == 0;
}

enum state
sendmail_rcpt(struct smtp *s, struct cur *in)
{
	struct esmtp_param	param;
	struct submit_rcpt	r = { .orcpt = STR("") };
	struct path		p;

	cur_skip_wsp(in);
	if (!cur_word(in, STR("TO:")) || (cur_skip_wsp(in), false) ||
	    !parse_path(in, false, &p)) {
		sendmail_reply(s, 501, "5.1.3 expected RCPT TO:<address>");
		return s->state;
	}
	while (esmtp_param(in, &param))
		if (!rcpt_param(s, &param, &r)) {
			sendmail_reply(s, 555, "5.5.4 bad parameter");
			return s->state;
		}
	if (!cur_done(in)) {
		sendmail_reply(s, 501, "5.5.4 malformed parameters");
		return s->state;
	}
	if (s->env.nrcpts >= (size_t)s->m->set->smtp.recipients) {
		sendmail_reply(s, 452, "4.5.3 too many recipients");
		return s->state;
	}
	if (keep_path(s, &p, &r.addr) == -1 ||
	    submit_add_rcpt(&s->env, r) == -1) {
		sendmail_reply(s, 451, "4.3.0 out of memory");
		return s->state;
	}
	sendmail_reply(s, 250, "2.1.5 recipient ok");
	return S_RCPT;
}

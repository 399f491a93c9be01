/* smtpd/rcpt.c - RCPT (RFC 5321 4.1.1.3): its parameters (RFC 3461 4), and what route says of it. */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/path.h"
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

struct rcpt_params {
	struct str	orcpt;
	unsigned	notify;
};

/* NULL if they are right; else what is wrong, and the reply's code. */
static const char *
take_params(struct cur *in, bool utf8, struct rcpt_params *r, unsigned *code)
{
	struct esmtp_param	p;

	*code = 501;
	while (esmtp_param(in, &p)) {
		if (str_eq_nocase(p.key, STR("NOTIFY"))) {
			if (r->notify != 0 || !esmtp_notify(p.value, &r->notify))
				return "NOTIFY: expected NEVER, or a list of "
				    "SUCCESS, FAILURE, DELAY, once";
		} else if (str_eq_nocase(p.key, STR("ORCPT"))) {
			if (r->orcpt.n != 0 || p.value.n > ORCPT_MAX ||
			    !esmtp_orcpt_ok(p.value, utf8))
				return "ORCPT: expected type;xtext, once";
			r->orcpt = p.value;
		} else {
			*code = 555;
			return "parameter not recognized";
		}
	}
	return cur_done(in) ? NULL : "malformed parameters";
}

static bool
within_limits(struct session *s)
{
	const struct smtp_settings	*set = &s->set->smtp;

	if (s->tx.nrcpts >= (size_t)set->recipients) {
		reply(s, 452, "4.5.3", "too many recipients");
		return false;
	}
	if (!server_rate_ok(s->peer->client, 'r',
	    (unsigned)set->client_recipient_rate)) {
		reply(s, 450, "4.7.1", "too many recipients, try again later");
		return false;
	}
	return true;
}

static void
log_refused(struct session *s, struct str addr, const struct answer *a)
{
	char	from[LOG_SAFE_MAX], to[LOG_SAFE_MAX], why[LOG_SAFE_MAX];

	log_info("refused code=%u status=%s from=%s to=%s client=%s helo=%s "
	    "why=%s", a->code, a->status,
	    log_safe(from, sizeof(from), s->tx.sender),
	    log_safe(to, sizeof(to), addr), s->client, s->helo,
	    log_safe(why, sizeof(why), str_from(a->text)));
}

static enum state
decide(struct session *s, struct str addr, const struct rcpt_params *params)
{
	struct envelope_rcpt	r = { .addr = addr, .orcpt = params->orcpt,
				    .notify = params->notify,
				    .state = RCPT_WAITING };
	struct answer		a;

	ask_begin(s, "rcpt");
	record_put(&s->d->question, ROUTE_SENDER, s->tx.sender);
	record_put(&s->d->question, ROUTE_RCPT, addr);
	if (!ask(s, &a) || a.code >= 400) {
		log_refused(s, addr, &a);
		reply(s, a.code, a.status, "%s", a.text);
		return s->state;
	}
	r.final = a.final;
	if (tx_add(&s->tx, &r, s->d->lmtp) == -1) {
		log_error("rcpt why=\"%s\"", strerror(errno));
		reply(s, 452, "4.3.0", "no memory for more recipients");
		return s->state;
	}
	reply(s, a.code, a.status, "%s", a.text);
	return S_RCPT;
}

enum state
cmd_rcpt(struct session *s, struct cur *in)
{
	struct rcpt_params	params = { { "", 0 }, 0 };
	struct path		path;
	struct buf		addr;
	const char		*wrong;
	unsigned		code;
	enum state		next = s->state;

	if (!cur_word(in, STR("TO:"))) {
		reply(s, 501, "5.5.4", "expected RCPT TO:<address>");
		return next;
	}
	cur_skip_wsp(in);
	if (!path_forward(in, PATH_UTF8 | PATH_LENIENT, &path)) {
		reply(s, 501, "5.1.3", "bad recipient address syntax");
		return next;
	}
	if ((wrong = take_params(in, s->tx.options & ENV_SMTPUTF8, &params,
	    &code)) != NULL) {
		reply(s, code, "5.5.4", "%s", wrong);
		return next;
	}
	if (path.utf8 && !(s->tx.options & ENV_SMTPUTF8)) {
		reply(s, 553, "5.6.7", "address needs SMTPUTF8");
		return next;
	}
	if (!within_limits(s))
		return next;
	buf_init(&addr, ADDR_MAX);
	if (path_format(&path, &addr) == 0)
		next = decide(s, buf_view(&addr), &params);
	else
		reply(s, 501, "5.1.3", "recipient address is too long");
	buf_free(&addr);
	return next;
}

/* smtpd/rcpt.c - RCPT (RFC 5321 4.1.1.3), and what route says of it. */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

static void
refuse(struct session *s, struct str addr, unsigned code, const char *status,
    const char *text)
{
	char	from[LOG_SAFE_MAX], to[LOG_SAFE_MAX], why[LOG_SAFE_MAX];

	log_info("refused code=%u status=%s from=%s to=%s client=%s helo=%s "
	    "why=%s", code, status,
	    log_safe(from, sizeof(from), s->tx.sender),
	    log_safe(to, sizeof(to), addr), s->client, s->helo,
	    log_safe(why, sizeof(why), str_from(text)));
	reply(s, code, status, "%s", text);
}

/* It was answered if not. */
static bool
within_limits(struct session *s, struct str addr)
{
	const struct smtp_settings	*set = &s->set->smtp;

	if (s->tx.nrcpts >= (size_t)set->recipients) {
		refuse(s, addr, 452, "4.5.3", "too many recipients");
		return false;
	}
	if (!server_rate_ok(s->peer->client, 'r',
	    (unsigned)set->client_recipient_rate)) {
		refuse(s, addr, 450, "4.7.1",
		    "too many recipients, try again later");
		return false;
	}
	return true;
}

static enum state
decide(struct session *s, struct str addr, const struct rcpt_args *args)
{
	struct envelope_rcpt	r = { .addr = addr, .orcpt = args->orcpt,
				    .notify = args->notify,
				    .state = RCPT_WAITING };
	struct answer		a;

	if (!within_limits(s, addr) || !user_take(s, ALLOWANCE_RECIPIENTS))
		return s->state;
	ask_begin(s, "rcpt");
	record_put(&s->d->question, ROUTE_SENDER, s->tx.sender);
	record_put(&s->d->question, ROUTE_RCPT, addr);
	if (!ask(s, &a) || a.code >= 400) {
		if (s->tx.taken[ALLOWANCE_RECIPIENTS] > 0)
			user_give_back(s, ALLOWANCE_RECIPIENTS);
		refuse(s, addr, a.code, a.status, a.text);
		return s->state;
	}
	r.final = a.final;
	/* Where each recipient is answered, each stays (RFC 2033 4.2). */
	if (tx_add(&s->tx, &r, str_from(a.why), s->d->lmtp) == -1) {
		log_error("rcpt why=\"%s\"", strerror(errno));
		reply(s, 452, "4.3.0", "no memory for more recipients");
		return s->state;
	}
	reply(s, a.code, a.status, "%s", a.text);
	data_prepare(s);
	return S_RCPT;
}

enum state
cmd_rcpt(struct session *s, struct cur *in)
{
	struct rcpt_args	args;
	struct bad		b;
	struct buf		addr;
	enum state		next = s->state;

	if (!args_rcpt(in, s->tx.options & ENV_SMTPUTF8, &args, &b)) {
		reply(s, b.code, b.status, "%s", b.text);
		return next;
	}
	buf_init(&addr, ADDR_MAX);
	if (path_format(&args.to, &addr) == 0)
		next = decide(s, buf_view(&addr), &args);
	else
		reply(s, 501, "5.1.3", "recipient address is too long");
	buf_free(&addr);
	return next;
}

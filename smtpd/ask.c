/* smtpd/ask.c - questions to route(8). */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

#define ASK_TIMEOUT	30000	/* ms */

void
ask_begin(struct session *s, const char *verb)
{
	struct buf	*q = &s->d->question;

	buf_reset(q);
	record_puts(q, ROUTE_VERB, verb);
	record_puts(q, ROUTE_SERVICE, s->d->lmtp ? "lmtp" : "smtp");
	if (s->client[0] != '\0')
		record_puts(q, ROUTE_CLIENT, s->client);
}

static bool
take(struct str rec, struct answer *a)
{
	uint64_t	code;

	if (!record_getu(rec, ROUTE_CODE, 599, &code) || code < 200 ||
	    !record_gets(rec, ROUTE_STATUS, a->status, sizeof(a->status)) ||
	    !record_gets(rec, ROUTE_TEXT, a->text, sizeof(a->text)))
		return false;
	a->code = (unsigned)code;
	if (!record_get(rec, ROUTE_FINAL, &a->final))
		a->final = STR("");
	return true;
}

bool
ask(struct session *s, struct answer *a)
{
	struct smtpd	*d = s->d;

	if (!buf_ok(&d->question))
		errno = EMSGSIZE;
	else if (msg_client_call(&d->route, &d->question, NULL, &d->answer,
	    ASK_TIMEOUT) == 0) {
		if (take(buf_view(&d->answer), a))
			return true;
		errno = EPROTO;
	}
	log_error("route why=\"%s\"", strerror(errno));
	*a = (struct answer){ .code = 451, .status = "4.3.0",
	    .text = "recipients cannot be looked up now, try again later" };
	return false;
}

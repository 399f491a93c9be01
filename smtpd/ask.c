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
	if (s->user[0] != '\0')
		record_puts(q, ROUTE_AUTH, s->user);
}

/* The rules, one behind the other. */
static void
take_why(struct str rec, char *out, size_t size)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	size_t		n = 0, len;

	while (n + 4 < size && record_next(&c, &f)) {
		if (f.tag != ROUTE_WHY || memchr(f.value.p, 0, f.value.n) != NULL)
			continue;
		if (n > 0)
			n += strlcpy(out + n, "; ", size - n);
		len = f.value.n < size - n - 1 ? f.value.n : size - n - 1;
		memcpy(out + n, f.value.p, len);
		n += len;
	}
	out[n] = '\0';
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
	take_why(rec, a->why, sizeof(a->why));
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

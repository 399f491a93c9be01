/* smtpd/user.c - what users who have logged in may send: as whom (RFC 6409 6.1), and how much. */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "smtpd/session.h"

#define TEXT_MAX	200

static struct allowance_limits
limits(const struct submission_settings *set)
{
	struct allowance_limits	l = {
		.hour = { (unsigned)set->user_messages,
		    (unsigned)set->user_recipients },
		.day = { (unsigned)set->user_day_messages,
		    (unsigned)set->user_day_recipients }
	};

	return l;
}

static void
refuse(const struct session *s, unsigned code, const char *status,
    struct str sender, const char *why)
{
	char	from[LOG_SAFE_MAX], user[LOG_SAFE_MAX], text[LOG_SAFE_MAX];

	log_info("refused code=%u status=%s from=%s client=%s helo=%s user=%s "
	    "why=%s", code, status, log_safe(from, sizeof(from), sender),
	    s->client, s->helo,
	    log_safe(user, sizeof(user), str_from(s->user)),
	    log_safe(text, sizeof(text), str_from(why)));
}

/* "23 minutes", never less than it is. */
static void
say_wait(int64_t ms, char *out, size_t size)
{
	long long	minutes = (ms + 59999) / 60000;
	bool		hours = minutes > 120;
	long long	n = hours ? (minutes + 59) / 60 : minutes;

	snprintf(out, size, "%lld %s%s", n, hours ? "hour" : "minute",
	    n == 1 ? "" : "s");
}

bool
user_take(struct session *s, enum allowance_what what)
{
	struct allowance_limits	l = limits(&s->set->submission);
	struct allowance_spent	spent;
	char			text[TEXT_MAX], wait[32];
	bool			messages = what == ALLOWANCE_MESSAGES;

	if (s->d->allowance == NULL || s->user[0] == '\0')
		return true;
	if (allowance_take(s->d->allowance, str_from(s->user), what, &l,
	    now_ms(), &spent)) {
		s->tx.taken[what]++;
		return true;
	}
	say_wait(spent.wait_ms, wait, sizeof(wait));
	snprintf(text, sizeof(text), "you have sent %s%u %s within %s, the "
	    "limit; try again in %s", messages ? "" : "to ", spent.limit,
	    messages ? "messages" : "recipients",
	    spent.day ? "a day" : "an hour", wait);
	refuse(s, messages ? 450 : 452, "4.7.1", s->tx.sender, text);
	reply(s, messages ? 450 : 452, "4.7.1", "%s", text);
	return false;
}

void
user_give_back(struct session *s, enum allowance_what what)
{
	s->tx.taken[what]--;
	allowance_give_back(s->d->allowance, str_from(s->user), what);
}

bool
user_owns_sender(struct session *s, struct str sender)
{
	struct answer	a;

	if (s->user[0] == '\0')
		return true;
	ask_begin(s, "sender");
	record_put(&s->d->question, ROUTE_SENDER, sender);
	if (ask(s, &a) && a.code < 400)
		return true;
	refuse(s, a.code, a.status, sender, a.text);
	reply(s, a.code, a.status, "%s", a.text);
	return false;
}

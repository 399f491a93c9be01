/* pop3d/capa.c - what is offered, and in which language. Linked into front and session. */
#include "pop3d/capa.h"

#include <string.h>

#include "common/proc/settings.h"

void
capa_offer(struct talk_offer *o, const struct settings *set,
    const struct mechanism_facts *facts)
{
	*o = (struct talk_offer){ .delay = set->pop3_minimum_delay };
	mechanisms_text(set, facts, o->mechanisms);
	o->password = mechanism_ok(set, facts, MECHANISM_NONE);
	strlcpy(o->expire, set->pop3_expire, sizeof(o->expire));
}

/* RFC 2449, 6.5 and 6.7: nothing that is not so. */
static void
say_policy(struct talk *t)
{
	/* in seconds; a little more than is asked for is no lie */
	if (t->offer.delay > 0)
		talk_row(t, "LOGIN-DELAY %lld", (t->offer.delay + 999) / 1000);
	if (strcmp(t->offer.expire, "never") == 0)
		talk_row(t, "EXPIRE NEVER");
	else
		talk_row(t, "EXPIRE %s", t->offer.expire);
}

void
capa_say(struct talk *t)
{
	talk_ok(t, "capabilities follow");
	if (t->offer.password)
		talk_row(t, "USER");
	if (t->offer.mechanisms[0] != '\0')
		talk_row(t, "SASL %s", t->offer.mechanisms);
	if (t->offer.stls)
		talk_row(t, "STLS");
	talk_row(t, "TOP");
	talk_row(t, "UIDL");
	talk_row(t, "PIPELINING");
	talk_row(t, "RESP-CODES");
	talk_row(t, "AUTH-RESP-CODE");
	say_policy(t);
	talk_row(t, "UTF8 USER");
	talk_row(t, "LANG");
	talk_row(t, "IMPLEMENTATION Posthouse");
	talk_end(t);
}

/*
 * There is one language. RFC 4647, 3.4: what is looked for is made shorter
 * until there is something; RFC 2277, 4.5: what suits everybody.
 */
void
capa_lang(struct talk *t, struct str range)
{
	range = str_trim(range);
	if (range.n == 0) {
		talk_ok(t, "languages follow");
		talk_row(t, "en English");
		talk_row(t, "i-default English");
		talk_end(t);
	} else if (str_eq_nocase(range, STR("i-default")))
		talk_ok(t, "i-default texts are in English");
	else if (str_eq(range, STR("*")) || str_eq_nocase(range, STR("en")) ||
	    str_starts_nocase(range, STR("en-")))
		talk_ok(t, "en texts are in English");
	else
		talk_bad(t, "there are no texts in this language");
}

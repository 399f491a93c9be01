/* pop3d/capa.c - what is offered, and in which language. Linked into front and session. */
#include "pop3d/capa.h"

#include <string.h>

#include "common/proc/settings.h"

/* RFC 2449, 6.5 and 6.7: nothing that is not so. */
static void
say_policy(struct talk *t, const struct settings *set)
{
	/* in seconds; a little more than is asked for is no lie */
	if (set->pop3_minimum_delay > 0)
		talk_row(t, "LOGIN-DELAY %lld",
		    (set->pop3_minimum_delay + 999) / 1000);
	if (strcmp(set->pop3_expire, "never") == 0)
		talk_row(t, "EXPIRE NEVER");
	else
		talk_row(t, "EXPIRE %s", set->pop3_expire);
}

void
capa_say(struct talk *t)
{
	char	names[MECHANISMS_TEXT_SIZE];

	talk_ok(t, "capabilities follow");
	if (mechanism_ok(t->set, &t->facts, MECHANISM_NONE))
		talk_row(t, "USER");
	if (mechanisms_text(t->set, &t->facts, names)[0] != '\0')
		talk_row(t, "SASL %s", names);
	if (t->may_stls)
		talk_row(t, "STLS");
	talk_row(t, "TOP");
	talk_row(t, "UIDL");
	talk_row(t, "PIPELINING");
	talk_row(t, "RESP-CODES");
	talk_row(t, "AUTH-RESP-CODE");
	say_policy(t, t->set);
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

/* common/fmt/ehlo.c - keywords and parameters of a server's offer; pure. */
#include "common/fmt/ehlo.h"

#include <stddef.h>

#include "common/fmt/cur.h"

#define WORD_MAX	512u

static bool
next_word(struct cur *c, struct str *word)
{
	while (cur_skip_wsp(c))
		;
	return cur_span(c, is_vchar, WORD_MAX, word);
}

bool
ehlo_name(struct str text, struct str *name)
{
	struct cur	c = cur_from(text);

	return next_word(&c, name);
}

static void
take_auth(struct ehlo *e, struct cur *c)
{
	static const struct { const char *name; unsigned bit; } known[] = {
		{ "PLAIN", EHLO_PLAIN }, { "LOGIN", EHLO_LOGIN },
		{ "SCRAM-SHA-1", EHLO_SCRAM_SHA1 },
		{ "SCRAM-SHA-256", EHLO_SCRAM_SHA256 },
	};
	struct str	word;
	size_t		i;

	while (next_word(c, &word))
		for (i = 0; i < nitems(known); i++)
			if (str_eq_nocase(word, str_from(known[i].name)))
				e->auth |= known[i].bit;
}

/* The word is "NAME=number", six digits at the most (RFC 9422 3). */
static void
take_limit(struct str word, const char *name, unsigned *out)
{
	struct cur		c = cur_from(word);
	unsigned long long	n;

	if (cur_word(&c, str_from(name)) && cur_byte(&c, '=') &&
	    cur_number(&c, 999999, &n) && cur_done(&c) && n > 0)
		*out = (unsigned)n;
}

static void
take_limits(struct ehlo *e, struct cur *c)
{
	struct str	word;

	while (next_word(c, &word)) {
		take_limit(word, "RCPTMAX", &e->rcpt_max);
		take_limit(word, "MAILMAX", &e->mail_max);
		take_limit(word, "RCPTDOMAINMAX", &e->rcpt_domain_max);
	}
}

static void
take_size(struct ehlo *e, struct cur *c)
{
	unsigned long long	n;
	struct str		word;

	e->size = true;
	/* 20 digits are allowed (RFC 1870 3); what does not fit is no limit */
	if (next_word(c, &word) && str_number(word, INT64_MAX, &n) == 0)
		e->size_max = n;
}

void
ehlo_line(struct ehlo *e, struct str text)
{
	static const struct { const char *name; size_t at; } flags[] = {
		{ "PIPELINING", offsetof(struct ehlo, pipelining) },
		{ "8BITMIME", offsetof(struct ehlo, eightbit) },
		{ "SMTPUTF8", offsetof(struct ehlo, utf8) },
		{ "CHUNKING", offsetof(struct ehlo, chunking) },
		{ "DSN", offsetof(struct ehlo, dsn) },
		{ "STARTTLS", offsetof(struct ehlo, starttls) },
	};
	struct cur	c = cur_from(text);
	struct str	word;
	size_t		i;

	if (!next_word(&c, &word))
		return;
	for (i = 0; i < nitems(flags); i++)
		if (str_eq_nocase(word, str_from(flags[i].name)))
			*(bool *)((char *)e + flags[i].at) = true;
	if (str_eq_nocase(word, STR("SIZE")))
		take_size(e, &c);
	else if (str_eq_nocase(word, STR("AUTH")))
		take_auth(e, &c);
	else if (str_eq_nocase(word, STR("LIMITS")))
		take_limits(e, &c);
	else if (str_starts_nocase(word, STR("AUTH="))) {
		/* as some said before RFC 2554 */
		c.p = word.p + 5;
		take_auth(e, &c);
	}
}

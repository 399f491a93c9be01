/*
 * common/proc/settings_expect.c - the wording of expect lines; route works
 * them out. And what only the whole configuration can show.
 *
 *	expect [client IP] [from ADDRESS] to ADDRESS -> CODE [STATUS]
 *	expect user NAME from ADDRESS -> CODE [STATUS]
 *	expect route ADDRESS -> KIND WORD ...
 */
#include "common/proc/settings_impl.h"

#include <string.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "common/net/addr.h"

static int
wrong(const struct conf_stmt *st, size_t n, const char *expected,
    struct diag *why)
{
	if (n >= st->nwords)
		return diag_at(why, st->file, st->line, st->col,
		    "expect ends too early, expected %s", expected);
	return diag_at(why, st->file, st->line, st->words[n].col,
	    "\"%s\" is out of place in expect, expected %s", st->words[n].text,
	    expected);
}

static bool
address_ok(const char *s)
{
	struct cur	c = cur_from(str_from(s));
	struct path	p;

	return path_mailbox(&c, PATH_UTF8, true, &p) && cur_done(&c);
}

static bool
code_ok(const char *s)
{
	return strlen(s) == 3 && strchr("245", s[0]) != NULL &&
	    is_digit((unsigned char)s[1]) && is_digit((unsigned char)s[2]);
}

static bool
status_ok(const char *s)
{
	struct cur		c = cur_from(str_from(s));
	unsigned long long	n;

	return cur_number(&c, 5, &n) && cur_byte(&c, '.') &&
	    cur_number(&c, 999, &n) && cur_byte(&c, '.') &&
	    cur_number(&c, 999, &n) && cur_done(&c);
}

static bool
word_is(const struct conf_stmt *st, size_t n, const char *word)
{
	return n < st->nwords && strcmp(st->words[n].text, word) == 0;
}

/* From word n on. */
static int
reply_ok(const struct conf_stmt *st, size_t n, struct diag *why)
{
	if (!word_is(st, n, "->"))
		return wrong(st, n, "->", why);
	if (++n >= st->nwords || !code_ok(st->words[n].text))
		return wrong(st, n, "a reply code such as 250 or 550", why);
	if (++n < st->nwords && !status_ok(st->words[n].text))
		return wrong(st, n, "an enhanced status code such as 5.7.1", why);
	if (n + 1 < st->nwords)
		return wrong(st, n + 1, "the end of the line", why);
	return 0;
}

static bool
sender_ok(const struct conf_stmt *st, size_t n)
{
	return n < st->nwords && (word_is(st, n, "<>") ||
	    address_ok(st->words[n].text));
}

static int
login_ok(const struct conf_stmt *st, struct diag *why)
{
	if (st->nwords < 2)
		return wrong(st, 1, "the user's name", why);
	if (!word_is(st, 2, "from"))
		return wrong(st, 2, "from ADDRESS", why);
	if (!sender_ok(st, 3))
		return wrong(st, 3, "the sender's address or <>", why);
	return reply_ok(st, 4, why);
}

static int
transaction_ok(const struct conf_stmt *st, struct diag *why)
{
	struct addr	addr;
	size_t		n = 0;

	if (word_is(st, n, "client")) {
		if (++n >= st->nwords ||
		    addr_parse(str_from(st->words[n++].text), &addr) == -1)
			return wrong(st, 1, "an IP address", why);
	}
	if (word_is(st, n, "from")) {
		if (!sender_ok(st, ++n))
			return wrong(st, n, "the sender's address or <>", why);
		n++;
	}
	if (!word_is(st, n, "to"))
		return wrong(st, n, n == 0 ? "route, user, client, from or to" :
		    "to ADDRESS", why);
	if (++n >= st->nwords || !address_ok(st->words[n].text))
		return wrong(st, n, "the recipient's address", why);
	return reply_ok(st, n + 1, why);
}

static int
route_ok(const struct conf_stmt *st, struct diag *why)
{
	if (st->nwords < 2 || !address_ok(st->words[1].text))
		return wrong(st, 1, "an address", why);
	if (!word_is(st, 2, "->"))
		return wrong(st, 2, "->", why);
	if (!word_is(st, 3, "user") && !word_is(st, 3, "pipe") &&
	    !word_is(st, 3, "file") && !word_is(st, 3, "remote") &&
	    !word_is(st, 3, "unknown"))
		return wrong(st, 3, "user NAME, pipe COMMAND, file PATH, "
		    "remote ADDRESS or unknown", why);
	if (word_is(st, 3, "unknown") ? st->nwords > 4 : st->nwords < 5)
		return wrong(st, 4, word_is(st, 3, "unknown") ?
		    "the end of the line" : "a word after the kind", why);
	return 0;
}

int
setting_expect_ok(const struct conf_stmt *st, struct diag *why)
{
	if (word_is(st, 0, "route"))
		return route_ok(st, why);
	if (word_is(st, 0, "user"))
		return login_ok(st, why);
	return transaction_ok(st, why);
}

static const struct conf_stmt *
statement(const struct settings *s, const char *key)
{
	const struct conf_stmt	*st, *last = NULL;

	TAILQ_FOREACH(st, &s->stmts, link)
		if (strcmp(st->key, key) == 0)
			last = st;
	return last;
}

/* low must not be above high; said at the one that was written. */
static void
check_order(const struct settings *s, const char *low_key, long long low,
    const char *high_key, long long high, struct setting_report *report)
{
	const struct conf_stmt	*st;
	struct diag		 why = { "" };

	if (low <= high)
		return;
	if ((st = statement(s, low_key)) == NULL &&
	    (st = statement(s, high_key)) == NULL)
		return;
	diag_at(&why, st->file, st->line, st->col,
	    "%s is more than %s, expected at most that", low_key, high_key);
	setting_mistake(report, &why);
}

static bool
list_has(const struct setting_list *list, const char *text)
{
	size_t	i;

	for (i = 0; i < list->n; i++)
		if (strcasecmp(list->items[i].text, text) == 0)
			return true;
	return false;
}

/* It may have another spelling: route knows, and judges. */
static bool
is_idna(const char *text)
{
	const char	*p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7f || ((p == text || p[-1] == '.') &&
		    strncasecmp(p, "xn--", 4) == 0))
			return true;
	return false;
}

static void
check_catch_all(const struct settings *s, struct setting_report *report)
{
	const struct setting_item *it;
	struct diag		   why = { "" };
	size_t			   i;

	for (i = 0; i < s->catch_all.n; i++) {
		it = &s->catch_all.items[i];
		if (is_idna(it->text) || list_has(&s->domains, it->text) ||
		    list_has(&s->virtual_domains, it->text))
			continue;
		diag_at(&why, it->file, it->line, 1, "catch-all for %s, which is "
		    "no domain of ours, expected one of domain or "
		    "virtual-domain", it->text);
		setting_mistake(report, &why);
	}
}

/* Two services cannot have one port. */
static void
check_listen(const struct settings *s, struct setting_report *report)
{
	const struct setting_list *lists[] = {
		&s->smtp.in.listen, &s->lmtp.listen, &s->pop3.listen,
		&s->imap.in.listen
	};
	struct setting_list	 seen = { NULL, 0 };
	struct diag		 why = { "" };
	size_t			 i, j;

	for (i = 0; i < nitems(lists); i++)
		for (j = 0; j < lists[i]->n; j++) {
			const struct setting_item *it = &lists[i]->items[j];

			if (list_has(&seen, it->text)) {
				diag_at(&why, it->file, it->line, 1,
				    "%s is listened on already, expected "
				    "another address or port", it->text);
				setting_mistake(report, &why);
			} else if (setting_list_add(&seen, it->text, NULL,
			    it->file, it->line) == -1)
				break;
		}
	setting_list_free(&seen);
}

void
setting_cross_check(const struct settings *s, struct setting_report *report)
{
	check_order(s, "queue.retry-first", s->queue.retry_first,
	    "queue.retry-max", s->queue.retry_max, report);
	check_order(s, "smtp.min-spare", s->smtp.in.min_spare,
	    "smtp.max-connections", s->smtp.in.max_connections, report);
	check_order(s, "lmtp.min-spare", s->lmtp.min_spare,
	    "lmtp.max-connections", s->lmtp.max_connections, report);
	check_order(s, "pop3.min-spare", s->pop3.min_spare,
	    "pop3.max-connections", s->pop3.max_connections, report);
	check_order(s, "imap.min-spare", s->imap.in.min_spare,
	    "imap.max-connections", s->imap.in.max_connections, report);
	check_catch_all(s, report);
	check_listen(s, report);
	setting_token_check(s, report);
	setting_imap_check(s, report);
}

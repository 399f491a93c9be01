/*
 * route/expect.c - tests inside the configuration. Their wording was checked
 * when the settings were read.
 */
#include "route/compile.h"

#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"

/* The next word of a line whose words are one blank apart. */
static struct str
next_word(struct str *rest)
{
	struct str	 word = *rest;
	const char	*blank = NULL;

	if (rest->n > 0)
		blank = memchr(rest->p, ' ', rest->n);
	if (blank != NULL)
		word.n = (size_t)(blank - rest->p);
	rest->p += word.n + (blank != NULL);
	rest->n -= word.n + (blank != NULL);
	return word;
}

static void
got_finals(const struct decision *d, struct buf *out)
{
	static const struct { enum final_kind kind; const char *name; } kinds[] = {
		{ FINAL_USER, "user" }, { FINAL_PIPE, "pipe" },
		{ FINAL_FILE, "file" }, { FINAL_REMOTE, "remote" }
	};
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	struct final	final;
	size_t		i;

	while (record_next(&c, &f) && final_decode(f.value, &final)) {
		for (i = 0; i < nitems(kinds); i++)
			if (kinds[i].kind == final.kind)
				buf_addf(out, " %s", kinds[i].name);
		buf_addf(out, " %.*s", STR_ARG(final.kind == FINAL_USER ?
		    final.user : final.arg));
	}
}

/* What came instead, and why. */
static void
disappoint(struct sources *s, const struct setting_item *it,
    const struct decision *d)
{
	struct buf	text;
	struct cur	c = cur_from(buf_view(&d->why));
	struct field	f;

	buf_init(&text, 65536);
	if (str_starts_nocase(str_from(it->text), STR("route ")) &&
	    d->code == 250)
		got_finals(d, &text);
	else
		buf_addf(&text, " %u %s %s", d->code, d->status, d->text);
	sources_mistake(s, it->file, it->line, 1, "expect %s -> %s failed, it "
	    "is%.*s", it->text, it->more, (int)text.n, text.p);
	while (record_next(&c, &f))
		buf_addf(&s->said, "\t%.*s\n", STR_ARG(f.value));
	buf_free(&text);
}

/* "user bob", "unknown": one of the finals is it. */
static bool
has_final(const struct decision *d, const char *wanted)
{
	struct str	rest = str_from(wanted), kind = next_word(&rest);
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	struct final	final;
	enum final_kind	k = FINAL_USER;

	if (str_eq(kind, STR("unknown")))
		return d->code >= 500;
	if (str_eq(kind, STR("pipe")))
		k = FINAL_PIPE;
	else if (str_eq(kind, STR("file")))
		k = FINAL_FILE;
	else if (str_eq(kind, STR("remote")))
		k = FINAL_REMOTE;
	while (record_next(&c, &f) && final_decode(f.value, &final))
		if (final.kind == k && str_eq_nocase(k == FINAL_USER ?
		    final.user : final.arg, rest))
			return true;
	return false;
}

static bool
has_code(const struct decision *d, const char *wanted)
{
	struct str	rest = str_from(wanted), code = next_word(&rest);
	char		text[16];

	snprintf(text, sizeof(text), "%u", d->code);
	return str_eq(code, str_from(text)) &&
	    (rest.n == 0 || str_eq(rest, str_from(d->status)));
}

/*
 * user NAME from SENDER; or client IP, from SENDER, to RCPT. Without a client it is a stranger: what
 * must be refused is what matters. To a stranger the sender decides nothing yet.
 */
static struct engine_ask
parse_transaction(struct str line)
{
	struct engine_ask	ask = { .verb = ENGINE_RCPT, .has_client = true };
	struct str		word, value;

	while (line.n > 0) {
		word = next_word(&line);
		value = next_word(&line);
		if (str_eq(word, STR("client"))) {
			if (addr_parse(value, &ask.client) == -1)
				ask.client.valid = false;
		} else if (str_eq(word, STR("user"))) {
			ask.verb = ENGINE_SENDER;
			ask.auth = value;
		} else if (str_eq(word, STR("from")))
			ask.sender = str_eq(value, STR("<>")) ? STR("") : value;
		else if (str_eq(word, STR("to")))
			ask.rcpt = value;
	}
	return ask;
}

bool
expect_holds(struct sources *s, struct engine *e, struct decision *d,
    const struct setting_item *it)
{
	struct engine_tables	tables = sources_tables(s);
	struct engine_ask	ask = { .verb = ENGINE_FINAL };
	struct str		line = str_from(it->text);
	bool			is_route, ok;

	is_route = str_starts_nocase(line, STR("route "));
	if (is_route) {
		(void)next_word(&line);
		ask.rcpt = line;
	} else
		ask = parse_transaction(line);
	engine_decide(e, s->site, &tables, &ask, d);
	ok = is_route ? has_final(d, it->more) : has_code(d, it->more);
	if (!ok)
		disappoint(s, it, d);
	return ok;
}

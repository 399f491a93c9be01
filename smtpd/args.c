/* smtpd/args.c - verbs and the arguments of all commands but MAIL; pure. */
#include "smtpd/args.h"

#include <stdint.h>
#include <string.h>

#include "common/fmt/esmtp.h"

#define VERB_MAX	16

static bool
fail(struct bad *b, unsigned code, const char *status, const char *text)
{
	*b = (struct bad){ code, status, text };
	return false;
}

bool
args_verb(struct str line, struct str *verb, struct cur *rest)
{
	/* blanks at the end are forgiven (RFC 5321 4.1.1), at the beginning not */
	while (line.n > 0 && is_wsp((unsigned char)line.p[line.n - 1]))
		line.n--;
	*rest = cur_from(line);
	return cur_span(rest, is_alpha, VERB_MAX, verb) &&
	    (cur_done(rest) || is_wsp((unsigned char)*rest->p));
}

bool
args_helo(struct cur *in, char out[HELO_MAX + 1])
{
	struct str	name;
	size_t		i;

	cur_skip_wsp(in);
	name = cur_rest(in);
	if (name.n == 0 || name.n > HELO_MAX ||
	    memchr(name.p, ' ', name.n) != NULL ||
	    memchr(name.p, '\t', name.n) != NULL)
		return false;
	for (i = 0; i < name.n; i++)
		out[i] = is_alnum((unsigned char)name.p[i]) ||
		    (name.p[i] != '\0' && strchr("-._:[]", name.p[i]) != NULL) ?
		    name.p[i] : '?';
	out[name.n] = '\0';
	return true;
}

/* Parameters of RFC 3461 4.1 and 4.2. */
static bool
rcpt_param(const struct esmtp_param *p, bool utf8, struct rcpt_args *a,
    struct bad *b)
{
	if (str_eq_nocase(p->key, STR("NOTIFY"))) {
		if (a->notify != 0 || !esmtp_notify(p->value, &a->notify))
			return fail(b, 501, "5.5.4", "NOTIFY: expected NEVER, "
			    "or a list of SUCCESS, FAILURE, DELAY, once");
		return true;
	}
	if (str_eq_nocase(p->key, STR("ORCPT"))) {
		if (a->orcpt.n != 0 || p->value.n > ORCPT_MAX ||
		    !esmtp_orcpt_ok(p->value, utf8))
			return fail(b, 501, "5.5.4",
			    "ORCPT: expected type;xtext, once");
		a->orcpt = p->value;
		return true;
	}
	return fail(b, 555, "5.5.4", "parameter not recognized");
}

bool
args_rcpt(struct cur *in, bool utf8, struct rcpt_args *a, struct bad *b)
{
	struct esmtp_param	p;

	*a = (struct rcpt_args){ .orcpt = STR("") };
	cur_skip_wsp(in);
	if (!cur_word(in, STR("TO:")))
		return fail(b, 501, "5.5.4", "expected RCPT TO:<address>");
	cur_skip_wsp(in);
	if (!path_forward(in, PATH_UTF8 | PATH_LENIENT, &a->to))
		return fail(b, 501, "5.1.3", "bad recipient address syntax");
	while (esmtp_param(in, &p))
		if (!rcpt_param(&p, utf8, a, b))
			return false;
	if (!cur_done(in))
		return fail(b, 501, "5.5.4", "malformed parameters");
	if (a->to.utf8 && !utf8)
		return fail(b, 553, "5.6.7", "address needs SMTPUTF8");
	return true;
}

bool
args_bdat(struct cur *in, struct bdat_args *a)
{
	*a = (struct bdat_args){ 0, false };
	if (!cur_skip_wsp(in) || !cur_number(in, INT64_MAX, &a->size))
		return false;
	if (cur_done(in))
		return true;
	if (!cur_skip_wsp(in))
		return false;
	a->last = cur_word(in, STR("LAST"));
	return a->last && cur_done(in);
}

bool
args_vrfy(struct cur *in, struct path *path, struct bad *b)
{
	bool	brackets, utf8 = false;

	cur_skip_wsp(in);
	if (cur_done(in))
		return fail(b, 501, "5.5.4",
		    "expected an address or a user name");
	brackets = cur_byte(in, '<');
	if (!path_mailbox(in, PATH_UTF8, true, path) ||
	    (brackets && !cur_byte(in, '>')))
		return fail(b, 501, "5.1.3", "bad address syntax");
	/* RFC 6531 3.7.4.2 */
	if (cur_skip_wsp(in))
		utf8 = cur_word(in, STR("SMTPUTF8"));
	if (!cur_done(in))
		return fail(b, 501, "5.1.3", "bad address syntax");
	if (path->utf8 && !utf8)
		return fail(b, 553, "5.6.7", "address needs SMTPUTF8");
	return true;
}

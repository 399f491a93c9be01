/* imapd/front_command.c - the words of a client that has not logged in; pure. */
#include "imapd/front_command.h"

#include "common/base/attr.h"
#include "common/fmt/cur.h"
#include "common/fmt/imap.h"
#include "common/proc/proto_auth.h"

static bool
nothing(struct cur *in, struct arena *a, struct front_command *c)
{
	(void)in, (void)a, (void)c;
	return true;
}

/* Whatever follows: it is not for us. */
static bool
anything(struct cur *in, struct arena *a, struct front_command *c)
{
	(void)a, (void)c;
	in->p = in->end;
	return true;
}

static bool
login(struct cur *in, struct arena *a, struct front_command *c)
{
	return imap_sp(in) && imap_astring(in, a, &c->user) && imap_sp(in) &&
	    imap_astring(in, a, &c->pass);
}

static bool
is_initial(unsigned char b)
{
	return is_alnum(b) || b == '+' || b == '/' || b == '=';
}

/* RFC 4959, 3. That it is base64 is seen when it is decoded. */
static bool
authenticate(struct cur *in, struct arena *a, struct front_command *c)
{
	(void)a;
	if (!imap_sp(in) || !imap_atom(in, &c->mechanism) ||
	    c->mechanism.n > AUTH_MECHANISM_MAX)
		return false;
	c->has_initial = imap_sp(in);
	return !c->has_initial ||
	    cur_span(in, is_initial, cur_left(in), &c->initial);
}

static bool
identify(struct cur *in, struct arena *a, struct front_command *c)
{
	if (!imap_sp(in))
		return false;
	c->list = cur_rest(in);
	return anything(in, a, c);
}

static const struct {
	const char	*name;
	enum front_verb	 verb;
	bool		(*args)(struct cur *, struct arena *,
			    struct front_command *);
} verbs[] = {
	{ "CAPABILITY", FRONT_CAPABILITY, nothing },
	{ "NOOP", FRONT_NOOP, nothing },
	{ "LOGOUT", FRONT_LOGOUT, nothing },
	{ "ID", FRONT_ID, identify },
	{ "STARTTLS", FRONT_STARTTLS, nothing },
	{ "AUTHENTICATE", FRONT_AUTHENTICATE, authenticate },
	{ "LOGIN", FRONT_LOGIN, login },
	{ "SELECT", FRONT_LATER, anything },
	{ "EXAMINE", FRONT_LATER, anything },
	{ "CREATE", FRONT_LATER, anything },
	{ "DELETE", FRONT_LATER, anything },
	{ "RENAME", FRONT_LATER, anything },
	{ "SUBSCRIBE", FRONT_LATER, anything },
	{ "UNSUBSCRIBE", FRONT_LATER, anything },
	{ "LIST", FRONT_LATER, anything },
	{ "LSUB", FRONT_LATER, anything },
	{ "NAMESPACE", FRONT_LATER, anything },
	{ "STATUS", FRONT_LATER, anything },
	{ "APPEND", FRONT_LATER, anything },
	{ "ENABLE", FRONT_LATER, anything },
	{ "IDLE", FRONT_LATER, anything },
	{ "COMPRESS", FRONT_LATER, anything },
};

enum front_parsed
front_parse(struct str text, struct arena *a, struct front_command *out)
{
	struct cur	in = cur_from(text);
	struct str	name;
	size_t		i;

	*out = (struct front_command){ .tag = STR("*") };
	if (!imap_tag(&in, &out->tag))
		return FRONT_NO_TAG;
	if (!imap_sp(&in) || !imap_atom(&in, &name))
		return FRONT_UNKNOWN;
	for (i = 0; i < nitems(verbs); i++)
		if (str_eq_nocase(name, str_from(verbs[i].name))) {
			out->verb = verbs[i].verb;
			return verbs[i].args(&in, a, out) && cur_done(&in) ?
			    FRONT_PARSED : FRONT_SYNTAX;
		}
	return FRONT_UNKNOWN;
}

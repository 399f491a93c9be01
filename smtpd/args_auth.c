/* smtpd/args_auth.c - the words of AUTH (RFC 4954 4, 5); pure. */
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/esmtp.h"
#include "smtpd/args.h"

/* RFC 4422 3.1 */
static bool
is_mechanism(unsigned char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

bool
args_auth(struct cur *in, struct auth_args *a)
{
	*a = (struct auth_args){ .mechanism = STR("") };
	if (!cur_skip_wsp(in) ||
	    !cur_span(in, is_mechanism, AUTH_MECHANISM_MAX, &a->mechanism))
		return false;
	a->has_initial = cur_skip_wsp(in);
	a->initial = cur_rest(in);
	return cur_done(in) || (a->has_initial &&
	    memchr(a->initial.p, ' ', a->initial.n) == NULL &&
	    memchr(a->initial.p, '\t', a->initial.n) == NULL);
}

bool
args_auth_decode(struct str text, bool initial, struct buf *out)
{
	/* an empty one, where nothing would mean that there is none */
	if (initial && str_eq(text, STR("=")))
		return true;
	return (!initial || text.n > 0) && base64_decode(out, text) == 0;
}

/* "<>" or a mailbox, as xtext (RFC 4954 5). */
bool
args_auth_sender(struct str value)
{
	char		plain[ADDR_MAX];
	struct cur	c;
	struct path	path;
	size_t		n;

	if (esmtp_xtext_decode(value, plain, sizeof(plain), &n) == -1)
		return false;
	if (n == 2 && memcmp(plain, "<>", 2) == 0)
		return true;
	c = cur_from((struct str){ plain, n });
	return path_mailbox(&c, PATH_UTF8, false, &path) && cur_done(&c);
}

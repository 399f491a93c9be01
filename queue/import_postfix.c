/* queue/import_postfix.c - a queue file of Postfix as a message of ours. Distrusts it. */
#include <string.h>

#include "common/fmt/postfix.h"
#include "queue/import.h"

/* "rfc822;address": the address becomes xtext. */
static struct str
original(struct import *im, struct str orcpt)
{
	const char	*semicolon = memchr(orcpt.p, ';', orcpt.n);
	struct str	 rest, out = STR("");
	struct buf	 b;
	size_t		 n;

	if (semicolon == NULL)
		return out;
	n = (size_t)(semicolon - orcpt.p) + 1;
	rest = (struct str){ orcpt.p + n, orcpt.n - n };
	buf_init(&b, 1024);
	buf_add(&b, orcpt.p, n);
	buf_addstr(&b, import_xtext(im, rest));
	if (!buf_ok(&b) || arena_dup(&im->mem, buf_view(&b), &out) == -1)
		out = STR("");
	buf_free(&b);
	return out;
}

static bool
take_rcpt(void *arg, const struct postfix_rcpt *r)
{
	struct import	*im = arg;

	return import_rcpt(im, r->addr, original(im, r->orcpt), r->notify);
}

/* Lines come one by one, long ones in pieces. */
static bool
take_text(void *arg, struct str piece, bool end)
{
	struct import	*im = arg;

	return import_lines(im, piece) &&
	    (!end || import_lines(im, STR("\n")));
}

bool
import_postfix(struct import *im)
{
	static const struct postfix_ops	ops = { take_rcpt, take_text };
	struct envelope			*env = &im->env;
	struct postfix_mail		 m;
	const char			*why = NULL;

	if (!postfix_read(buf_view(&im->files[0]), &ops, im, &m, &why)) {
		if (im->why.text[0] == '\0')
			diag_set(&im->why, "%s", why);
		return false;
	}
	env->arrival_ms = m.arrival_us / 1000;
	env->client = m.client;
	env->helo = m.helo;
	env->proto = m.proto;
	env->auth = m.auth;
	env->envid = import_xtext(im, m.envid);
	if (m.ret != 0)
		env->options |= m.ret == 2 ? ENV_RET_HDRS : ENV_RET_FULL;
	if (m.utf8)
		env->options |= ENV_SMTPUTF8;
	return import_sender(im, m.sender);
}

/* deliver/remote_job.c - the records of queue; pure. */
#include "deliver/remote_job.h"

#include <string.h>

#include "common/fmt/record.h"

#define ADDRESS_MAX	1024u

bool
is_ascii(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

/* Goes into a command line: nothing that could end it or begin a parameter. */
static bool
is_safe(struct str s, bool blanks)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127 ||
		    (s.p[i] == ' ' && !blanks))
			return false;
	return s.n <= ADDRESS_MAX;
}

/* A blank or a bracket outside of quotes would end the path and begin a parameter. */
static bool
is_address(struct str s)
{
	size_t	i;
	bool	quoted = false;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\')
			i++;
		else if (!quoted && (s.p[i] == ' ' || s.p[i] == '<' ||
		    s.p[i] == '>'))
			return false;
	return !quoted && is_safe(s, true);
}

static bool
get_word(struct str rec, char tag, struct str *out)
{
	*out = (struct str){ "", 0 };
	return !record_get(rec, tag, out) || is_safe(*out, false);
}

static bool
target_parse(struct str rec, struct target *t)
{
	struct str	addr;
	uint64_t	port = 0, pref = 0;

	*t = (struct target){ .path = { "", 0 } };
	if (!record_get(rec, TARGET_ADDR, &addr) ||
	    (record_get(rec, TARGET_HOST, &t->path) &&
	    (!is_safe(t->path, false) ||
	    str_copy(t->host, sizeof(t->host), t->path) == -1)) ||
	    (record_get(rec, TARGET_PREF, &t->path) &&
	    !record_getu(rec, TARGET_PREF, UINT32_MAX, &pref)))
		return false;
	t->path = (struct str){ "", 0 };
	t->pref = (unsigned)pref;
	if (addr.n > 0 && addr.p[0] == '/') {
		t->path = addr;
		return is_safe(addr, true);
	}
	if (addr_parse(addr, &t->addr) == -1 ||
	    !record_getu(rec, TARGET_PORT, 65535, &port) || port == 0)
		return false;
	t->addr.port = (uint16_t)port;
	return true;
}

static bool
tls_parse(struct str rec, enum hop_tls *out)
{
	static const char *const names[] = {
		[TLS_OFF] = "off", [TLS_OPPORTUNISTIC] = "opportunistic",
		[TLS_REQUIRED] = "required", [TLS_PROVEN] = "verified",
		[TLS_IMPLICIT] = "implicit"
	};
	struct str	s;
	size_t		i;

	*out = TLS_OPPORTUNISTIC;
	if (!record_get(rec, HOP_TLS, &s))
		return true;
	for (i = 0; i < nitems(names); i++)
		if (str_eq(s, str_from(names[i]))) {
			*out = (enum hop_tls)i;
			return true;
		}
	return false;	/* a level that is not known must not be less safe */
}

static bool
source_parse(struct str s, struct hop *h)
{
	struct addr	a;

	if (addr_parse(s, &a) == -1)
		return false;
	*(addr_is_v4(&a) ? &h->source4 : &h->source6) = a;
	return true;
}

static bool
hop_parse(struct str rec, struct hop *h)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	protocol;

	h->ntargets = 0;
	h->source4.valid = h->source6.valid = false;
	/* a name for people, with blanks; "" is one, too */
	h->key = (struct str){ "", 0 };
	if ((record_get(rec, HOP_KEY, &h->key) && !is_safe(h->key, true)) ||
	    !tls_parse(rec, &h->tls))
		return false;
	h->lmtp = record_get(rec, HOP_PROTOCOL, &protocol) &&
	    str_eq(protocol, STR("lmtp"));
	while (record_next(&c, &f)) {
		if (f.tag == HOP_SOURCE && !source_parse(f.value, h))
			return false;
		if (f.tag == HOP_TARGET && (h->ntargets == HOP_TARGETS ||
		    !target_parse(f.value, &h->targets[h->ntargets++])))
			return false;
	}
	return cur_done(&c) && h->ntargets > 0;
}

static bool
rcpt_parse(struct str rec, struct job_rcpt *r)
{
	uint64_t	n;

	*r = (struct job_rcpt){ .settled = false };
	if (!record_getu(rec, RCPT_NUMBER, UINT32_MAX, &n) ||
	    !record_get(rec, RCPT_ADDR, &r->addr) || r->addr.n == 0 ||
	    !is_address(r->addr) || !get_word(rec, RCPT_ORCPT, &r->orcpt) ||
	    !get_word(rec, RCPT_NOTIFY, &r->notify))
		return false;
	r->number = (unsigned)n;
	return true;
}

static bool
rcpts_parse(struct str rec, struct job *j)
{
	struct cur	c = cur_from(rec);
	struct field	f;

	j->nrcpts = j->nsettled = 0;
	while (record_next(&c, &f))
		if (f.tag == REMOTE_RCPT && (j->nrcpts == REMOTE_RCPTS ||
		    !rcpt_parse(f.value, &j->rcpts[j->nrcpts++])))
			return false;
	return cur_done(&c) && j->nrcpts > 0;
}

bool
job_parse(struct str rec, struct job *j)
{
	struct str	verb, hop;
	uint64_t	at, len;

	if (!record_get(rec, REMOTE_VERB, &verb) ||
	    !str_eq(verb, STR("deliver")) ||
	    !record_gets(rec, REMOTE_ID, j->id, sizeof(j->id)) ||
	    !record_getu(rec, REMOTE_OFFSET, INT64_MAX / 2, &at) ||
	    !record_getu(rec, REMOTE_LENGTH, INT64_MAX / 2, &len) ||
	    !record_get(rec, REMOTE_SENDER, &j->sender) ||
	    !is_address(j->sender) ||
	    !get_word(rec, REMOTE_BODY, &j->body) ||
	    !get_word(rec, REMOTE_RET, &j->ret) ||
	    !get_word(rec, REMOTE_ENVID, &j->envid) ||
	    !record_get(rec, REMOTE_HOP, &hop))
		return false;
	j->no_bdat = false;
	j->at = (off_t)at;
	j->len = (off_t)len;
	j->utf8 = record_get(rec, REMOTE_UTF8, &verb);
	return hop_parse(hop, &j->hop) && rcpts_parse(rec, j);
}

/*
 * common/store/envelope.c - the head of a spool file as text, spool(5). Pure
 * but for the recipients' array. The text may come from a program that was
 * taken over (smtpd writes most of them): every field is checked.
 */
#include "common/store/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"

#define VALUE_MAX	2048u	/* longest address or name that makes sense */
#define FINAL_MAX	8192u	/* an encoded final may hold a command line */
#define NOTIFY_ALL	15u

static const struct { unsigned bit; const char *word; } options[] = {
	{ ENV_8BITMIME,	"8BITMIME" },
	{ ENV_SMTPUTF8,	"SMTPUTF8" },
	{ ENV_RET_HDRS,	"RET=HDRS" },
	{ ENV_RET_FULL,	"RET=FULL" },
};

/* No control characters: these values go to headers, logs and other hosts. */
static bool
is_clean(struct str s)
{
	size_t	i;

	if (s.n > VALUE_MAX)
		return false;
	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool
final_ok(struct str s)
{
	struct final	f;

	/* Its address goes into a header field. */
	return s.n == 0 || (s.n <= FINAL_MAX && final_decode(s, &f) &&
	    is_clean(f.user) && is_clean(f.ext) && is_clean(f.addr));
}

bool
envelope_rcpt_waits(const struct envelope_rcpt *r)
{
	return r->state == RCPT_WAITING || r->state == RCPT_LATE;
}

static bool
state_ok(char c)
{
	return c == RCPT_WAITING || c == RCPT_LATE || c == RCPT_DELIVERED ||
	    c == RCPT_FAILED || c == RCPT_TOLD || c == RCPT_EXPANDED;
}

static bool
rcpt_ok(const struct envelope_rcpt *r)
{
	return r->addr.n > 0 && is_clean(r->addr) && is_clean(r->orcpt) &&
	    r->notify <= NOTIFY_ALL && final_ok(r->final) && state_ok(r->state);
}

static bool
head_ok(const struct envelope *env)
{
	struct id	id;

	return id_parse(str_from(env->id), &id) && env->arrival_ms >= 0 &&
	    is_clean(env->origin) && is_clean(env->client) &&
	    is_clean(env->helo) && is_clean(env->proto) &&
	    is_clean(env->auth) && is_clean(env->sender) &&
	    is_clean(env->envid) && env->nrcpts > 0 &&
	    env->nrcpts <= ENVELOPE_RCPTS;
}

static void
put_text(struct buf *b, char tag, struct str s)
{
	if (s.n > 0)
		record_put(b, tag, s);
}

static void
put_options(struct buf *b, unsigned bits)
{
	char	text[64];
	size_t	i, n = 0, len;

	for (i = 0; i < nitems(options); i++) {
		if (!(bits & options[i].bit))
			continue;
		if (n > 0)
			text[n++] = ' ';
		len = strlen(options[i].word);
		memcpy(text + n, options[i].word, len);
		n += len;
	}
	if (n > 0)
		record_put(b, 'O', (struct str){ text, n });
}

static void
put_rcpt(struct buf *b, struct envelope_rcpt *r)
{
	record_put(b, 'r', r->addr);
	put_text(b, 'o', r->orcpt);
	if (r->notify != 0)
		record_putu(b, 'n', r->notify);
	put_text(b, 'f', r->final);
	record_put(b, 's', (struct str){ &r->state, 1 });
	r->state_at = (off_t)b->n - 3;	/* before ",\n" */
}

int
envelope_encode(struct buf *b, struct envelope *env)
{
	size_t	i;

	if (!head_ok(env))
		goto invalid;
	record_puts(b, 'V', "1");
	record_puts(b, 'I', env->id);
	record_putu(b, 'T', (uint64_t)env->arrival_ms);
	put_text(b, 'K', env->origin);
	put_text(b, 'C', env->client);
	put_text(b, 'H', env->helo);
	put_text(b, 'P', env->proto);
	put_text(b, 'A', env->auth);
	record_put(b, 'S', env->sender);
	put_text(b, 'E', env->envid);
	put_options(b, env->options);
	for (i = 0; i < env->nrcpts; i++) {
		if (!rcpt_ok(&env->rcpts[i]))
			goto invalid;
		put_rcpt(b, &env->rcpts[i]);
	}
	buf_addc(b, '\n');
	if (buf_ok(b))
		return 0;
	errno = b->n >= b->max ? EMSGSIZE : ENOMEM;
	return -1;
invalid:
	errno = EINVAL;
	return -1;
}

/* Parsing: the state of one run over the text. */
struct parse {
	struct envelope		*env;
	struct envelope_rcpt	*r;	/* the recipient that fields belong to, or NULL */
	const char		*base;
	size_t			 cap;
	unsigned long		 seen;	/* bit per upper-case tag */
	const char		*what;	/* is wrong; NULL: ENOMEM */
};

static bool
parse_options(struct str text, unsigned *bits)
{
	struct cur	c = cur_from(text);
	struct str	word;
	size_t		i;

	while (!cur_done(&c)) {
		if (!cur_span(&c, is_vchar, text.n, &word))
			return false;
		/* What is not known is of a later version. */
		for (i = 0; i < nitems(options); i++)
			if (str_eq_nocase(word, str_from(options[i].word)))
				*bits |= options[i].bit;
		if (!cur_done(&c) && !cur_byte(&c, ' '))
			return false;
	}
	return true;
}

static bool
text_field(struct parse *p, struct str value, struct str *to)
{
	*to = value;
	p->what = "control character or too long";
	return is_clean(value);
}

/* A field of the message itself; false: p->what says why. */
static bool
head_field(struct parse *p, const struct field *f)
{
	struct envelope		*env = p->env;
	struct id		 id;
	unsigned long long	 n;

	switch (f->tag) {
	case 'V':
		p->what = "version is not 1";
		return str_eq(f->value, STR("1"));
	case 'I':
		p->what = "no message id";
		return id_parse(f->value, &id) &&
		    str_copy(env->id, sizeof(env->id), f->value) == 0;
	case 'T':
		p->what = "arrival time is no number";
		if (str_number(f->value, INT64_MAX, &n) == -1)
			return false;
		env->arrival_ms = (int64_t)n;
		return true;
	case 'K':
		return text_field(p, f->value, &env->origin);
	case 'C':
		return text_field(p, f->value, &env->client);
	case 'H':
		return text_field(p, f->value, &env->helo);
	case 'P':
		return text_field(p, f->value, &env->proto);
	case 'A':
		return text_field(p, f->value, &env->auth);
	case 'S':
		return text_field(p, f->value, &env->sender);
	case 'E':
		return text_field(p, f->value, &env->envid);
	case 'O':
		p->what = "malformed options";
		return parse_options(f->value, &env->options);
	}
	return true;
}

static bool
rcpt_begin(struct parse *p, struct str addr)
{
	struct envelope		*env = p->env;
	struct envelope_rcpt	*more;
	size_t			 cap;

	if (p->r != NULL && p->r->state == 0) {
		p->what = "recipient without state";
		return false;
	}
	if (env->nrcpts == p->cap) {
		cap = p->cap == 0 ? 1 : p->cap * 2;
		if ((more = reallocarray(env->rcpts, cap, sizeof(*more))) == NULL) {
			p->what = NULL;
			return false;
		}
		env->rcpts = more;
		p->cap = cap;
	}
	p->what = "recipient empty, unclean or one too many";
	if (addr.n == 0 || !is_clean(addr) || env->nrcpts == ENVELOPE_RCPTS)
		return false;
	p->r = &env->rcpts[env->nrcpts++];
	memset(p->r, 0, sizeof(*p->r));
	p->r->addr = addr;
	return true;
}

static bool
rcpt_field(struct parse *p, const struct field *f)
{
	struct envelope_rcpt	*r = p->r;
	unsigned long long	 n;

	if (f->tag == 'r')
		return rcpt_begin(p, f->value);
	p->what = "field of a recipient before the first one";
	if (r == NULL)
		return false;
	switch (f->tag) {
	case 'o':
		return text_field(p, f->value, &r->orcpt);
	case 'n':
		p->what = "NOTIFY is no number up to 15";
		if (str_number(f->value, NOTIFY_ALL, &n) == -1)
			return false;
		r->notify = (unsigned)n;
		return true;
	case 'f':
		p->what = "malformed final recipient";
		r->final = f->value;
		return final_ok(f->value);
	case 's':
		p->what = "state is none of w l d f t x, or stands twice";
		if (f->value.n != 1 || !state_ok(f->value.p[0]) || r->state != 0)
			return false;
		r->state = f->value.p[0];
		r->state_at = f->value.p - p->base;
		return true;
	}
	return true;
}

static bool
any_field(struct parse *p, const struct field *f)
{
	unsigned long	bit;

	if (f->tag >= 'a' && f->tag <= 'z')
		return rcpt_field(p, f);
	bit = 1UL << (f->tag - 'A');
	p->what = p->seen == 0 ? "does not begin with the version" :
	    "field stands twice";
	if ((p->seen == 0 && f->tag != 'V') || (p->seen & bit) != 0)
		return false;
	p->what = "field of the message after a recipient";
	if (p->r != NULL)
		return false;
	p->seen |= bit;
	return head_field(p, f);
}

#define SEEN(c)	(1UL << ((c) - 'A'))

static bool
whole(struct parse *p)
{
	unsigned long	need = SEEN('V') | SEEN('I') | SEEN('T') | SEEN('S');

	p->what = "version, id, arrival time or sender is missing";
	if ((p->seen & need) != need)
		return false;
	p->what = "no recipient, or the last one has no state";
	return p->r != NULL && p->r->state != 0;
}

int
envelope_parse(struct str text, struct envelope *env, struct diag *why)
{
	struct cur	c = cur_from(text);
	struct field	f;
	struct parse	p = { .env = env, .base = text.p };
	const char	*at = c.p;
	bool		ok = true;

	memset(env, 0, sizeof(*env));
	while (ok && cur_peek(&c) != '\n') {
		at = c.p;
		p.what = "no field";
		ok = record_next(&c, &f) && any_field(&p, &f);
	}
	if (ok) {
		at = c.p;
		ok = whole(&p);
	}
	if (ok) {
		env->content_at = c.p + 1 - text.p;
		return 0;
	}
	free(env->rcpts);
	env->rcpts = NULL;
	env->nrcpts = 0;
	errno = p.what == NULL ? ENOMEM : EBADMSG;
	return diag_set(why, "envelope, offset %zu: %s", (size_t)(at - text.p),
	    p.what == NULL ? "out of memory" : p.what);
}

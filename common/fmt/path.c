/* common/fmt/path.c - paths and mailboxes (RFC 5321 4.1.2); pure. */
#include "common/fmt/path.h"

#include <errno.h>
#include <string.h>

#include "common/fmt/utf8.h"

#define LABEL_MAX	63	/* RFC 1035 2.3.4 */

static bool
skip_utf8(struct cur *c, unsigned flags, bool *utf8)
{
	size_t	n;

	if (!(flags & PATH_UTF8) || (n = utf8_length(cur_rest(c))) == 0)
		return false;
	c->p += n;
	*utf8 = true;
	return true;
}

/* Dot-string: atoms with single dots between them. */
static bool
dot_string(struct cur *c, unsigned flags, bool *utf8)
{
	const char	*atom;

	do {
		atom = c->p;
		while ((!cur_done(c) && is_atext((unsigned char)*c->p) &&
		    c->p++) || skip_utf8(c, flags, utf8))
			;
		if (c->p == atom)
			return false;
	} while (cur_byte(c, '.'));
	return true;
}

/* Quoted-string of RFC 5321: qtextSMTP is 32-126 without " and \ */
static bool
quoted_string(struct cur *c, unsigned flags, bool *utf8)
{
	unsigned char	b;

	if (!cur_byte(c, '"'))
		return false;
	while (!cur_done(c) && *c->p != '"') {
		if (skip_utf8(c, flags, utf8))
			continue;
		b = (unsigned char)*c->p++;
		if (b == '\\') {
			if (cur_done(c))
				return false;
			b = (unsigned char)*c->p++;
		}
		if (b < 32 || b > 126)
			return false;
	}
	return cur_byte(c, '"');
}

static bool
local_parse(struct cur *in, unsigned flags, struct path *out)
{
	struct cur	c = *in;
	char		plain[LOCAL_MAX + 1];

	if (cur_peek(&c) == '"' ? !quoted_string(&c, flags, &out->utf8) :
	    !dot_string(&c, flags, &out->utf8))
		return false;
	out->local.p = in->p;
	out->local.n = (size_t)(c.p - in->p);
	/* the limit of 4.5.3.1.1 is on what is meant, not on its quotes */
	if (path_local_plain(out->local, plain, sizeof(plain)) == -1)
		return false;
	*in = c;
	return true;
}

static bool
label(struct cur *c, unsigned flags, bool *utf8)
{
	const char	*from = c->p;

	while (!cur_done(c) && (is_alnum((unsigned char)*c->p) ||
	    *c->p == '-' || *c->p == '_' || (unsigned char)*c->p >= 128)) {
		if ((unsigned char)*c->p < 128)
			c->p++;
		else if (!skip_utf8(c, flags, utf8))
			return false;
	}
	return c->p != from && (size_t)(c->p - from) <= LABEL_MAX &&
	    *from != '-' && c->p[-1] != '-';
}

static bool
ipv4_parse(struct cur *c)
{
	unsigned long long	v;
	struct str		digits;
	unsigned		i;

	for (i = 0; i < 4; i++) {
		if ((i > 0 && !cur_byte(c, '.')) ||
		    !cur_span(c, is_digit, 3, &digits) ||
		    str_number(digits, 255, &v) == -1)
			return false;
	}
	return true;
}

static bool
is_hex(unsigned char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* IPv6-full, -comp and the forms that end in an IPv4 address (4.1.3). */
static bool
ipv6_parse(struct cur *c)
{
	struct cur	v4;
	struct str	group;
	unsigned	groups = 0;
	bool		gap = false;

	if (cur_word(c, STR("::")))
		gap = true;
	while (!cur_done(c) && is_hex((unsigned char)*c->p)) {
		v4 = *c;
		if (ipv4_parse(&v4) && cur_peek(&v4) == ']') {
			*c = v4;
			groups += 2;
			break;
		}
		if (!cur_span(c, is_hex, 4, &group) || ++groups > 8)
			return false;
		if (cur_word(c, STR("::"))) {
			if (gap)
				return false;
			gap = true;
		} else if (cur_byte(c, ':')) {
			if (cur_done(c) || !is_hex((unsigned char)*c->p))
				return false;
		} else
			break;
	}
	return gap ? groups <= 7 : groups == 8;
}

static bool
literal_parse(struct cur *in)
{
	struct cur	c = *in;

	if (!cur_byte(&c, '['))
		return false;
	if (cur_word(&c, STR("IPv6:")) ? !ipv6_parse(&c) : !ipv4_parse(&c))
		return false;
	if (!cur_byte(&c, ']'))
		return false;
	*in = c;
	return true;
}

static bool
domain_parse(struct cur *in, unsigned flags, struct str *out, bool *utf8)
{
	struct cur	c = *in;

	if (!literal_parse(&c)) {
		do {
			if (!label(&c, flags, utf8))
				return false;
		} while (cur_byte(&c, '.'));
	}
	out->p = in->p;
	out->n = (size_t)(c.p - in->p);
	if (out->n > DOMAIN_MAX)
		return false;
	*in = c;
	return true;
}

bool
path_domain(struct cur *in, unsigned flags, struct str *out)
{
	bool	utf8 = false;

	return domain_parse(in, flags, out, &utf8);
}

/* A-d-l ":" - accepted and thrown away (RFC 5321 appendix C). */
static bool
source_route(struct cur *c, unsigned flags)
{
	struct str	domain;

	if (cur_peek(c) != '@')
		return true;
	do {
		if (!cur_byte(c, '@') || !path_domain(c, flags, &domain))
			return false;
	} while (cur_byte(c, ','));
	return cur_byte(c, ':');
}

static bool
mailbox_parse(struct cur *in, unsigned flags, struct path *out)
{
	struct cur	c = *in;
	struct path	p = { { "", 0 }, { "", 0 }, false };

	if (!local_parse(&c, flags, &p) || !cur_byte(&c, '@') ||
	    !domain_parse(&c, flags, &p.domain, &p.utf8))
		return false;
	*in = c;
	*out = p;
	return true;
}

static bool
in_brackets(struct cur *in, unsigned flags, struct path *out)
{
	struct cur	c = *in;
	bool		open = cur_byte(&c, '<');

	if (!open && !(flags & PATH_LENIENT))
		return false;
	if (!source_route(&c, flags) || !mailbox_parse(&c, flags, out) ||
	    (open && !cur_byte(&c, '>')))
		return false;
	*in = c;
	return true;
}

bool
path_reverse(struct cur *in, unsigned flags, struct path *out)
{
	if (cur_word(in, STR("<>"))) {
		*out = (struct path){ { "", 0 }, { "", 0 }, false };
		return true;
	}
	return in_brackets(in, flags, out);
}

bool
path_forward(struct cur *in, unsigned flags, struct path *out)
{
	struct path	p = { { "", 0 }, { "", 0 }, false };

	p.local.p = cur_left(in) > 0 ? in->p + 1 : in->p;
	if (cur_word(in, STR("<postmaster>"))) {
		p.local.n = sizeof("postmaster") - 1;
		*out = p;
		return true;
	}
	return in_brackets(in, flags, out);
}

bool
path_mailbox(struct cur *in, unsigned flags, bool bare, struct path *out)
{
	struct cur	c = *in;
	struct path	p = { { "", 0 }, { "", 0 }, false };

	if (mailbox_parse(in, flags, out))
		return true;
	if (!bare || !local_parse(&c, flags, &p) || cur_peek(&c) == '@')
		return false;
	*in = c;
	*out = p;
	return true;
}

int
path_local_plain(struct str local, char *dst, size_t size)
{
	size_t	i = 0, end = local.n, n = 0;

	if (local.n >= 2 && local.p[0] == '"') {
		i = 1;
		end = local.n - 1;
	}
	for (; i < end; i++) {
		if (local.p[0] == '"' && local.p[i] == '\\' && i + 1 < end)
			i++;
		if (n + 1 >= size) {
			errno = EMSGSIZE;
			return -1;
		}
		dst[n++] = local.p[i];
	}
	if (size == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	dst[n] = '\0';
	return 0;
}

/* Can the plain local part stand without quotes? */
static bool
is_dot_string(struct str plain)
{
	struct cur	c = cur_from(plain);
	bool		utf8;

	return dot_string(&c, PATH_UTF8, &utf8) && cur_done(&c);
}

int
path_format(const struct path *p, struct buf *b)
{
	char		plain[LOCAL_MAX + 1];
	struct str	local;
	size_t		i;
	char		c;

	if (path_local_plain(p->local, plain, sizeof(plain)) == -1)
		return -1;
	local = str_from(plain);
	/* a quoted one that must stay so keeps the form in which it came */
	(void)buf_addstr(b, is_dot_string(local) ? local : p->local);
	if (p->domain.n > 0)
		(void)buf_addc(b, '@');
	for (i = 0; i < p->domain.n; i++) {
		c = p->domain.p[i];
		(void)buf_addc(b, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
	if (!buf_ok(b)) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

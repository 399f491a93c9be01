/* common/fmt/esmtp.c - parameters of MAIL and RCPT; pure. */
#include "common/fmt/esmtp.h"

#include <errno.h>

#define KEYWORD_MAX	64
#define VALUE_MAX	1024

static bool
is_keyword(unsigned char c)
{
	return is_alnum(c) || c == '-';
}

/* esmtp-value = 1*(%d33-60 / %d62-126), UTF-8 besides (RFC 6531 3.4). */
static bool
is_value(unsigned char c)
{
	return (is_vchar(c) && c != '=') || c >= 128;
}

bool
esmtp_param(struct cur *in, struct esmtp_param *out)
{
	struct cur		c = *in;
	struct esmtp_param	p = { { "", 0 }, { "", 0 }, false };

	if (!cur_skip_wsp(&c))
		return false;
	if (cur_done(&c)) {		/* blanks before the end are no fault */
		*in = c;
		return false;
	}
	if (!is_alnum((unsigned char)*c.p) ||
	    !cur_span(&c, is_keyword, KEYWORD_MAX, &p.key))
		return false;
	if (cur_byte(&c, '=')) {
		p.has_value = true;
		if (!cur_span(&c, is_value, VALUE_MAX, &p.value))
			return false;
	}
	if (!cur_done(&c) && !is_wsp((unsigned char)*c.p))
		return false;
	*in = c;
	*out = p;
	return true;
}

bool
esmtp_notify(struct str v, unsigned *out)
{
	struct cur	c = cur_from(v);
	unsigned	bits = 0;

	if (str_eq_nocase(v, STR("NEVER"))) {
		*out = NOTIFY_NEVER;
		return true;
	}
	do {
		if (cur_word(&c, STR("SUCCESS")))
			bits |= NOTIFY_SUCCESS;
		else if (cur_word(&c, STR("FAILURE")))
			bits |= NOTIFY_FAILURE;
		else if (cur_word(&c, STR("DELAY")))
			bits |= NOTIFY_DELAY;
		else
			return false;
	} while (cur_byte(&c, ','));
	if (!cur_done(&c))
		return false;
	*out = bits;
	return true;
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')	/* RFC 3461 4: upper case only */
		return c - 'A' + 10;
	return -1;
}

int
esmtp_xtext_decode(struct str v, char *dst, size_t size, size_t *len)
{
	size_t	i, n = 0;
	int	hi, lo;
	char	byte;

	for (i = 0; i < v.n; i++) {
		if (!is_vchar((unsigned char)v.p[i]) || v.p[i] == '=') {
			errno = EINVAL;
			return -1;
		}
		byte = v.p[i];
		if (byte == '+') {
			if (v.n - i < 3 || (hi = hex_value(v.p[i + 1])) == -1 ||
			    (lo = hex_value(v.p[i + 2])) == -1) {
				errno = EINVAL;
				return -1;
			}
			byte = (char)(hi * 16 + lo);
			i += 2;
		}
		if (n >= size) {
			errno = EMSGSIZE;
			return -1;
		}
		dst[n++] = byte;
	}
	*len = n;
	return 0;
}

static bool
is_addr_type(unsigned char c)
{
	return is_atext(c);
}

bool
esmtp_orcpt_ok(struct str v, bool utf8)
{
	struct cur	c = cur_from(v);
	struct str	type, rest;
	char		plain[ORCPT_MAX];
	size_t		i, n;

	if (v.n > ORCPT_MAX || !cur_span(&c, is_addr_type, 32, &type) ||
	    !cur_byte(&c, ';') || cur_done(&c))
		return false;
	rest = cur_rest(&c);
	if (!str_eq_nocase(type, STR("utf-8"))) {
		if (esmtp_xtext_decode(rest, plain, sizeof(plain), &n) == -1)
			return false;
		/* it is to stand in a field of a report (RFC 3464 2.3.1) */
		for (i = 0; i < n; i++)
			if ((unsigned char)plain[i] < 32 || plain[i] == 127)
				return false;
		return true;
	}
	/* RFC 6533 3: utf-8-addr-xtext, or raw UTF-8 where SMTPUTF8 is in force */
	for (i = 0; i < rest.n; i++)
		if (!is_value((unsigned char)rest.p[i]) ||
		    ((unsigned char)rest.p[i] >= 128 && !utf8))
			return false;
	return true;
}

/*
 * common/fmt/dsn_addr.c - addresses in the part for programs. Those of the type
 * utf-8 have a form for reports that hold UTF-8, and one in ASCII (RFC 6533 3).
 */
#include "common/fmt/dsn.h"

#include "common/fmt/cur.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/utf8.h"

/* RFC 5322 2.1.1: 998 with field and type; the longest address of ours fits. */
#define FINAL_MAX	970u
#define ORIGINAL_MAX	940u
#define TYPE_MAX	32u

static int
hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* "\x{F6}"; control characters could end a field, and no address has them. */
static bool
embedded(struct cur *in, uint32_t *point)
{
	struct cur	c = *in;
	size_t		n;
	int		v;

	if (!cur_byte(&c, '\\') || !cur_byte(&c, 'x') || !cur_byte(&c, '{'))
		return false;
	for (n = 0, *point = 0; n < 6 && (v = hex(cur_peek(&c))) != -1; n++) {
		*point = *point << 4 | (uint32_t)v;
		c.p++;
	}
	if (n < 2 || !cur_byte(&c, '}') || *point < ' ' || *point == 127)
		return false;
	*in = c;
	return true;
}

/* Either of the encoded forms to the one with real characters; false: it is neither. */
static bool
decode(struct str s, struct buf *out)
{
	struct cur	c = cur_from(s);
	uint32_t	point;
	size_t		n;

	while (!cur_done(&c)) {
		if (embedded(&c, &point)) {
			if (!utf8_put(out, point))
				return false;
			continue;
		}
		n = utf8_length(cur_rest(&c));
		if (n == 0 && (*c.p == '\\' || !is_vchar((unsigned char)*c.p)))
			return false;
		n += n == 0;
		(void)buf_add(out, c.p, n);
		c.p += n;
	}
	return buf_ok(out);
}

/* QCHAR of RFC 6533 */
static bool
is_qchar(unsigned char b)
{
	return is_vchar(b) && b != '\\' && b != '+' && b != '=';
}

/* To utf-8-addr-xtext. given: it has a form of the type already, so that its ASCII stands. */
static void
encode(struct buf *out, struct str s, bool given)
{
	size_t		n, end;
	unsigned char	b;

	/* No character takes more than ten bytes. */
	end = out->n + (given ? ORIGINAL_MAX : FINAL_MAX) - 9;
	for (; s.n > 0 && out->n < end; s.p += n, s.n -= n) {
		b = (unsigned char)*s.p;
		if ((n = utf8_length(s)) > 0) {
			(void)buf_addf(out, "\\x{%02X}",
			    (unsigned)utf8_point(s.p, n));
			continue;
		}
		n = 1;
		if (is_qchar(b) || (given && is_vchar(b)))
			(void)buf_addc(out, (char)b);
		else if (b > 127)
			(void)buf_addc(out, '?');
		else
			(void)buf_addf(out, "\\x{%02X}", b);
	}
}

void
dsn_final(struct buf *out, const struct dsn *d, struct str addr)
{
	bool	ascii = utf8_is_ascii(addr);

	(void)buf_adds(out, ascii ? "rfc822;" : "utf-8;");
	if (ascii || d->utf8)
		dsn_clean(out, addr, d->utf8, FINAL_MAX);
	else
		encode(out, addr, false);
}

static void
original_utf8(struct buf *out, const struct dsn *d, struct str addr)
{
	struct buf	real;

	if (!d->utf8) {
		encode(out, addr, true);
		return;
	}
	buf_init(&real, ORCPT_MAX * 4);
	/* what is none of the forms is copied as it is (RFC 6533 3) */
	dsn_clean(out, decode(addr, &real) ? buf_view(&real) : addr, true,
	    ORIGINAL_MAX);
	buf_free(&real);
}

void
dsn_original(struct buf *out, const struct dsn *d, struct str orcpt)
{
	struct cur	c = cur_from(orcpt);
	struct str	type, rest;
	char		plain[ORCPT_MAX + 1];
	size_t		n;

	if (!cur_until(&c, ';', &type))
		type = STR("rfc822");
	rest = cur_rest(&c);
	dsn_clean(out, type, false, TYPE_MAX);
	(void)buf_addc(out, ';');
	if (str_eq_nocase(type, STR("utf-8"))) {
		original_utf8(out, d, rest);
		return;
	}
	if (esmtp_xtext_decode(rest, plain, sizeof(plain), &n) == 0)
		rest = (struct str){ plain, n };
	dsn_clean(out, rest, d->utf8, ORIGINAL_MAX);
}

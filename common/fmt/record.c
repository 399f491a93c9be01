/* common/fmt/record.c - tagged netstrings; pure. */
#include "common/fmt/record.h"

#include <stdarg.h>
#include <string.h>

#define LENGTH_MAX	UINT32_MAX

bool
record_next(struct cur *in, struct field *out)
{
	struct cur		c = *in;
	unsigned long long	n;
	struct field		f;

	if (cur_done(&c) || !is_alpha((unsigned char)*c.p))
		return false;
	f.tag = *c.p++;
	/* one way to write a length only: "05" is no length */
	if (cur_left(&c) > 1 && c.p[0] == '0' && is_digit((unsigned char)c.p[1]))
		return false;
	if (!cur_number(&c, LENGTH_MAX, &n) || !cur_byte(&c, ':') ||
	    cur_left(&c) < n)
		return false;
	f.value.p = c.p;
	f.value.n = (size_t)n;
	c.p += n;
	if (!cur_byte(&c, ',') || !cur_byte(&c, '\n'))
		return false;
	*in = c;
	*out = f;
	return true;
}

void
record_put(struct buf *b, char tag, struct str v)
{
	char	head[24], *p = head + sizeof(head);
	size_t	n = v.n;

	*--p = ':';
	do {
		*--p = (char)('0' + n % 10);
	} while ((n /= 10) > 0);
	*--p = tag;
	/* errors stay in the buffer; the writer asks buf_ok once */
	(void)buf_add(b, p, (size_t)(head + sizeof(head) - p));
	(void)buf_addstr(b, v);
	(void)buf_add(b, ",\n", 2);
}

void
record_puts(struct buf *b, char tag, const char *s)
{
	record_put(b, tag, str_from(s));
}

void
record_putf(struct buf *b, char tag, const char *fmt, ...)
{
	struct buf	value;
	va_list		ap;

	buf_init(&value, b->max);
	va_start(ap, fmt);
	if (buf_vaddf(&value, fmt, ap) == -1)
		b->bad = true;
	else
		record_put(b, tag, buf_view(&value));
	va_end(ap);
	buf_free(&value);
}

void
record_putu(struct buf *b, char tag, uint64_t v)
{
	char		digits[20];
	size_t		at = sizeof(digits);
	struct str	s;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	s.p = digits + at;
	s.n = sizeof(digits) - at;
	record_put(b, tag, s);
}

bool
record_get(struct str rec, char tag, struct str *out)
{
	struct cur	c = cur_from(rec);
	struct field	f;

	while (record_next(&c, &f))
		if (f.tag == tag) {
			*out = f.value;
			return true;
		}
	return false;
}

bool
record_gets(struct str rec, char tag, char *dst, size_t size)
{
	struct str	v;

	return record_get(rec, tag, &v) && str_copy(dst, size, v) == 0;
}

bool
record_get_text(struct str rec, char tag, char *dst, size_t size)
{
	struct str	v = STR("");

	(void)record_get(rec, tag, &v);
	return str_copy(dst, size, v) == 0 && !str_has_control(v);
}

bool
record_getu(struct str rec, char tag, uint64_t max, uint64_t *out)
{
	unsigned long long	n;
	struct str		v;

	if (!record_get(rec, tag, &v) || str_number(v, max, &n) == -1)
		return false;
	*out = n;
	return true;
}

bool
record_ok(struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;

	while (record_next(&c, &f))
		;
	return cur_done(&c);
}

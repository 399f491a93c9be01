/* common/base/buf.c - a growing buffer with a hard maximum. */
#include "common/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/large.h"

#define BUF_FIRST	256

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->bad = false;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_free(b);
}

static int
fail(struct buf *b)
{
	b->bad = true;
	b->why = errno;
	return -1;
}

int
buf_reserve(struct buf *b, size_t n)
{
	size_t	 cap;
	char	*p;

	if (n > b->max - b->n) {
		errno = EMSGSIZE;
		return fail(b);
	}
	if (b->n + n <= b->cap)
		return 0;
	cap = b->cap == 0 ? BUF_FIRST : b->cap;
	while (cap < b->n + n)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if ((p = realloc(b->p, cap)) == NULL)
		return fail(b);
	large_hint(p, cap);
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	if ((n > b->cap - b->n || n > b->max - b->n) &&
	    buf_reserve(b, n) == -1)
		return -1;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int
buf_addstr(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_addu(struct buf *b, uint64_t v)
{
	char	digits[20];
	size_t	n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return buf_add(b, digits + n, sizeof(digits) - n);
}

int
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list	again;
	char	small[256];
	int	n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0) {
		va_end(again);
		return fail(b);
	}
	if ((size_t)n < sizeof(small)) {
		va_end(again);
		return buf_add(b, small, (size_t)n);
	}
	/* vsnprintf needs room for its NUL, which is not part of the content */
	if (buf_reserve(b, (size_t)n) == -1 ||
	    ((size_t)n == b->cap - b->n && buf_reserve(b, (size_t)n + 1) == -1)) {
		va_end(again);
		return -1;
	}
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
	va_end(again);
	b->n += (size_t)n;
	return 0;
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list	ap;
	int	r;

	va_start(ap, fmt);
	r = buf_vaddf(b, fmt, ap);
	va_end(ap);
	return r;
}

void
buf_consume(struct buf *b, size_t n)
{
	b->n -= n;
	if (b->n > 0)
		memmove(b->p, b->p + n, b->n);
}

struct str
buf_view(const struct buf *b)
{
	struct str	s = { b->p == NULL ? "" : b->p, b->n };

	return s;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->n > 0 && memchr(b->p, '\0', b->n) != NULL) {
		errno = EINVAL;
		return NULL;
	}
	if (buf_reserve(b, 1) == -1)
		return NULL;
	b->p[b->n] = '\0';
	return b->p;
}

bool
buf_ok(const struct buf *b)
{
	return !b->bad;
}

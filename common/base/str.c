/* common/base/str.c - borrowed views of bytes; pure. */
#include "common/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned char
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

struct str
str_from(const char *s)
{
	struct str	out = { "", 0 };

	if (s != NULL) {
		out.p = s;
		out.n = strlen(s);
	}
	return out;
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_starts_nocase(struct str s, struct str with)
{
	size_t	i;

	if (s.n < with.n)
		return false;
	for (i = 0; i < with.n; i++)
		if (lower((unsigned char)s.p[i]) !=
		    lower((unsigned char)with.p[i]))
			return false;
	return true;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	return a.n == b.n && str_starts_nocase(a, b);
}

int
str_cmp(struct str a, struct str b)
{
	size_t	n = a.n < b.n ? a.n : b.n;
	int	r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

int
str_copy(char *dst, size_t size, struct str s)
{
	if (s.n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL) {
		errno = EINVAL;
		return -1;
	}
	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}

char *
str_dup(struct str s)
{
	char	*p;

	if ((p = malloc(s.n + 1)) == NULL)
		return NULL;
	if (str_copy(p, s.n + 1, s) == -1) {
		free(p);
		return NULL;
	}
	return p;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

int
str_lower(char *dst, size_t size, struct str s)
{
	size_t	i;

	if (str_copy(dst, size, s) == -1)
		return -1;
	for (i = 0; i < s.n; i++)
		dst[i] = (char)lower((unsigned char)dst[i]);
	return 0;
}

int
str_number(struct str s, unsigned long long max, unsigned long long *out)
{
	const unsigned long long	tenth = max / 10;
	unsigned long long		v = 0;
	unsigned			d;
	size_t				i;

	if (s.n == 0) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9') {
			errno = EINVAL;
			return -1;
		}
		d = (unsigned)(s.p[i] - '0');
		if (v > tenth || (v == tenth && d > max % 10)) {
			errno = ERANGE;
			return -1;
		}
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

bool
str_has_control(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

bool
str_take_line(struct str *rest, struct str *line)
{
	const char	*lf;

	if (rest->n == 0)
		return false;
	lf = memchr(rest->p, '\n', rest->n);
	*line = (struct str){ rest->p,
	    lf == NULL ? rest->n : (size_t)(lf - rest->p) };
	rest->p += line->n + (lf != NULL);
	rest->n -= line->n + (lf != NULL);
	return true;
}

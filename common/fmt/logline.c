/* common/fmt/logline.c - lines of the log, read back. Pure; distrusts them: anybody may have cut or edited the file. */
#include "common/fmt/logline.h"

#include <string.h>

#define PROGRAM_MAX	64u
#define WORD_MAX	64u

static bool
number(struct cur *c, size_t digits, char end, unsigned *out)
{
	struct str		s;
	unsigned long long	n;

	if (!cur_span(c, is_digit, digits, &s) || s.n != digits ||
	    str_number(s, 9999, &n) == -1 || (end != '\0' && !cur_byte(c, end)))
		return false;
	*out = (unsigned)n;
	return true;
}

/* Days since 1970 of a date in the Gregorian calendar. */
static int64_t
days(unsigned year, unsigned month, unsigned day)
{
	int64_t	y = month <= 2 ? (int64_t)year - 1 : (int64_t)year;
	int64_t	m = month <= 2 ? month + 9 : month - 3;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 +
	    day - 1 - 719468;
}

/* "2026-11-24T06:55:03.123Z" */
static bool
time_parse(struct cur *c, int64_t *ms)
{
	unsigned	year, month, day, hour, minute, second, milli;

	if (!number(c, 4, '-', &year) || !number(c, 2, '-', &month) ||
	    !number(c, 2, 'T', &day) || !number(c, 2, ':', &hour) ||
	    !number(c, 2, ':', &minute) || !number(c, 2, '.', &second) ||
	    !number(c, 3, 'Z', &milli) || month < 1 || month > 12 ||
	    day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
		return false;
	*ms = (((days(year, month, day) * 24 + hour) * 60 + minute) * 60 +
	    second) * 1000 + milli;
	return true;
}

static bool
is_key(unsigned char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

bool
logline_parse(struct str line, struct logline *l)
{
	struct cur	c = cur_from(line);
	struct str	pid;

	if (!time_parse(&c, &l->at_ms) || !cur_byte(&c, ' ') ||
	    !cur_span(&c, is_key, PROGRAM_MAX, &l->program) ||
	    !cur_byte(&c, '[') || !cur_span(&c, is_digit, 20, &pid) ||
	    !cur_byte(&c, ']') || !cur_byte(&c, ' ') ||
	    !cur_span(&c, is_key, WORD_MAX, &l->level) ||
	    !cur_byte(&c, ':') || !cur_byte(&c, ' ') ||
	    !cur_span(&c, is_key, WORD_MAX, &l->event) ||
	    (!cur_done(&c) && !cur_byte(&c, ' ')))
		return false;
	l->rest = cur_rest(&c);
	return true;
}

/* To the end of a word, or of what stands in quotes, which a cut line may lack. */
static struct str
value_parse(struct cur *c)
{
	const char	*from = c->p;
	bool		 quoted = cur_byte(c, '"');

	for (; c->p < c->end; c->p++) {
		if (quoted && *c->p == '\\' && c->p + 1 < c->end)
			c->p++;
		else if (quoted && *c->p == '"') {
			c->p++;
			break;
		} else if (!quoted && *c->p == ' ')
			break;
	}
	return (struct str){ from, (size_t)(c->p - from) };
}

bool
logline_next(struct cur *in, struct str *key, struct str *value)
{
	struct cur	c = *in;

	while (cur_byte(&c, ' '))
		continue;
	if (!cur_span(&c, is_key, WORD_MAX, key) || !cur_byte(&c, '='))
		return false;
	*value = value_parse(&c);
	*in = c;
	return true;
}

bool
logline_get(const struct logline *l, const char *name, struct str *value)
{
	struct cur	c = cur_from(l->rest);
	struct str	key, v, want = str_from(name);

	while (logline_next(&c, &key, &v))
		if (str_eq(key, want)) {
			*value = v;
			return true;
		}
	return false;
}

bool
logline_getu(const struct logline *l, const char *key, uint64_t max,
    uint64_t *out)
{
	struct str		v;
	unsigned long long	n;

	if (!logline_get(l, key, &v) || str_number(v, max, &n) == -1)
		return false;
	*out = n;
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void
logline_plain(struct str v, struct buf *out)
{
	size_t	i;

	if (v.n == 0 || v.p[0] != '"') {
		buf_addstr(out, v);
		return;
	}
	for (i = 1; i < v.n && v.p[i] != '"'; i++) {
		if (v.p[i] != '\\' || i + 1 == v.n) {
			buf_addc(out, v.p[i]);
			continue;
		}
		i++;
		if (v.p[i] == 'x' && i + 2 < v.n && hex(v.p[i + 1]) >= 0 &&
		    hex(v.p[i + 2]) >= 0) {
			buf_addc(out, (char)(hex(v.p[i + 1]) << 4 |
			    hex(v.p[i + 2])));
			i += 2;
		} else
			buf_addc(out, v.p[i]);
	}
}

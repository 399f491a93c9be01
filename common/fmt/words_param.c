/* common/fmt/words_param.c - parameters with continuations and charsets (RFC 2231), or as others write them; pure. */
#include <errno.h>
#include <string.h>

#include "common/fmt/charset.h"
#include "common/fmt/cur.h"
#include "common/fmt/words.h"

#define SEGMENTS_MAX	256	/* of one parameter */

struct segments {
	const struct part_param	*of[SEGMENTS_MAX];
	bool			 coded[SEGMENTS_MAX];	/* "*" at the end of its name */
	const struct part_param	*plain;
};

/* "name*", "name*0", "name*0*": which one is it? */
static bool
segment(struct str name, struct str want, unsigned long long *i, bool *coded)
{
	struct cur	c = cur_from(name);

	*i = 0;
	if (!cur_word(&c, want) || !cur_byte(&c, '*'))
		return false;
	*coded = true;
	if (cur_done(&c))
		return true;
	if (!cur_number(&c, SEGMENTS_MAX - 1, i))
		return false;
	*coded = cur_byte(&c, '*');
	return cur_done(&c);
}

static void
collect(const struct part_param *p, struct str name, struct segments *found)
{
	unsigned long long	i;
	bool			coded;

	memset(found, 0, sizeof(*found));
	for (; p != NULL; p = p->next) {
		if (str_eq_nocase(p->name, name)) {
			if (found->plain == NULL)
				found->plain = p;
		} else if (segment(p->name, name, &i, &coded) &&
		    found->of[i] == NULL) {
			found->of[i] = p;
			found->coded[i] = coded;
		}
	}
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
put_percent(struct charset_state *cs, struct str s, struct buf *out)
{
	size_t	n;
	char	c;

	for (; s.n > 0; s.p += n, s.n -= n) {
		for (n = 0; n < s.n && s.p[n] != '%'; n++)
			;
		if (n > 0) {
			if (charset_feed(cs, (struct str){ s.p, n }, out) == -1)
				return -1;
			continue;
		}
		c = '%';
		n = 1;
		if (s.n > 2 && hex(s.p[1]) != -1 && hex(s.p[2]) != -1) {
			c = (char)(hex(s.p[1]) << 4 | hex(s.p[2]));
			n = 3;
		}
		if (charset_feed(cs, (struct str){ &c, 1 }, out) == -1)
			return -1;
	}
	return 0;
}

/* "utf-8'en'text": the text is left. What is unknown is taken for what it looks like. */
static const struct charset *
take_charset(struct str *value)
{
	const struct charset	*set = NULL;
	struct cur		 c = cur_from(*value);
	struct str		 name, language;

	if (cur_until(&c, '\'', &name) && cur_until(&c, '\'', &language)) {
		set = charset_find(name);
		*value = cur_rest(&c);
	}
	return set != NULL ? set : charset_find(STR(""));
}

static int
put_segments(const struct segments *found, struct buf *out)
{
	struct charset_state	cs;
	struct str		value;
	size_t			i;
	int			r = 0;

	for (i = 0; r == 0 && i < SEGMENTS_MAX && found->of[i] != NULL; i++) {
		value = found->of[i]->value;
		if (i == 0)
			charset_begin(&cs, found->coded[0] ?
			    take_charset(&value) : charset_find(STR("")));
		r = found->coded[i] ? put_percent(&cs, value, out) :
		    charset_feed(&cs, value, out);
	}
	return r == -1 ? -1 : charset_end(&cs, out);
}

int
words_param(const struct part_param *params, const char *name, struct buf *out)
{
	struct segments	found;
	size_t		from = out->n;

	collect(params, str_from(name), &found);
	if (found.of[0] == NULL && found.plain == NULL) {
		errno = ENOENT;
		return -1;
	}
	if (found.of[0] == NULL)
		return words_decode(found.plain->value, out);
	if (put_segments(&found, out) == -1)
		return -1;
	for (; from < out->n; from++)
		if (out->p[from] == '\r' || out->p[from] == '\n' ||
		    out->p[from] == '\0')
			out->p[from] = ' ';
	return 0;
}

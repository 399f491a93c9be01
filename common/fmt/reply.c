/* common/fmt/reply.c - replies of servers, who may send anything; pure. */
#include "common/fmt/reply.h"

#include <string.h>

#include "common/fmt/cur.h"

void
reply_init(struct reply *r)
{
	r->code = 0;
	r->status[0] = r->text[0] = '\0';
	r->n = 0;
	r->lines = 0;
}

/* "." and one to three digits. */
static bool
dot_number(struct cur *c)
{
	struct str	digits;

	return cur_byte(c, '.') && cur_span(c, is_digit, 3, &digits);
}

/* Of "X.Y.Z" of that class ('2', '4', '5') at the beginning of the text, or 0. */
static size_t
enhanced_length(struct str s, char class)
{
	struct cur	c = cur_from(s);

	if (!cur_byte(&c, class) || !dot_number(&c) || !dot_number(&c) ||
	    !(cur_done(&c) || is_wsp((unsigned char)*c.p)))
		return 0;
	return (size_t)(c.p - s.p);
}

static void
add(struct reply *r, struct str s)
{
	unsigned char	b;
	size_t		i;

	for (i = 0; i < s.n && r->n < REPLY_TEXT; i++) {
		b = (unsigned char)s.p[i];
		r->text[r->n++] = b >= ' ' && b < 127 ? (char)b :
		    b == '\t' ? ' ' : '?';
	}
	r->text[r->n] = '\0';
}

/* Many servers repeat the enhanced code in each line; once is enough to read. */
static struct str
without_status(const struct reply *r, struct str s)
{
	size_t	n = strlen(r->status);

	if (n > 0 && s.n >= n && memcmp(s.p, r->status, n) == 0 &&
	    (s.n == n || is_wsp((unsigned char)s.p[n]))) {
		s.p += n;
		s.n -= n;
	}
	return str_trim(s);
}

static bool
code_of(struct str line, unsigned *code)
{
	size_t	i;

	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5')
		return false;
	*code = 0;
	for (i = 0; i < 3; i++) {
		if (!is_digit((unsigned char)line.p[i]))
			return false;
		*code = *code * 10 + (unsigned)(line.p[i] - '0');
	}
	return line.n == 3 || line.p[3] == ' ' || line.p[3] == '-';
}

enum reply_step
reply_take(struct reply *r, struct str line, struct str *rest)
{
	unsigned	code;
	size_t		n;

	*rest = (struct str){ line.p, 0 };
	if (!code_of(line, &code) || (r->lines > 0 && code != r->code) ||
	    r->lines == REPLY_LINES)
		return REPLY_BAD;
	if (line.n > 4)
		*rest = (struct str){ line.p + 4, line.n - 4 };
	if (r->lines++ == 0) {
		r->code = code;
		n = enhanced_length(*rest, line.p[0]);
		memcpy(r->status, rest->p, n);
		r->status[n] = '\0';
		add(r, (struct str){ line.p, 3 });
		add(r, STR(" "));
		add(r, str_trim(*rest));
	} else {
		add(r, STR(" "));
		add(r, without_status(r, *rest));
	}
	return line.n > 3 && line.p[3] == '-' ? REPLY_MORE : REPLY_END;
}

void
reply_status(const struct reply *r, char status[12])
{
	memcpy(status, r->status, sizeof(r->status));
	if (r->status[0] == '\0') {
		memcpy(status, "0.0.0", 6);
		status[0] = (char)('0' + r->code / 100);
	}
}

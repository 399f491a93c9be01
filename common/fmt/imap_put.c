/* common/fmt/imap_put.c - strings and dates of IMAP, and dates in; pure. */
#include <string.h>

#include "common/fmt/date.h"
#include "common/fmt/imap.h"
#include "common/fmt/utf8.h"

#define QUOTED_MAX	1000	/* longer ones are literals: old clients have short lines */
#define DAY		86400

/* Can it stand between quotes? (RFC 3501 9: quoted; RFC 9051 9, RFC 6855 3) */
static bool
can_quote(struct str s, bool utf8)
{
	size_t	i;
	bool	ascii = true;

	if (s.n > QUOTED_MAX)
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n')
			return false;
		if ((unsigned char)s.p[i] >= 0x80)
			ascii = false;
	}
	return ascii || (utf8 && utf8_ok(s));
}

static void
put_quoted(struct buf *out, struct str s)
{
	size_t	i, from = 0;

	buf_addc(out, '"');
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '"' || s.p[i] == '\\') {
			buf_add(out, s.p + from, i - from);
			buf_addc(out, '\\');
			from = i;
		}
	if (s.n > 0)
		buf_add(out, s.p + from, s.n - from);
	buf_addc(out, '"');
}

int
imap_put_string(struct buf *out, struct str s, bool utf8)
{
	if (can_quote(s, utf8))
		put_quoted(out, s);
	else {
		buf_addf(out, "{%zu}\r\n", s.n);
		buf_addstr(out, s);
	}
	return buf_ok(out) ? 0 : -1;
}

int
imap_put_astring(struct buf *out, struct str s, bool utf8)
{
	size_t	i;

	for (i = 0; i < s.n && is_imap_astring((unsigned char)s.p[i]); i++)
		;
	/* "NIL" would be taken for none */
	if (i < s.n || s.n == 0 || str_eq_nocase(s, STR("NIL")))
		return imap_put_string(out, s, utf8);
	return buf_addstr(out, s);
}

int
imap_put_nstring(struct buf *out, struct str s, bool utf8)
{
	return s.p == NULL ? buf_adds(out, "NIL") :
	    imap_put_string(out, s, utf8);
}

/* ---- dates */

static bool
digits(struct cur *c, size_t least, size_t most, int *out)
{
	size_t	n = 0;

	for (*out = 0; n < most && !cur_done(c) &&
	    is_digit((unsigned char)*c->p); n++)
		*out = *out * 10 + (*c->p++ - '0');
	return n >= least;
}

/* "1-Feb-1994" */
static bool
date_text(struct cur *c, int64_t *days)
{
	struct str	month;
	int		day, year;

	return digits(c, 1, 2, &day) && cur_byte(c, '-') &&
	    cur_span(c, is_alpha, 3, &month) && cur_byte(c, '-') &&
	    digits(c, 4, 4, &year) && date_days(year, month, day, days);
}

bool
imap_date(struct cur *in, int64_t *days)
{
	struct cur	c = *in;
	bool		in_quotes = cur_byte(&c, '"');

	if (!date_text(&c, days) || (in_quotes && !cur_byte(&c, '"')))
		return false;
	*in = c;
	return true;
}

static bool
clock_text(struct cur *c, int64_t *seconds)
{
	int	h, m, s;

	if (!digits(c, 2, 2, &h) || !cur_byte(c, ':') ||
	    !digits(c, 2, 2, &m) || !cur_byte(c, ':') || !digits(c, 2, 2, &s) ||
	    h > 23 || m > 59 || s > 60)
		return false;
	*seconds = h * 3600 + m * 60 + s;
	return true;
}

static bool
zone_text(struct cur *c, int *zone)
{
	bool	west = cur_byte(c, '-');
	int	h, m;

	if ((!west && !cur_byte(c, '+')) || !digits(c, 2, 2, &h) ||
	    !digits(c, 2, 2, &m) || h > 23 || m > 59)
		return false;
	*zone = (h * 60 + m) * (west ? -1 : 1);
	return true;
}

bool
imap_date_time(struct cur *in, int64_t *t, int *zone)
{
	struct cur	c = *in;
	int64_t		days, seconds;

	if (!cur_byte(&c, '"'))
		return false;
	(void)cur_byte(&c, ' ');
	if (!date_text(&c, &days) || !cur_byte(&c, ' ') ||
	    !clock_text(&c, &seconds) || !cur_byte(&c, ' ') ||
	    !zone_text(&c, zone) || !cur_byte(&c, '"'))
		return false;
	*t = days * DAY + seconds - *zone * 60;
	*in = c;
	return true;
}

const char *
imap_put_date_time(char out[IMAP_DATE_SIZE], int64_t t, int zone)
{
	char	text[DATE_SIZE];

	/* a file can have any date; the protocol has four digits for its year */
	if (date_format_imap(t, zone, text) == -1 &&
	    date_format_imap(0, 0, text) == -1)
		text[0] = '\0';
	strlcpy(out, text, IMAP_DATE_SIZE);
	return out;
}

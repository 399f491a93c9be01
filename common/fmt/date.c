/* common/fmt/date.c - date-time of RFC 5322 3.3 and 4.3; pure. */
#include "common/fmt/date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"

static const char *const days[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};
static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* RFC 5322 4.3; the military zones but Z mean nothing certain: -0000. */
static const struct {
	const char	*name;
	int		 minutes;
} zones[] = {
	{ "UT", 0 }, { "GMT", 0 }, { "Z", 0 },
	{ "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 },
	{ "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 },
};

#define DAY		86400
#define COMMENT_DEPTH	16

struct civil {
	int64_t	year;
	int	month, day, hour, minute, second, weekday;
};

/* Days since 1970 of a Gregorian date; years counted from March. */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
	int64_t	y = month <= 2 ? year - 1 : year;
	int64_t	era = (y >= 0 ? y : y - 399) / 400;
	int64_t	of_era = y - era * 400;
	int64_t	of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 +
	    day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static int
civil_from_time(int64_t t, struct civil *out)
{
	int64_t	day = t / DAY, rest = t % DAY;
	int64_t	z, era, of_era, year, of_year, m;

	if (rest < 0) {
		rest += DAY;
		day--;
	}
	z = day + 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	of_era = z - era * 146097;
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	m = (5 * of_year + 2) / 153;
	out->day = (int)(of_year - (153 * m + 2) / 5 + 1);
	out->month = (int)(m < 10 ? m + 3 : m - 9);
	out->year = year + era * 400 + (out->month <= 2);
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
	out->weekday = (int)(((day % 7) + 11) % 7);
	if (out->year < 0 || out->year > 9999) {
		errno = ERANGE;
		return -1;
	}
	return 0;
}

int
date_format(int64_t t, int offset, char out[DATE_SIZE])
{
	struct civil	c;
	int		abs = offset < 0 ? -offset : offset;

	if (abs >= 24 * 60 || t > INT64_MAX / 2 || t < INT64_MIN / 2) {
		errno = ERANGE;
		return -1;
	}
	if (civil_from_time(t + (int64_t)offset * 60, &c) == -1)
		return -1;
	snprintf(out, DATE_SIZE, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    days[c.weekday], c.day, months[c.month - 1], (int)c.year, c.hour,
	    c.minute, c.second, offset < 0 ? '-' : '+', abs / 60, abs % 60);
	return 0;
}

int
date_format_mbox(int64_t t, char out[DATE_SIZE])
{
	struct civil	c;

	if (civil_from_time(t, &c) == -1)
		return -1;
	snprintf(out, DATE_SIZE, "%s %s %2d %02d:%02d:%02d %04d",
	    days[c.weekday], months[c.month - 1], c.day, c.hour, c.minute,
	    c.second, (int)c.year);
	return 0;
}

static void
put_two(char *p, int n)
{
	p[0] = (char)('0' + n / 10);
	p[1] = (char)('0' + n % 10);
}

/* Without printf: it is asked for by the ten thousand. */
int
date_format_imap(int64_t t, int offset, char out[DATE_SIZE])
{
	struct civil	c;
	int		abs = offset < 0 ? -offset : offset;

	if (abs >= 24 * 60 || t > INT64_MAX / 2 || t < INT64_MIN / 2) {
		errno = ERANGE;
		return -1;
	}
	if (civil_from_time(t + (int64_t)offset * 60, &c) == -1)
		return -1;
	memcpy(out, "dd-mon-yyyy hh:mm:ss +zzzz", 27);
	put_two(out, c.day);
	if (out[0] == '0')
		out[0] = ' ';
	memcpy(out + 3, months[c.month - 1], 3);
	put_two(out + 7, (int)(c.year / 100));
	put_two(out + 9, (int)(c.year % 100));
	put_two(out + 12, c.hour);
	put_two(out + 15, c.minute);
	put_two(out + 18, c.second);
	out[21] = offset < 0 ? '-' : '+';
	put_two(out + 22, abs / 60);
	put_two(out + 24, abs % 60);
	return 0;
}

bool
date_days(int64_t year, struct str month, int day, int64_t *out)
{
	static const int	 last[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool			 leap = (year % 4 == 0 && year % 100 != 0) ||
				    year % 400 == 0;
	int			 m;

	for (m = 0; m < 12; m++)
		if (str_eq_nocase(month, str_from(months[m])))
			break;
	if (m == 12 || year < 0 || year > 9999 || day < 1 ||
	    day > last[m] + (m == 1 && leap))
		return false;
	*out = days_from_civil(year, m + 1, day);
	return true;
}

/* CFWS: blanks, line ends of folding, nested comments with quoted pairs. */
static bool
skip_cfws(struct cur *c)
{
	int	depth = 0;

	while (!cur_done(c)) {
		if (*c->p == '(') {
			if (++depth > COMMENT_DEPTH)
				return false;
		} else if (depth > 0 && *c->p == ')')
			depth--;
		else if (depth > 0 && *c->p == '\\') {
			if (cur_left(c) < 2)
				return false;
			c->p++;
		} else if (depth == 0 && !is_wsp((unsigned char)*c->p) &&
		    *c->p != '\r' && *c->p != '\n')
			break;
		c->p++;
	}
	return depth == 0;
}

/* By its first three letters: "Sept" and "January" are seen as well. */
static bool
parse_month(struct cur *c, int *out)
{
	struct str	word;
	size_t		i;

	if (!cur_span(c, is_alpha, 16, &word))
		return false;
	for (i = 0; i < nitems(months); i++)
		if (str_starts_nocase(word, str_from(months[i]))) {
			*out = (int)i + 1;
			return true;
		}
	return false;
}

static bool
number(struct cur *c, size_t min, size_t max, int *out)
{
	unsigned long long	v;
	struct str		digits;

	if (!cur_span(c, is_digit, max, &digits) || digits.n < min ||
	    str_number(digits, 9999, &v) == -1)
		return false;
	*out = (int)v;
	return true;
}

static bool
parse_year(struct cur *c, int64_t *out)
{
	const char	*from = c->p;
	int		 y;

	if (!number(c, 2, 4, &y))
		return false;
	if (c->p - from == 2)		/* 4.3: two and three digits */
		y += y < 50 ? 2000 : 1900;
	else if (c->p - from == 3)
		y += 1900;
	*out = y;
	return true;
}

static bool
parse_day(struct cur *c, struct civil *d)
{
	static const int length[] = {
		31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
	};
	bool	leap;

	if (!skip_cfws(c) || !number(c, 1, 2, &d->day) || !skip_cfws(c) ||
	    !parse_month(c, &d->month) || !skip_cfws(c) ||
	    !parse_year(c, &d->year))
		return false;
	leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
	return d->day >= 1 && d->day <= length[d->month - 1] &&
	    (d->month != 2 || d->day < 29 || leap);
}

static bool
parse_time(struct cur *c, struct civil *d)
{
	struct cur	in;

	if (!skip_cfws(c) || !number(c, 1, 2, &d->hour) || !skip_cfws(c) ||
	    !cur_byte(c, ':') || !skip_cfws(c) || !number(c, 2, 2, &d->minute))
		return false;
	in = *c;
	d->second = 0;
	if (skip_cfws(&in) && cur_byte(&in, ':')) {
		if (!skip_cfws(&in) || !number(&in, 2, 2, &d->second))
			return false;
		*c = in;
	}
	return d->hour < 24 && d->minute < 60 && d->second <= 60;
}

static bool
parse_zone(struct cur *c, int *minutes)
{
	struct str	name, digits;
	int		sign = 1, v;
	size_t		i;

	if (!skip_cfws(c))
		return false;
	*minutes = 0;
	if (cur_byte(c, '+') || (cur_byte(c, '-') && (sign = -1) == -1)) {
		if (!cur_span(c, is_digit, 4, &digits) || digits.n != 4)
			return false;
		v = (digits.p[0] - '0') * 600 + (digits.p[1] - '0') * 60 +
		    (digits.p[2] - '0') * 10 + (digits.p[3] - '0');
		*minutes = sign * v;
		return v < 24 * 60 && digits.p[2] < '6';
	}
	if (!cur_span(c, is_alpha, 16, &name))
		return false;
	for (i = 0; i < nitems(zones); i++)
		if (str_eq_nocase(name, str_from(zones[i].name)))
			*minutes = zones[i].minutes;
	return true;
}

/* A name of a day, whatever it is; the comma may be missing. */
static void
skip_weekday(struct cur *in)
{
	struct cur	c = *in;
	struct str	name;

	if (!cur_span(&c, is_alpha, 16, &name) || !skip_cfws(&c))
		return;
	if (cur_byte(&c, ',') ||
	    (!cur_done(&c) && is_digit((unsigned char)*c.p)))
		*in = c;
}

bool
date_parse(struct cur *in, int64_t *out, int *offset)
{
	struct cur	c = *in, time;
	struct civil	d;

	if (!skip_cfws(&c))
		return false;
	skip_weekday(&c);
	if (!parse_day(&c, &d))
		return false;
	*offset = 0;
	time = c;
	if (parse_time(&time, &d)) {
		c = time;
		if (parse_zone(&time, offset))
			c = time;
		else
			*offset = 0;
	} else
		d.hour = d.minute = d.second = 0;
	*out = days_from_civil(d.year, d.month, d.day) * DAY +
	    d.hour * 3600 + d.minute * 60 + d.second - (int64_t)*offset * 60;
	*in = c;
	return true;
}

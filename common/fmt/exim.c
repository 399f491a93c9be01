/* common/fmt/exim.c - spool files of Exim. Pure; distrusts them, they may be torn or edited. */
#include "common/fmt/exim.h"

#include <string.h>

#include "common/base/attr.h"

#define NAME_MAX_LEN	64u
#define NUMBER_MAX	100000000u

static bool
fail(const char **why, const char *text)
{
	*why = text;
	return false;
}

static bool
line(struct cur *c, struct str *out)
{
	return cur_until(c, '\n', out);
}

static bool
ends_with(struct str s, struct str end)
{
	return s.n >= end.n &&
	    memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* "NAME-H" */
static bool
take_name(struct cur *c, struct exim_mail *m)
{
	struct str	s;

	if (!line(c, &s) || !ends_with(s, STR("-H")) || s.n < 3 ||
	    s.n > NAME_MAX_LEN)
		return false;
	m->name = (struct str){ s.p, s.n - 2 };
	return true;
}

/* "<sender>", "time warnings" */
static bool
take_sender(struct cur *c, struct exim_mail *m)
{
	unsigned long long	when;
	struct str		s, rest;

	if (!line(c, &s) || s.n < 2 || s.p[0] != '<' || s.p[s.n - 1] != '>')
		return false;
	m->sender = (struct str){ s.p + 1, s.n - 2 };
	if (!cur_number(c, INT64_MAX / 1000000, &when) || !line(c, &rest))
		return false;
	m->arrival_s = (int64_t)when;
	return true;
}

/* "[192.0.2.1]:25" or "[192.0.2.1].25", or bare */
static struct str
address(struct str v)
{
	const char	*end;

	if (v.n == 0 || v.p[0] != '[')
		return v;
	end = memchr(v.p, ']', v.n);
	return end == NULL ? v :
	    (struct str){ v.p + 1, (size_t)(end - v.p - 1) };
}

/* "-aclm name 12": so many bytes and a line end follow. False: they are not there. */
static bool
skip_variable(struct cur *c, struct str option)
{
	const char		*blank = memrchr(option.p, ' ', option.n);
	unsigned long long	n;
	struct str		digits;

	if (blank == NULL)
		return false;
	digits = (struct str){ blank + 1,
	    (size_t)(option.p + option.n - blank - 1) };
	if (str_number(digits, NUMBER_MAX, &n) == -1 || n >= cur_left(c))
		return false;
	c->p += n;
	return cur_byte(c, '\n');
}

static bool
take_option(struct cur *c, struct str s, struct exim_mail *m)
{
	const struct {
		const char	*name;
		struct str	*to;
	} texts[] = {
		{ "helo_name",		&m->helo },
		{ "host_address",	&m->client },
		{ "received_protocol",	&m->proto },
		{ "auth_id",		&m->auth },
		{ "dsn_envid",		&m->envid },
	};
	struct str	name, value = STR("");
	const char	*blank;
	size_t		i;

	/* two if the value came from outside */
	i = s.p[1] == '-' ? 2 : 1;
	s = (struct str){ s.p + i, s.n - i };
	name = s;
	if ((blank = memchr(s.p, ' ', s.n)) != NULL) {
		name.n = (size_t)(blank - s.p);
		value = (struct str){ blank + 1, s.n - name.n - 1 };
	}
	if (str_starts_nocase(name, STR("acl")))
		return skip_variable(c, s);
	for (i = 0; i < nitems(texts); i++)
		if (str_eq(name, str_from(texts[i].name)))
			*texts[i].to = value;
	m->client = address(m->client);
	m->frozen = m->frozen || str_eq(name, STR("frozen"));
	m->utf8 = m->utf8 || str_eq(name, STR("smtputf8"));
	m->wire = m->wire || str_eq(name, STR("spool_file_wireformat"));
	if (str_eq(name, STR("dsn_ret")) && value.n == 1 &&
	    (value.p[0] == '1' || value.p[0] == '2'))
		m->ret = (unsigned)(value.p[0] - '0');
	return true;
}

/* "XX", or a tree of "YN address": does it have a left branch, and a right one? */
static bool
take_tree(struct cur *c, struct exim_mail *m)
{
	struct str	s;
	size_t		left = 1;

	m->got = (struct str){ c->p, 0 };
	if (cur_left(c) >= 3 && memcmp(c->p, "XX\n", 3) == 0) {
		c->p += 3;
		return true;
	}
	while (left > 0) {
		if (!line(c, &s) || s.n < 4 || s.p[2] != ' ' ||
		    (s.p[0] != 'Y' && s.p[0] != 'N') ||
		    (s.p[1] != 'Y' && s.p[1] != 'N'))
			return false;
		left += (size_t)(s.p[0] == 'Y') + (s.p[1] == 'Y') - 1;
		m->ngot++;
	}
	m->got.n = (size_t)(c->p - m->got.p);
	return true;
}

static bool
take_rcpts(struct cur *c, struct exim_mail *m)
{
	unsigned long long	n, i;
	struct str		s;

	if (!cur_number(c, NUMBER_MAX, &n) || !cur_byte(c, '\n'))
		return false;
	m->rcpts.p = c->p;
	for (i = 0; i < n; i++)
		if (!line(c, &s) || s.n == 0)
			return false;
	m->nrcpts = (size_t)n;
	m->rcpts.n = (size_t)(c->p - m->rcpts.p);
	return cur_byte(c, '\n');
}

/* "012F text": how long, and what it is; '*' for one that was replaced. */
static bool
field(struct cur *in, char *flag, struct str *text)
{
	struct cur		c = *in;
	unsigned long long	n;

	if (!cur_number(&c, NUMBER_MAX, &n) || cur_left(&c) < 2)
		return false;
	*flag = *c.p++;
	if (!cur_byte(&c, ' ') || n == 0 || n > cur_left(&c) ||
	    c.p[n - 1] != '\n')
		return false;
	*text = (struct str){ c.p, (size_t)n };
	c.p += n;
	*in = c;
	return true;
}

bool
exim_header_next(struct cur *c, struct str *text)
{
	char	flag;

	while (field(c, &flag, text))
		if (flag != '*')
			return true;
	return false;
}

static bool
take_header(struct cur *c, struct exim_mail *m)
{
	struct str	text;
	char		flag;

	m->header.p = c->p;
	while (!cur_done(c))
		if (!field(c, &flag, &text))
			return false;
	m->header.n = (size_t)(c->p - m->header.p);
	return true;
}

bool
exim_read(struct str file, struct exim_mail *m, const char **why)
{
	struct cur	c = cur_from(file);
	struct str	none = STR(""), s;

	*m = (struct exim_mail){ .name = none, .sender = none, .client = none,
	    .helo = none, .proto = none, .auth = none, .envid = none,
	    .got = none, .rcpts = none, .header = none };
	if (!take_name(&c, m))
		return fail(why, "its first line is not its name");
	if (!line(&c, &s))
		return fail(why, "it ends before the sender");
	if (!take_sender(&c, m))
		return fail(why, "its sender or its time makes no sense");
	while (cur_peek(&c) == '-')
		if (!line(&c, &s) || s.n < 2 || !take_option(&c, s, m))
			return fail(why, "an option makes no sense");
	if (!take_tree(&c, m))
		return fail(why, "who has got it makes no sense");
	if (!take_rcpts(&c, m))
		return fail(why, "the recipients make no sense");
	return take_header(&c, m) || fail(why, "the header makes no sense");
}

/* Takes " WORDS N,M" from the end, where WORDS have N bytes. */
static bool
last_group(struct str *s, struct str *words, unsigned *m)
{
	const char		*comma = memrchr(s->p, ',', s->n), *blank;
	unsigned long long	n, second = 0;
	struct str		digits;

	if (comma == NULL)
		return false;
	digits = (struct str){ comma + 1, (size_t)(s->p + s->n - comma - 1) };
	/* the number of a parent may be -1 */
	if (!str_eq(digits, STR("-1")) &&
	    str_number(digits, NUMBER_MAX, &second) == -1)
		return false;
	blank = memrchr(s->p, ' ', (size_t)(comma - s->p));
	if (blank == NULL)
		return false;
	digits = (struct str){ blank + 1, (size_t)(comma - blank - 1) };
	if (str_number(digits, NUMBER_MAX, &n) == -1 ||
	    (size_t)(blank - s->p) < n + 1 || blank[-(ptrdiff_t)n - 1] != ' ')
		return false;
	*words = (struct str){ blank - n, (size_t)n };
	s->n = (size_t)(blank - s->p) - (size_t)n - 1;
	*m = (unsigned)second;
	return true;
}

/*
 * "address", or "address orcpt 5,dsn errors-to 9,parent#3": the number behind
 * the mark has a bit for each of the two groups.
 */
bool
exim_rcpt_next(struct cur *c, struct exim_rcpt *r)
{
	struct str	s, rest, words;
	const char	*mark;
	unsigned	n;
	bool		ok = true;

	if (!line(c, &s))
		return false;
	*r = (struct exim_rcpt){ s, STR(""), 0 };
	mark = memrchr(s.p, '#', s.n);
	if (mark == NULL || mark + 2 != s.p + s.n || mark[1] < '1' ||
	    mark[1] > '3')
		return true;
	rest = (struct str){ s.p, (size_t)(mark - s.p) };
	if (mark[1] & 1)
		ok = last_group(&rest, &words, &n);
	if (ok && (mark[1] & 2) && (ok = last_group(&rest, &words, &n))) {
		r->orcpt = words;
		r->notify = n >> 1 & 15;
	}
	/* An address may end like that, too. */
	if (ok)
		r->addr = rest;
	else
		*r = (struct exim_rcpt){ s, STR(""), 0 };
	return true;
}

/* The local part as it is, the domain without regard to case. */
static bool
same_address(struct str a, struct str b)
{
	const char	*at = memrchr(a.p, '@', a.n);
	size_t		 n;

	if (a.n != b.n)
		return false;
	n = at == NULL ? a.n : (size_t)(at - a.p);
	return memcmp(a.p, b.p, n) == 0 &&
	    str_eq_nocase((struct str){ a.p + n, a.n - n },
	    (struct str){ b.p + n, b.n - n });
}

bool
exim_got(const struct exim_mail *m, struct str journal, struct str addr)
{
	struct cur	c = cur_from(m->got);
	struct str	s;

	while (line(&c, &s))
		if (s.n > 3 && same_address((struct str){ s.p + 3, s.n - 3 },
		    addr))
			return true;
	/* a last line without its end was not finished: that delivery may be made again */
	c = cur_from(journal);
	while (line(&c, &s))
		if (same_address(s, addr))
			return true;
	return false;
}

bool
exim_body(struct str file, struct str name, struct str *body)
{
	struct cur	c = cur_from(file);
	struct str	s;

	if (!line(&c, &s) || !ends_with(s, STR("-D")) ||
	    !str_eq((struct str){ s.p, s.n - 2 }, name))
		return false;
	*body = cur_rest(&c);
	return true;
}

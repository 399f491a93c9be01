/* queue/filter.c - which messages are meant; pure. */
#include "queue/filter.h"

#include <string.h>

#include "common/base/conf.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"

/* One place only. */
static bool
set_place(struct filter *f, const char *place)
{
	if (*f->place != '\0' && strcmp(f->place, place) != 0)
		return false;
	return strlcpy(f->place, place, sizeof(f->place)) <
	    sizeof(f->place);
}

bool
filter_option(struct filter *f, int option, const char *value,
    const char **why)
{
	char		*to = NULL;
	long long	 ms;

	*why = "too long";
	switch (option) {
	case 'F':
		to = f->sender;
		break;
	case 't':
		to = f->rcpt;
		break;
	case 'd':
		to = f->domain;
		break;
	case 'e':
		to = f->text;
		break;
	case 'u':
		to = f->user;
		break;
	case 'H':
		*why = "no message waits for its next attempt and is held";
		return set_place(f, "held");
	case 'w':
		*why = "no message is held and waits for its next attempt";
		return set_place(f, "waiting");
	case 'o':
		*why = "no time such as 90s, 5m, 4h or 2d";
		if (conf_time(value, &ms) == -1 || ms <= 0)
			return false;
		f->older_ms = (uint64_t)ms;
		return true;
	}
	return to != NULL && strlcpy(to, value, FILTER_SIZE) < FILTER_SIZE;
}

static bool
is_rest_empty(const struct filter *f)
{
	return *f->sender == '\0' && *f->rcpt == '\0' && *f->domain == '\0' &&
	    *f->text == '\0' && f->older_ms == 0;
}

bool
filter_is_of_place(const struct filter *f)
{
	return is_rest_empty(f) && *f->user == '\0';
}

bool
filter_is_of_user(const struct filter *f)
{
	return is_rest_empty(f) && *f->user != '\0';
}

bool
filter_is_empty(const struct filter *f)
{
	return filter_is_of_place(f) && *f->place == '\0';
}

static void
put(struct buf *out, char tag, const char *text)
{
	if (*text != '\0')
		record_puts(out, tag, text);
}

void
filter_put(const struct filter *f, struct buf *out)
{
	put(out, FILTER_SENDER, f->sender);
	put(out, FILTER_RCPT, f->rcpt);
	put(out, FILTER_DOMAIN, f->domain);
	put(out, FILTER_TEXT, f->text);
	put(out, FILTER_USER, f->user);
	put(out, FILTER_PLACE, f->place);
	if (f->older_ms > 0)
		record_putu(out, FILTER_OLDER, f->older_ms);
}

static bool
get(struct str rec, char tag, char *to, size_t size)
{
	struct str	v;

	return !record_get(rec, tag, &v) || record_gets(rec, tag, to, size);
}

bool
filter_get(struct str rec, struct filter *f)
{
	struct str	v;

	memset(f, 0, sizeof(*f));
	return get(rec, FILTER_SENDER, f->sender, sizeof(f->sender)) &&
	    get(rec, FILTER_RCPT, f->rcpt, sizeof(f->rcpt)) &&
	    get(rec, FILTER_DOMAIN, f->domain, sizeof(f->domain)) &&
	    get(rec, FILTER_TEXT, f->text, sizeof(f->text)) &&
	    get(rec, FILTER_USER, f->user, sizeof(f->user)) &&
	    get(rec, FILTER_PLACE, f->place, sizeof(f->place)) &&
	    (!record_get(rec, FILTER_OLDER, &v) ||
	    record_getu(rec, FILTER_OLDER, INT64_MAX, &f->older_ms));
}

static bool
same_byte(char a, char b)
{
	if (a >= 'A' && a <= 'Z')
		a = (char)(a + 32);
	if (b >= 'A' && b <= 'Z')
		b = (char)(b + 32);
	return a == b;
}

/* Linear for one star, and never worse than pattern times text. */
bool
filter_glob(struct str pattern, struct str text)
{
	size_t	p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n &&
		    same_byte(pattern.p[p], text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else
			return false;
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static struct str
domain_of(struct str addr)
{
	const char	*at = memrchr(addr.p, '@', addr.n);

	if (at == NULL)
		return STR("");
	return (struct str){ at + 1, (size_t)(addr.p + addr.n - at - 1) };
}

static bool
rcpt_matches(const struct filter *f, const struct envelope_rcpt *r)
{
	if (r->state != RCPT_WAITING && r->state != RCPT_FAILED)
		return false;
	return (*f->rcpt == '\0' ||
	    filter_glob(str_from(f->rcpt), r->addr)) &&
	    (*f->domain == '\0' ||
	    filter_glob(str_from(f->domain), domain_of(r->addr)));
}

static bool
a_rcpt_matches(const struct filter *f, const struct envelope *env)
{
	size_t	i;

	if (*f->rcpt == '\0' && *f->domain == '\0')
		return true;
	for (i = 0; i < env->nrcpts; i++)
		if (rcpt_matches(f, &env->rcpts[i]))
			return true;
	return false;
}

static bool
text_matches(const char *pattern, struct str status)
{
	struct str	p = str_from(pattern), line;
	size_t		i;

	while (status.n > 0) {
		line = status;
		for (i = 0; i < line.n && line.p[i] != '\n'; i++)
			continue;
		line.n = i;
		for (; line.n >= p.n; line.p++, line.n--)
			if (str_starts_nocase(line, p))
				return true;
		status.p += i + (i < status.n);
		status.n -= i + (i < status.n);
	}
	return false;
}

bool
filter_matches_status(const struct filter *f, struct str status)
{
	return *f->text == '\0' || text_matches(f->text, status);
}

bool
filter_matches_envelope(const struct filter *f, const struct envelope *env,
    const char *place, int64_t now_real_ms)
{
	if (*f->place != '\0' && strcmp(f->place, place) != 0)
		return false;
	if (f->older_ms > 0 && (now_real_ms < env->arrival_ms ||
	    (uint64_t)(now_real_ms - env->arrival_ms) < f->older_ms))
		return false;
	if (*f->sender != '\0' && !(env->sender.n == 0 ?
	    strcmp(f->sender, "<>") == 0 :
	    filter_glob(str_from(f->sender), env->sender)))
		return false;
	if (*f->user != '\0' && !str_eq_nocase(str_from(f->user), env->auth))
		return false;
	return a_rcpt_matches(f, env);
}

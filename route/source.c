/*
 * route/source.c - all source files in memory, and the proof that they make
 * sense. Run by `route -c` (root) and `route -t` (anybody).
 */
#include "route/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/net/addr.h"
#include "common/store/users.h"
#include "route/users_of.h"

#define SAID_MAX	(1u << 20)

static void
say(struct sources *s, struct str line)
{
	/* past its maximum nobody reads it any more */
	if (buf_addstr(&s->said, line) == 0)
		buf_addc(&s->said, '\n');
}

void
sources_mistake(struct sources *s, const char *file, unsigned line,
    unsigned col, const char *fmt, ...)
{
	char		text[DIAG_MAX];
	struct diag	d = { "" };
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_at(&d, file, line, col, "%s", text);
	say(s, str_from(d.text));
	s->mistakes++;
}

void
sources_warn(struct sources *s, const char *file, unsigned line,
    const char *fmt, ...)
{
	char	text[DIAG_MAX];
	va_list	ap;
	int	n;

	if (file == NULL)
		n = snprintf(text, sizeof(text), "warning: ");
	else
		n = snprintf(text, sizeof(text), "%s:%u: warning: ", file,
		    line);
	if (n < 0 || (size_t)n >= sizeof(text))
		n = 0;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	say(s, str_from(text));
	s->warnings++;
}

static void
twice(void *arg, const struct memory_row *first, const struct memory_row *again)
{
	sources_mistake(arg, again->file, again->line, 1, "this name is there "
	    "already, expected it once (see %s:%u)", first->file, first->line);
}

/* The store knows no addresses. */
static void
prove_networks(struct sources *s, struct str list, const char *file,
    unsigned line)
{
	struct network	net;
	struct str	one;

	while (list.n > 0) {
		one = list;
		for (one.n = 0; one.n < list.n && one.p[one.n] != ','; one.n++)
			continue;
		list.p += one.n + (one.n < list.n);
		list.n -= one.n + (one.n < list.n);
		if (one.n > 0 && one.p[0] == '!') {
			one.p++;
			one.n--;
		}
		if (!str_eq(one, STR("local")) &&
		    network_parse(one, &net) == -1)
			sources_mistake(s, file, line, 1, "bad network "
			    "\"%.*s\" in allow_nets, expected one such as "
			    "192.0.2.0/24 or 2001:db8::/32", STR_ARG(one));
	}
}

static int
add_user(void *arg, const struct users_entry *e, const char *file,
    unsigned line)
{
	struct sources	*s = arg;
	char		 value[1200];

	prove_networks(s, e->networks, file, line);
	snprintf(value, sizeof(value), "%u %s:%u", (unsigned)e->user.uid, file,
	    line);
	return memory_add(&s->names, str_from(e->user.name), str_from(value),
	    file, line);
}

/* One that cannot be read is a mistake of the configuration's. */
static bool
can_read(struct sources *s, const struct setting_item *it)
{
	if (it->more == NULL || eaccess(it->more, R_OK) == 0)
		return true;
	sources_mistake(s, it->file, it->line, 1, "users %s %s: %s", it->text,
	    it->more, strerror(errno));
	return false;
}

static void
scan_users(struct sources *s, const struct users_of *from)
{
	struct buf	mistakes;
	struct diag	why;

	buf_init(&mistakes, SAID_MAX);
	if (users_scan(from->sources, from->n, &from->defaults, add_user, s,
	    &mistakes, &why) == -1) {
		buf_addstr(&s->said, buf_view(&mistakes));
		s->mistakes++;
	}
	buf_free(&mistakes);
}

static int
load_users(struct sources *s)
{
	const struct settings	*st = s->site->settings;
	struct users_of		 from;
	struct diag		 why;
	size_t			 i, n = 0;

	if (settings_users_system(st) &&
	    users_open(&s->system, false, true, -1, &why) == -1)
		return -1;
	if (!settings_users_tables(st))
		return 0;
	if (users_of_init(&from, st) == -1)
		return -1;
	for (i = 0; i < from.n; i++)
		if (can_read(s, &st->users.items[i]))
			from.sources[n++] = from.sources[i];
	from.n = n;
	scan_users(s, &from);
	users_of_free(&from);
	return 0;
}

void
sources_init(struct sources *s, const struct site *site)
{
	size_t	i;

	*s = (struct sources){ .site = site };
	for (i = 0; i < TABLE_KINDS; i++)
		memory_init(&s->tables[i]);
	memory_init(&s->names);
	buf_init(&s->said, SAID_MAX);
}

void
sources_sort(struct sources *s)
{
	size_t	i;

	for (i = 0; i < TABLE_KINDS; i++)
		memory_sort(&s->tables[i], twice, s);
	memory_sort(&s->names, twice, s);
}

int
sources_load(struct sources *s, const struct site *site)
{
	const struct settings		*st = site->settings;
	const struct setting_list	*files[TABLE_KINDS] = {
		&st->aliases, &st->virtuals, &st->senders
	};
	size_t				 i, kind;

	sources_init(s, site);
	if (load_users(s) == -1) {
		sources_free(s);
		return -1;
	}
	for (kind = 0; kind < TABLE_KINDS; kind++)
		for (i = 0; i < files[kind]->n; i++)
			sources_file(s, &files[kind]->items[i],
			    (enum table_kind)kind);
	sources_sort(s);
	return 0;
}

void
sources_free(struct sources *s)
{
	size_t	i;

	for (i = 0; i < TABLE_KINDS; i++)
		memory_free(&s->tables[i]);
	memory_free(&s->names);
	users_close(&s->system);
	buf_free(&s->said);
}

static int
get_alias(void *arg, struct str key, struct str *value)
{
	struct sources	*s = arg;

	return memory_get(&s->tables[TABLE_ALIASES], key, value);
}

static int
get_virtual(void *arg, struct str key, struct str *value)
{
	struct sources	*s = arg;

	return memory_get(&s->tables[TABLE_VIRTUAL], key, value);
}

static int
get_sender(void *arg, struct str key, struct str *value)
{
	struct sources	*s = arg;

	return memory_get(&s->tables[TABLE_SENDERS], key, value);
}

static int
get_user(void *arg, struct str name, uid_t *uid, struct buf *place)
{
	struct sources		*s = arg;
	struct user		 u;
	struct str		 value, number;
	unsigned long long	 n;
	int			 r;

	if (!memory_get(&s->names, name, &value)) {
		if (s->system == NULL)
			return 0;
		if ((r = users_find(s->system, name, &u, place)) == 1)
			*uid = u.uid;
		return r;
	}
	number = value;
	number.n = (size_t)((const char *)memchr(value.p, ' ', value.n) -
	    value.p);
	if (str_number(number, UINT32_MAX, &n) == -1)
		return -1;
	*uid = (uid_t)n;
	buf_add(place, value.p + number.n + 1, value.n - number.n - 1);
	return 1;
}

struct engine_tables
sources_tables(struct sources *s)
{
	return (struct engine_tables){ s, get_alias, get_virtual, get_user,
	    get_sender };
}

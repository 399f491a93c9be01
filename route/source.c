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
#include "common/store/users.h"

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

static int
add_user(void *arg, const struct user *u, struct str password,
    const char *file, unsigned line)
{
	struct sources	*s = arg;
	char		 value[1200];

	(void)password;
	snprintf(value, sizeof(value), "%u %s:%u", (unsigned)u->uid, file,
	    line);
	return memory_add(&s->names, str_from(u->name), str_from(value), file,
	    line);
}

static int
load_users(struct sources *s)
{
	const struct setting_list *list = &s->site->settings->users;
	const char	**files;
	struct buf	  mistakes;
	struct diag	  why;
	size_t		  i, n = 0;

	if (strcmp(list->items[0].text, "system") == 0)
		return users_open(&s->system, true, -1, &why);
	if ((files = calloc(list->n, sizeof(*files))) == NULL)
		return -1;
	/* one that cannot be read is a mistake of the configuration's */
	for (i = 0; i < list->n; i++)
		if (eaccess(list->items[i].more, R_OK) == 0)
			files[n++] = list->items[i].more;
		else
			sources_mistake(s, list->items[i].file,
			    list->items[i].line, 1, "users file %s: %s",
			    list->items[i].more, strerror(errno));
	buf_init(&mistakes, SAID_MAX);
	if (users_scan(files, n, add_user, s, &mistakes, &why) == -1) {
		buf_addstr(&s->said, buf_view(&mistakes));
		s->mistakes++;
	}
	buf_free(&mistakes);
	free(files);
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

	if (s->system != NULL) {
		if ((r = users_find(s->system, name, &u, place)) == 1)
			*uid = u.uid;
		return r;
	}
	if (!memory_get(&s->names, name, &value))
		return 0;
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

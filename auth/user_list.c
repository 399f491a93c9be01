/* auth/user_list.c - user list: who is in the passwd-files, and what is to be said of their passwords. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "auth/user.h"
#include "common/base/fdio.h"

struct listing {
	const char	*file, *scheme, *wanted;	/* wanted NULL: all */
	unsigned	 line;
	size_t		 shown, mistakes;
};

/* "SHA512-CRYPT", or why no password fits. */
static const char *
name_of(const struct users_entry *e, const char *scheme, struct str record)
{
	struct scheme_record	 r;
	char			 text[USER_PASSWORD_MAX + 64];
	const char		*why = NULL;

	if (record.n == 0)
		return e->any ? "any" : "none";
	if (record.p[0] != '{' && scheme != NULL) {
		snprintf(text, sizeof(text), "{%s}%.*s", scheme,
		    STR_ARG(record));
		record = str_from(text);
	}
	if (!scheme_split(record, &r))
		why = "unknown";
	else if (scheme_record_ok(&r, &why))
		why = scheme_name(r.scheme);
	explicit_bzero(text, sizeof(text));
	return why;
}

static void
show(struct listing *l, const struct users_entry *e)
{
	size_t	i;

	printf("%s\t%s", e->user.name, name_of(e, l->scheme, e->password));
	for (i = 0; i < e->napps; i++)
		printf("\tapp=%.*s:%.*s", STR_ARG(e->apps[i].name),
		    STR_ARG(e->apps[i].services));
	if (e->services.n > 0)
		printf("\tservices=%.*s", STR_ARG(e->services));
	if (e->networks.n > 0)
		printf("\tallow_nets=%.*s", STR_ARG(e->networks));
	if (e->user.quota > 0)
		printf("\tquota=%llu", (unsigned long long)e->user.quota);
	printf("%s%s\t%s:%u\n", e->master ? "\tmaster" : "",
	    e->nologin ? "\tnologin" : "", l->file, l->line);
	l->shown++;
}

static void
list_line(struct listing *l, struct str text)
{
	struct users_entry	 e;
	const char		*what;
	unsigned		 col;

	switch (users_parse_line(text, &e, &what, &col)) {
	case 1:
		if (l->wanted == NULL ||
		    str_eq_nocase(str_from(e.user.name), str_from(l->wanted)))
			show(l, &e);
		break;
	case -1:
		warnx("%s:%u:%u: %s", l->file, l->line, col, what);
		l->mistakes++;
		break;
	}
	explicit_bzero(&e, sizeof(e));
}

static int
list_file(struct listing *l)
{
	struct buf	 text;
	struct str	 rest, row;

	buf_init(&text, USER_FILE_MAX);
	if (fdio_slurp_at(AT_FDCWD, l->file, &text) == -1) {
		warn("%s", l->file);
		buf_wipe(&text);
		return -1;
	}
	rest = buf_view(&text);
	while (str_take_line(&rest, &row)) {
		l->line++;
		list_line(l, row);
	}
	buf_wipe(&text);
	return 0;
}

int
user_list(struct user_opts *o)
{
	struct listing	l = { .wanted = o->nargs > 0 ? o->args[0] : NULL };
	size_t		i, n = o->file != NULL ? 1 : o->settings->users.n;
	bool		failed = false;

	for (i = 0; i < n; i++) {
		const struct setting_item *it = o->file != NULL ? NULL :
		    &o->settings->users.items[i];

		if (it != NULL && strcmp(it->text, "file") != 0) {
			warnx("users %s%s%s are not listed", it->text,
			    it->more == NULL ? "" : " ",
			    it->more == NULL ? "" : it->more);
			continue;
		}
		l.file = it == NULL ? o->file : it->more;
		l.scheme = it == NULL ? NULL : it->last;
		l.line = 0;
		failed |= list_file(&l) == -1;
	}
	if (fflush(stdout) == EOF)
		return EX_IOERR;
	if (failed)
		return EX_NOINPUT;
	if (l.mistakes > 0)
		return EX_DATAERR;
	return l.wanted != NULL && l.shown == 0 ? EX_NOUSER : 0;
}

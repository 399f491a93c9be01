/* auth/user_line.c - lines of passwd-files, made and changed; what comes out is a line that users_parse_line takes. Pure. */
#include <string.h>

#include "auth/user.h"

#define FIELDS	8

/* name, password, uid, gid, gecos, home, shell, extra: the last has all that is left. */
static void
split(struct str line, struct str field[FIELDS])
{
	const char	*colon;
	size_t		 i;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	for (i = 0; i < FIELDS; i++) {
		field[i] = line;
		colon = i == FIELDS - 1 || line.n == 0 ? NULL :
		    memchr(line.p, ':', line.n);
		if (colon == NULL) {
			line = (struct str){ line.p + line.n, 0 };
			continue;
		}
		field[i].n = (size_t)(colon - line.p);
		line.n -= field[i].n + 1;
		line.p = colon + 1;
	}
}

static void
join(const struct str field[FIELDS], struct buf *out)
{
	size_t	i;

	for (i = 0; i < FIELDS; i++) {
		if (i > 0)
			buf_addc(out, ':');
		buf_addstr(out, field[i]);
	}
}

/* Does it say what it is meant to say? */
static int
prove(struct buf *out, struct diag *why)
{
	struct users_entry	 e;
	const char		*what = NULL;
	unsigned		 col;

	if (!buf_ok(out))
		return diag_set(why, "the line is too long");
	if (memchr(out->p, '\n', out->n) != NULL)
		return diag_set(why, "a line end within a value");
	if (users_parse_line(buf_view(out), &e, &what, &col) == 1)
		return 0;
	return diag_set(why, "%s", what != NULL ? what :
	    "this is no line of a user");
}

int
user_line_password(struct str line, struct str record, struct buf *out,
    struct diag *why)
{
	struct str	field[FIELDS];

	split(line, field);
	field[1] = record;
	join(field, out);
	return prove(out, why);
}

/* "uid=1000" goes into its field, all else into the last one. */
static int
take_field(struct str field[FIELDS], struct buf *extra, const char *text,
    struct diag *why)
{
	static const struct { const char *key; size_t at; } places[] = {
		{ "uid=", 2 }, { "gid=", 3 }, { "gecos=", 4 }, { "home=", 5 }
	};
	struct users_entry	 e;
	struct str		 word = str_from(text);
	const char		*equals = strchr(text, '=');
	bool			 known;
	size_t			 i;

	for (i = 0; i < nitems(places); i++)
		if (str_starts_nocase(word, str_from(places[i].key))) {
			field[places[i].at] = str_from(equals + 1);
			if (strchr(equals, ':') == NULL)
				return 0;
			return diag_set(why, "%s has a colon in it", text);
		}
	users_entry_init(&e);
	(void)users_entry_set(&e, equals == NULL ? word : (struct str){ text,
	    (size_t)(equals - text) }, str_from(equals == NULL ? "" :
	    equals + 1), &known);
	if (!known || strpbrk(text, " \t") != NULL ||
	    str_starts_nocase(word, STR("name")) ||
	    str_starts_nocase(word, STR("password")))
		return diag_set(why, "%s, expected uid=, gid=, gecos=, home=, "
		    "mail=, quota=, services=, allow_nets=, master, nologin",
		    text);
	if (extra->n > 0)
		buf_addc(extra, ' ');
	buf_adds(extra, text);
	return 0;
}

int
user_line_new(const char *name, struct str record, char *const *fields,
    int nfields, struct buf *out, struct diag *why)
{
	struct str	field[FIELDS];
	struct buf	extra;
	int		i, r = 0;

	for (i = 0; i < FIELDS; i++)
		field[i] = STR("");
	field[0] = str_from(name);
	field[1] = record;
	buf_init(&extra, USER_LINE_MAX);
	for (i = 0; i < nfields && r == 0; i++)
		r = take_field(field, &extra, fields[i], why);
	field[FIELDS - 1] = buf_view(&extra);
	if (r == 0) {
		join(field, out);
		r = prove(out, why);
	}
	buf_free(&extra);
	return r;
}

static bool
is_app(struct str word, const char *app)
{
	struct str	name = { word.p + 4, word.n - 4 };
	const char	*colon;

	if (word.n < 4 || memcmp(word.p, "app=", 4) != 0)
		return false;
	colon = name.n == 0 ? NULL : memchr(name.p, ':', name.n);
	if (colon != NULL)
		name.n = (size_t)(colon - name.p);
	return str_eq_nocase(name, str_from(app));
}

/* The words of the last field but for that application password. */
static void
without_app(struct str extra, const char *app, bool *found, struct buf *out)
{
	struct str	word;

	*found = false;
	while ((extra = str_trim(extra)).n > 0) {
		word = extra;
		for (word.n = 0; word.n < extra.n && word.p[word.n] != ' ' &&
		    word.p[word.n] != '\t'; word.n++)
			continue;
		extra.p += word.n;
		extra.n -= word.n;
		if (is_app(word, app)) {
			*found = true;
			continue;
		}
		if (out->n > 0)
			buf_addc(out, ' ');
		buf_addstr(out, word);
	}
}

int
user_line_app(struct str line, const char *app, const char *services,
    struct str record, bool *found, struct buf *out, struct diag *why)
{
	struct str	field[FIELDS];
	struct buf	extra;
	int		r;

	split(line, field);
	buf_init(&extra, USER_LINE_MAX);
	without_app(field[FIELDS - 1], app, found, &extra);
	if (record.n > 0)
		buf_addf(&extra, "%sapp=%s:%s:%.*s", extra.n > 0 ? " " : "",
		    app, services, STR_ARG(record));
	if (!buf_ok(&extra))
		out->bad = true;
	field[FIELDS - 1] = buf_view(&extra);
	join(field, out);
	r = prove(out, why);
	buf_wipe(&extra);
	return r;
}

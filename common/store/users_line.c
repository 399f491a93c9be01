/*
 * common/store/users_line.c - one line of a passwd-file; pure. The file is the
 * administrator's, but often made by programs: nothing in it is taken for
 * granted. What programs of other makers wrote into its last field is left
 * alone, unless it would put mail elsewhere than they do.
 */
#include <string.h>

#include "common/store/users.h"

struct fields {
	const char	*begin;		/* of the line, for columns */
	struct str	 rest;
	struct str	 field;		/* the present one */
};

/* Up to the next colon; an absent field is empty. */
static struct str
next_field(struct fields *f)
{
	const char	*colon = NULL;

	if (f->rest.n > 0)
		colon = memchr(f->rest.p, ':', f->rest.n);
	f->field = f->rest;
	if (colon == NULL) {
		f->rest.p += f->rest.n;
		f->rest.n = 0;
	} else {
		f->field.n = (size_t)(colon - f->rest.p);
		f->rest.p = colon + 1;
		f->rest.n -= f->field.n + 1;
	}
	return f->field;
}

/* The next word of the last field; false: there is none. */
static bool
next_word(struct fields *f)
{
	while (f->rest.n > 0 && (f->rest.p[0] == ' ' || f->rest.p[0] == '\t')) {
		f->rest.p++;
		f->rest.n--;
	}
	f->field = f->rest;
	for (f->field.n = 0; f->field.n < f->rest.n &&
	    f->field.p[f->field.n] != ' ' && f->field.p[f->field.n] != '\t';
	    f->field.n++)
		continue;
	f->rest.p += f->field.n;
	f->rest.n -= f->field.n;
	return f->field.n > 0;
}

/* "app=NAME:SERVICES:RECORD"; a record may have colons in it. */
static const char *
take_app(struct str value, struct users_entry *e)
{
	struct fields	f = { value.p, value, { value.p, 0 } };
	struct str	name, services;

	name = next_field(&f);
	services = next_field(&f);
	return users_entry_add_app(e, name, services, f.rest);
}

/* One word of the last field. */
static const char *
take_extra(struct str word, struct users_entry *e)
{
	struct str	 key = word, value = { word.p + word.n, 0 };
	const char	*equals = memchr(word.p, '=', word.n);
	bool		 known, userdb;

	if (equals != NULL) {
		key.n = (size_t)(equals - word.p);
		value.p = equals + 1;
		value.n = word.n - key.n - 1;
	}
	if ((userdb = str_starts_nocase(key, STR("userdb_")))) {
		key.p += 7;
		key.n -= 7;
	}
	if (str_eq(key, STR("app")) && !userdb)
		return take_app(value, e);
	/* these have their places at the beginning of the line */
	if (str_eq(key, STR("name")) || str_eq(key, STR("password")) ||
	    (!userdb && (str_eq(key, STR("uid")) || str_eq(key, STR("gid")) ||
	    str_eq(key, STR("home")))))
		return NULL;
	return users_entry_set(e, key, value, &known);
}

static const char *
take_fields(struct fields *f, struct users_entry *e)
{
	static const char *const keys[] = {
		"password", "uid", "gid", NULL, "home", NULL
	};
	const char	*what;
	bool		 known;
	size_t		 i;

	what = users_entry_set(e, STR("name"), next_field(f), &known);
	if (what == NULL && f->rest.p == f->field.p + f->field.n)
		what = "the line ends after the name, expected "
		    "name:password:uid:gid:gecos:home:shell:extra";
	for (i = 0; what == NULL && i < nitems(keys); i++) {
		(void)next_field(f);
		if (keys[i] != NULL && f->field.n > 0)
			what = users_entry_set(e, str_from(keys[i]), f->field,
			    &known);
	}
	while (what == NULL && next_word(f))
		what = take_extra(f->field, e);
	if (what == NULL && e->any && e->password.n > 0)
		what = "nopassword beside a password, expected one of them";
	return what;
}

int
users_parse_line(struct str line, struct users_entry *out, const char **what,
    unsigned *col)
{
	struct fields		f;
	struct users_entry	e;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (str_trim(line).n == 0 || str_trim(line).p[0] == '#')
		return 0;
	f = (struct fields){ line.p, line, { line.p, 0 } };
	users_entry_init(&e);
	if ((*what = take_fields(&f, &e)) != NULL) {
		*col = (unsigned)(f.field.p - f.begin) + 1;
		return -1;
	}
	*out = e;
	return 1;
}

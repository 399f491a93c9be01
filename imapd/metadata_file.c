/* imapd/metadata_file.c - the text of posthouse-metadata; pure. */
#include <limits.h>
#include <string.h>

#include "common/fmt/record.h"
#include "imapd/metadata_file.h"

bool
metadata_is_private(struct str name)
{
	return str_starts_nocase(name, STR("/private"));
}

/* Fields of one entry, as far as the next one's name. */
static bool
take_entry(struct cur *c, struct field *f, struct metadata_entry *e)
{
	bool	value = false;

	*e = (struct metadata_entry){ .name = f->value, .user = { "", 0 } };
	f->tag = '\0';
	while (record_next(c, f) && f->tag != 'E') {
		if (f->tag == 'U')
			e->user = f->value;
		else if (f->tag == 'V') {
			e->value = f->value;
			value = true;
		}
		f->tag = '\0';
	}
	return value && e->name.n > 0;
}

bool
metadata_file_parse(struct str text, struct arena *a, struct metadata *m)
{
	struct cur	c = cur_from(text);
	struct field	f;

	m->n = 0;
	m->e = arena_get(a, METADATA_ALL_MAX * sizeof(*m->e));
	if (m->e == NULL)
		return false;
	if (text.n == 0)
		return true;
	if (!record_next(&c, &f) || f.tag != 'P' || !str_eq(f.value, STR("1")))
		return false;
	f.tag = '\0';
	if (!record_next(&c, &f))
		return cur_done(&c);
	while (f.tag == 'E')
		if (m->n == METADATA_ALL_MAX || !take_entry(&c, &f,
		    &m->e[m->n++]))
			return false;
	return f.tag == '\0' && cur_done(&c);
}

void
metadata_file_put(struct buf *out, const struct metadata *m)
{
	size_t	i;

	record_puts(out, 'P', "1");
	for (i = 0; i < m->n; i++) {
		record_put(out, 'E', m->e[i].name);
		if (m->e[i].user.n > 0)
			record_put(out, 'U', m->e[i].user);
		record_put(out, 'V', m->e[i].value);
	}
}

bool
metadata_matches(struct str name, struct str entry, unsigned depth)
{
	struct str	rest;

	if (!str_starts_nocase(name, entry))
		return false;
	rest = (struct str){ name.p + entry.n, name.n - entry.n };
	if (rest.n == 0)
		return true;
	if (depth == 0 || *rest.p != '/')
		return false;
	return depth != 1 || memchr(rest.p + 1, '/', rest.n - 1) == NULL;
}

struct metadata_entry *
metadata_find(struct metadata *m, struct str name, struct str user)
{
	size_t	i;

	for (i = 0; i < m->n; i++)
		if (str_eq_nocase(m->e[i].name, name) &&
		    str_eq(m->e[i].user, user))
			return &m->e[i];
	return NULL;
}

static size_t
count(const struct metadata *m, struct str user)
{
	size_t	i, n = 0;

	for (i = 0; i < m->n; i++)
		n += str_eq(m->e[i].user, user);
	return n;
}

enum metadata_result
metadata_set(struct metadata *m, struct str name, struct str user,
    struct str value)
{
	struct metadata_entry	*e = metadata_find(m, name, user);

	if (value.n > METADATA_VALUE_MAX)
		return METADATA_TOO_LARGE;
	if (value.p == NULL) {
		if (e != NULL)
			*e = m->e[--m->n];
		return METADATA_OK;
	}
	if (e == NULL) {
		if (m->n == METADATA_ALL_MAX ||
		    count(m, user) >= METADATA_ENTRIES_MAX)
			return METADATA_TOO_MANY;
		e = &m->e[m->n++];
		e->name = name;
		e->user = user;
	}
	e->value = value;
	return METADATA_OK;
}

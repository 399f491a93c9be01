/* imapd/acl_file.c - the text of dovecot-acl, and what it gives to whom; pure. */
#include <string.h>

#include "imapd/acl_file.h"

static const struct right {
	char		 letter;
	unsigned	 bit;
	const char	*word;
} rights[] = {
	{ 'l', RIGHT_LOOKUP, "lookup" }, { 'r', RIGHT_READ, "read" },
	{ 'w', RIGHT_WRITE, "write" }, { 's', RIGHT_SEEN, "write-seen" },
	{ 't', RIGHT_REMOVE, "write-deleted" },
	{ 'i', RIGHT_INSERT, "insert" }, { 'p', RIGHT_POST, "post" },
	{ 'e', RIGHT_EXPUNGE, "expunge" }, { 'k', RIGHT_CREATE, "create" },
	{ 'x', RIGHT_DELETE, "delete" }, { 'a', RIGHT_ADMIN, "admin" },
};

static const struct kind {
	const char	*file;		/* ends in '=': a name follows */
	const char	*imap;
	enum acl_kind	 kind;
} kinds[] = {
	{ "anyone", "anyone", ACL_ANYONE },
	{ "authenticated", "authenticated", ACL_AUTHENTICATED },
	{ "owner", "owner", ACL_OWNER },
	{ "group-override=", "!", ACL_GROUP_OVERRIDE },
	{ "group=", "$", ACL_GROUP },
	{ "user=", "", ACL_USER },
};

static bool
letter_bits(char c, unsigned *bits)
{
	size_t	i;

	for (i = 0; i < nitems(rights); i++)
		if (c == rights[i].letter) {
			*bits |= rights[i].bit;
			return true;
		}
	if (c == 'c')
		*bits |= RIGHT_CREATE | RIGHT_DELETE;
	else if (c == 'd')
		*bits |= RIGHT_EXPUNGE | RIGHT_REMOVE;
	return c == 'c' || c == 'd';
}

bool
acl_rights_parse(struct str s, unsigned *bits)
{
	size_t	i;

	*bits = 0;
	for (i = 0; i < s.n; i++)
		if (!letter_bits(s.p[i], bits))
			return false;
	return true;
}

const char *
acl_rights_text(unsigned bits, bool old, char text[ACL_LETTERS])
{
	size_t	i, n = 0;

	for (i = 0; i < nitems(rights); i++)
		if (bits & rights[i].bit)
			text[n++] = rights[i].letter;
	/* The old ones are there if one of the rights is that they were split into. */
	if (old && (bits & (RIGHT_CREATE | RIGHT_DELETE)) != 0)
		text[n++] = 'c';
	if (old && (bits & (RIGHT_EXPUNGE | RIGHT_REMOVE)) != 0)
		text[n++] = 'd';
	text[n] = '\0';
	return text;
}

static bool
word_bits(struct str word, unsigned *bits)
{
	size_t	i;

	for (i = 0; i < nitems(rights); i++)
		if (str_eq(word, str_from(rights[i].word))) {
			*bits |= rights[i].bit;
			return true;
		}
	return false;
}

/* "lrws :lookup read", either of the two. */
static bool
take_rights(struct cur *c, unsigned *bits)
{
	bool	words = false;

	*bits = 0;
	while (!cur_done(c)) {
		struct cur	at = *c;

		if (cur_skip_wsp(c))
			continue;
		if (!words && cur_byte(c, ':')) {
			words = true;
			continue;
		}
		while (!cur_done(c) && !is_wsp((unsigned char)*c->p))
			c->p++;
		if (words) {
			if (!word_bits((struct str){ at.p,
			    (size_t)(c->p - at.p) }, bits))
				return false;
			continue;
		}
		for (; at.p < c->p; at.p++)
			if (!letter_bits(*at.p, bits))
				return false;
	}
	return true;
}

/* The identifier: up to a blank, or in quotes, with '\' in front of '"' and itself. */
static bool
take_id(struct cur *c, struct arena *a, struct str *id)
{
	struct cur	at = *c;
	char		*to;
	size_t		n = 0;

	if (!cur_byte(c, '"')) {
		while (!cur_done(c) && !is_wsp((unsigned char)*c->p))
			c->p++;
		*id = (struct str){ at.p, (size_t)(c->p - at.p) };
		return id->n > 0;
	}
	if ((to = arena_get(a, cur_left(c) + 1)) == NULL)
		return false;
	while (!cur_done(c) && *c->p != '"') {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		to[n++] = *c->p++;
	}
	*id = (struct str){ to, n };
	return cur_byte(c, '"') && (cur_done(c) || cur_skip_wsp(c));
}

static bool
name_ok(struct str name)
{
	return name.n > 0 && name.n <= ACL_NAME_MAX && !str_has_control(name);
}

static bool
id_of(struct str id, bool imap, struct acl_entry *e)
{
	struct str	form;
	size_t		i;

	e->negative = id.n > 0 && id.p[0] == '-';
	if (e->negative) {
		id.p++;
		id.n--;
	}
	for (i = 0; i < nitems(kinds); i++) {
		form = str_from(imap ? kinds[i].imap : kinds[i].file);
		e->kind = kinds[i].kind;
		e->name = (struct str){ "", 0 };
		if (i < 3) {
			if (str_eq(id, form))
				return true;
		} else if (id.n >= form.n && memcmp(id.p, form.p, form.n) == 0) {
			e->name.p = id.p + form.n;
			e->name.n = id.n - form.n;
			return name_ok(e->name);
		}
	}
	return false;
}

bool
acl_id_parse(struct str id, struct acl_entry *e)
{
	return id_of(id, true, e);
}

static const struct kind *
kind_of(const struct acl_entry *e)
{
	size_t	i = 0;

	while (kinds[i].kind != e->kind)
		i++;
	return &kinds[i];
}

void
acl_id_put(struct buf *out, const struct acl_entry *e)
{
	if (e->negative)
		buf_addc(out, '-');
	buf_adds(out, kind_of(e)->imap);
	buf_addstr(out, e->name);
}

bool
acl_file_parse(struct str text, struct arena *a, struct acl *acl)
{
	struct acl_entry e;
	struct str	 line, id;
	struct cur	 c;

	acl->n = 0;
	while (str_take_line(&text, &line)) {
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		c = cur_from(line);
		if (acl->n == ACL_ENTRIES_MAX || !take_id(&c, a, &id) ||
		    !id_of(id, false, &e) || !take_rights(&c, &e.rights))
			return false;
		acl->e[acl->n++] = e;
	}
	return true;
}

static bool
wants_quotes(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == ' ' || s.p[i] == '"' || s.p[i] == '\\')
			return true;
	return false;
}

void
acl_file_put(struct buf *out, const struct acl *acl)
{
	const struct acl_entry	*e;
	char			 text[ACL_LETTERS];
	size_t			 i, k;
	bool			 quoted;

	for (i = 0; i < acl->n; i++) {
		e = &acl->e[i];
		quoted = wants_quotes(e->name);
		buf_addf(out, "%s%s%s", quoted ? "\"" : "",
		    e->negative ? "-" : "", kind_of(e)->file);
		for (k = 0; k < e->name.n; k++) {
			if (e->name.p[k] == '"' || e->name.p[k] == '\\')
				buf_addc(out, '\\');
			buf_addc(out, e->name.p[k]);
		}
		buf_addf(out, "%s %s\n", quoted ? "\"" : "",
		    acl_rights_text(e->rights, false, text));
	}
}

static bool
is_of(const struct acl_entry *e, const struct acl_who *who)
{
	const char	*const *g = who->groups;

	switch (e->kind) {
	case ACL_ANYONE:
	case ACL_AUTHENTICATED:
		return true;
	case ACL_OWNER:
		return who->owner;
	case ACL_USER:
		return str_eq(e->name, str_from(who->user));
	case ACL_GROUP:
	case ACL_GROUP_OVERRIDE:
		for (; g != NULL && *g != NULL; g++)
			if (str_eq(e->name, str_from(*g)))
				return true;
	}
	return false;
}

unsigned
acl_rights_of(const struct acl *acl, const struct acl_who *who)
{
	const struct acl_entry	*e;
	unsigned		 given = 0, taken = 0;
	int			 kind = -1, k;
	size_t			 i;

	for (k = ACL_ANYONE; k <= ACL_GROUP_OVERRIDE; k++)
		for (i = 0; i < acl->n; i++) {
			e = &acl->e[i];
			if ((int)e->kind != k || !is_of(e, who))
				continue;
			if (e->negative) {
				taken |= e->rights;
				continue;
			}
			given = (kind == k ? given : 0) | e->rights;
			kind = k;
		}
	return given & ~taken;
}

struct acl_entry *
acl_find(struct acl *acl, const struct acl_entry *e)
{
	size_t	i;

	for (i = 0; i < acl->n; i++)
		if (acl->e[i].kind == e->kind &&
		    acl->e[i].negative == e->negative &&
		    str_eq(acl->e[i].name, e->name))
			return &acl->e[i];
	return NULL;
}

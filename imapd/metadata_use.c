/* imapd/metadata_use.c - the special use of a mailbox as one of its entries (RFC 6154, 4); pure. */
#include "imapd/metadata_use.h"

#include "imapd/use.h"

#define ENTRY	"/private/specialuse"

bool
metadata_is_use(struct str name)
{
	return str_eq_nocase(name, STR(ENTRY));
}

bool
metadata_use_parse(struct str value, char *use)
{
	*use = '\0';
	return value.p == NULL || value.n == 0 || use_letter(value, use);
}

void
metadata_use_put(struct metadata *m, struct str user, char use)
{
	const char		*name = use_name(use);
	struct metadata_entry	*e = metadata_find(m, STR(ENTRY), user);

	if (name == NULL) {
		if (e != NULL)
			*e = m->e[--m->n];
		return;
	}
	if (e == NULL) {
		/* It does not count among those that a user may have. */
		if (m->n == METADATA_ALL_MAX)
			return;
		e = &m->e[m->n++];
		e->name = STR(ENTRY);
		e->user = user;
	}
	e->value = str_from(name);
}

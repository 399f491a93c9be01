/* common/fmt/resent.c - blocks of Resent- fields; pure. */
#include "common/fmt/resent.h"

/* The member that says that the field was there, or NULL: it may come more than once. */
static bool *
only_once(struct resent *r, struct str name)
{
	if (str_eq_nocase(name, STR("Resent-From")))
		return &r->from;
	if (str_eq_nocase(name, STR("Resent-Date")))
		return &r->date;
	if (str_eq_nocase(name, STR("Resent-Message-ID")))
		return &r->id;
	return NULL;
}

bool
resent_field(struct resent *r, struct str name)
{
	bool	*seen;

	if (r->ended)
		return false;
	seen = only_once(r, name);
	if ((seen != NULL && *seen) ||
	    (r->any && str_eq_nocase(name, STR("Received")))) {
		r->ended = true;
		return true;
	}
	if (seen != NULL)
		*seen = true;
	r->any |= str_starts_nocase(name, STR("Resent-"));
	return false;
}

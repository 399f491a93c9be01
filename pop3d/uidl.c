/* pop3d/uidl.c - the unique name of a message; pure. */
#include "pop3d/uidl.h"

#include <stdint.h>
#include <stdio.h>

#include "common/fmt/cur.h"

static bool
is_unique_id(struct str s)
{
	size_t	i;

	if (s.n == 0 || s.n > UIDL_MAX)
		return false;
	for (i = 0; i < s.n; i++)
		if (!is_vchar((unsigned char)s.p[i]))
			return false;
	return true;
}

/* FNV-1a; the names are the user's own, so no attacker looks for two alike. */
static uint64_t
digest(struct str s, uint64_t h)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
	return h;
}

const char *
uidl_text(struct str other, struct str name, char out[UIDL_MAX + 1])
{
	struct str	s = is_unique_id(other) ? other : name;

	if (!is_unique_id(s) || str_copy(out, UIDL_MAX + 1, s) == -1)
		snprintf(out, UIDL_MAX + 1, "%016llx%016llx",
		    (unsigned long long)digest(name,
		    UINT64_C(14695981039346656037)),
		    (unsigned long long)digest(name,
		    UINT64_C(9650029242287828579)));
	return out;
}

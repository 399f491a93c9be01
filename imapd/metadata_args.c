/* imapd/metadata_args.c - names of entries; pure. */
#include "common/fmt/imap.h"
#include "imapd/metadata_args.h"

const char *
metadata_entry_wrong(struct str s)
{
	size_t	i;

	if (!str_eq_nocase(s, STR("/private")) &&
	    !str_eq_nocase(s, STR("/shared")) &&
	    !str_starts_nocase(s, STR("/private/")) &&
	    !str_starts_nocase(s, STR("/shared/")))
		return "an entry begins with /private/ or /shared/";
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '*' || s.p[i] == '%')
			return "an entry has no wildcards";
		if ((unsigned char)s.p[i] < 0x20 ||
		    (unsigned char)s.p[i] >= 0x7f)
			return "an entry is in printable ASCII";
		if (s.p[i] == '/' && (i + 1 == s.n || s.p[i + 1] == '/'))
			return "an entry has no empty parts";
	}
	return NULL;
}

const char *
metadata_entries(struct cur *c, struct arena *a, struct str **list, size_t *n)
{
	const char	*wrong;
	bool		 many = cur_byte(c, '(');

	*n = 0;
	*list = arena_get(a, METADATA_ASKED_MAX * sizeof(**list));
	if (*list == NULL)
		return "too much";
	do {
		if (*n == METADATA_ASKED_MAX)
			return "too many entries";
		if (!imap_astring(c, a, &(*list)[*n]))
			return "the name of an entry is missing";
		if ((wrong = metadata_entry_wrong((*list)[*n])) != NULL)
			return wrong;
		++*n;
	} while (many && imap_sp(c));
	return !many || cur_byte(c, ')') ? NULL :
	    "the list of entries has no end";
}

/* common/store/maildir_name.c - what the name of a Maildir file says; pure. */
#include "common/store/maildir.h"

#include <string.h>

#define INFO	":2,"

struct str
maildir_name_base(struct str name)
{
	const char	*colon;

	if (name.n > 0 && (colon = memchr(name.p, ':', name.n)) != NULL)
		name.n = (size_t)(colon - name.p);
	return name;
}

struct str
maildir_name_flags(struct str name)
{
	struct str	base = maildir_name_base(name);
	struct str	info = { name.p + base.n, name.n - base.n };

	if (!str_starts_nocase(info, STR(INFO)))
		return (struct str){ "", 0 };
	info.p += sizeof(INFO) - 1;
	info.n -= sizeof(INFO) - 1;
	return info;
}

/* ",S=123" up to the next comma of the base name. */
bool
maildir_name_size(struct str name, char which, uint64_t *out)
{
	struct str		rest = maildir_name_base(name), number;
	const char		*comma, *end;
	unsigned long long	v;

	while (rest.n > 3 && (comma = memchr(rest.p, ',', rest.n)) != NULL) {
		rest.n -= (size_t)(comma + 1 - rest.p);
		rest.p = comma + 1;
		if (rest.n < 3 || rest.p[0] != which || rest.p[1] != '=')
			continue;
		end = memchr(rest.p, ',', rest.n);
		number.p = rest.p + 2;
		number.n = (end != NULL ? (size_t)(end - rest.p) : rest.n) - 2;
		if (str_number(number, INT64_MAX, &v) == -1)
			return false;
		*out = v;
		return true;
	}
	return false;
}

bool
maildir_folder_found(const char *name)
{
	size_t	i;

	for (i = 0; name[i] != '\0'; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 127 ||
		    name[i] == '/' ||
		    (name[i] == '.' && (i == 0 || name[i - 1] == '.')))
			return false;
	return i > 0 && i <= MAILDIR_FOLDER_MAX && name[i - 1] != '.';
}

bool
maildir_folder_ok(const char *name)
{
	size_t	i;

	if (!maildir_folder_found(name))
		return false;
	for (i = 0; name[i] != '\0'; i++)
		if ((unsigned char)name[i] >= 127)
			return false;
	return true;
}

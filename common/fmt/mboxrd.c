/* common/fmt/mboxrd.c - "From " quoting of mbox files; pure. */
#include "common/fmt/mboxrd.h"

#include <string.h>

bool
mboxrd_is_from(struct str line)
{
	size_t	i = 0;

	while (i < line.n && line.p[i] == '>')
		i++;
	return line.n - i >= 5 && memcmp(line.p + i, "From ", 5) == 0;
}

static bool
one_of(struct str word, const char *names)
{
	size_t	i;

	if (word.n < 3)
		return false;
	for (i = 0; names[i] != '\0'; i += 3)
		if (memcmp(word.p, names + i, 3) == 0)
			return true;
	return false;
}

/* "Tue Nov 24 06:55:03 2026"; what follows the month differs too much. */
static bool
is_date(struct str s)
{
	if (!one_of(s, "MonTueWedThuFriSatSun") || s.n < 9 || s.p[3] != ' ')
		return false;
	return one_of((struct str){ s.p + 4, s.n - 4 },
	    "JanFebMarAprMayJunJulAugSepOctNovDec") && s.p[7] == ' ';
}

bool
mboxrd_separator(struct str line, struct str *sender)
{
	struct str	rest = line;
	size_t		i;

	if (line.n < 5 || memcmp(line.p, "From ", 5) != 0)
		return false;
	rest.p += 5;
	rest.n -= 5;
	for (i = 0; i < rest.n; i++)
		if ((i == 0 || rest.p[i - 1] == ' ') &&
		    is_date((struct str){ rest.p + i, rest.n - i })) {
			*sender = str_trim((struct str){ rest.p, i });
			return true;
		}
	return false;
}

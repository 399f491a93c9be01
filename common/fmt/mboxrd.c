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

/* common/fmt/line.c - lines ended by CRLF and by nothing else; pure. */
#include "common/fmt/line.h"

#include <string.h>

enum line_status
line_scan(struct str in, size_t max, struct str *line, size_t *used)
{
	const char	*lf;
	size_t		 n;
	bool		 crlf;

	lf = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
	if (lf == NULL) {
		if (in.n < max)
			return LINE_MORE;
		/* a CR at the very end may be half of the end of line */
		*used = in.p[in.n - 1] == '\r' ? in.n - 1 : in.n;
		*line = (struct str){ in.p, *used };
		return *used == 0 ? LINE_MORE : LINE_LONG;
	}
	n = (size_t)(lf - in.p);
	*used = n + 1;
	crlf = n > 0 && in.p[n - 1] == '\r';
	line->p = in.p;
	line->n = crlf ? n - 1 : n;
	if (*used > max)
		return LINE_LONG;
	if (!crlf)
		return LINE_BARE_LF;
	if (line->n > 0 && memchr(line->p, '\r', line->n) != NULL)
		return LINE_BARE_CR;
	if (line->n > 0 && memchr(line->p, '\0', line->n) != NULL)
		return LINE_NUL;
	return LINE_OK;
}

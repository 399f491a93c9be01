/* common/store/wire.c - a file is read in pieces, and its bare line feeds are counted. */
#include "common/store/wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"

#define CHUNK		65536

/* Line feeds without a carriage return in front; cr: how the last piece ended, and this one does. */
static uint64_t
bare_lfs(const char *p, size_t n, bool *cr)
{
	const char	*end = p + n, *from = p, *lf;
	uint64_t	 count = 0;

	while (from < end &&
	    (lf = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		if (lf == p ? !*cr : lf[-1] != '\r')
			count++;
		from = lf + 1;
	}
	*cr = n > 0 && end[-1] == '\r';
	return count;
}

int
wire_size(int fd, uint64_t *out)
{
	char		*chunk;
	uint64_t	 size = 0;
	ssize_t		 n;
	bool		 cr = false;

	if ((chunk = malloc(CHUNK)) == NULL)
		return -1;
	while ((n = fdio_read(fd, chunk, CHUNK)) > 0)
		size += (uint64_t)n + bare_lfs(chunk, (size_t)n, &cr);
	free(chunk);
	*out = size;
	return n == -1 ? -1 : 0;
}

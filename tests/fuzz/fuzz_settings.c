/*
 * tests/fuzz/fuzz_settings.c - any text as configuration. What is accepted
 * must come back the same from every part that is handed out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/proc/settings.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct settings	*s, *again;
	struct diag	 why;
	struct str	 text = { (const char *)data, n };
	int		 fd;

	if (n > 16384)
		return 0;
	if (settings_parse(text, "fuzz", &s, &why) == -1) {
		if (s != NULL || why.text[0] == '\0')
			abort();
		return 0;
	}
	fd = settings_export(s, PROGRAM_MASTER);
	if (fd == -1 || settings_load_fd(fd, &again, &why) == -1)
		abort();
	close(fd);
	if (strcmp(s->hostname, again->hostname) != 0 ||
	    s->domains.n != again->domains.n ||
	    s->expect.n != again->expect.n ||
	    s->smtp.message_size != again->smtp.message_size ||
	    s->queue.retry_max != again->queue.retry_max ||
	    s->smtp.vrfy != again->smtp.vrfy)
		abort();
	settings_free(&again);
	settings_free(&s);
	return 0;
}

/* tests/fuzz/fuzz_auth.c - logins as a front that was taken over asks for them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/request.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct request	r;
	char		name[16];

	if (!request_parse(in, &r))
		return 0;
	if (!is_clean(r.service) || !is_clean(r.client) || r.unit[0] == '\0' ||
	    r.pending.n > REQUEST_PENDING_MAX ||
	    (r.pending.n > 0 && (r.pending.p < in.p ||
	    r.pending.p + r.pending.n > in.p + in.n)))
		abort();
	request_local_name(&r, "here.test", name, sizeof(name));
	if (strlen(name) >= sizeof(name) || (name[0] != '\0' &&
	    strncmp(name, r.user, strlen(name)) != 0))
		abort();
	return 0;
}

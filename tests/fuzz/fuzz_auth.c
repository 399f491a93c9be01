/* tests/fuzz/fuzz_auth.c - questions as a front that was taken over asks for them. */
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

static bool
inside(struct str s, struct str in)
{
	return s.n == 0 || (s.p >= in.p && s.p + s.n <= in.p + in.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct request	r;
	char		name[16], user[AUTH_USER_MAX + 1];

	if (!request_parse(in, &r))
		return 0;
	if (!is_clean(r.facts.service) || !is_clean(r.facts.client) ||
	    !is_clean(r.facts.local) || !is_clean(r.facts.tls) ||
	    r.facts.exporter_n > REQUEST_BINDING_MAX ||
	    r.facts.end_point_n > REQUEST_BINDING_MAX ||
	    (r.facts.tls[0] == '\0' && r.facts.exporter_n > 0) ||
	    r.pending.n > REQUEST_PENDING_MAX || !inside(r.pending, in) ||
	    !inside(r.user, in) || !inside(r.pass, in) ||
	    !inside(r.response, in) || !inside(r.cert, in) ||
	    r.response.n > AUTH_RESPONSE_MAX || r.user.n > AUTH_USER_MAX)
		abort();
	if ((r.verb == REQUEST_LOGIN || r.verb == REQUEST_SASL) &&
	    r.facts.unit[0] == '\0')
		abort();
	if (str_copy(user, sizeof(user), r.user) == -1)
		return 0;
	request_local_name(user, "here.test", name, sizeof(name));
	if (strlen(name) >= sizeof(name) || (name[0] != '\0' &&
	    strncmp(name, user, strlen(name)) != 0))
		abort();
	return 0;
}

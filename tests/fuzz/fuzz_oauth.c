/* tests/fuzz/fuzz_oauth.c - the first messages of OAUTHBEARER and XOAUTH2. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/oauth.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
one(enum oauth_form form, struct str in)
{
	struct oauth_message	m;
	size_t			i;

	if (!oauth_parse(form, in, &m))
		return;
	if (strnlen(m.user, sizeof(m.user)) > OAUTH_USER_MAX ||
	    m.token.n > in.n)
		abort();
	for (i = 0; m.user[i] != '\0'; i++)
		if ((unsigned char)m.user[i] < ' ' || m.user[i] == 0x7f)
			abort();
	for (i = 0; i < m.token.n; i++)
		if (m.token.p[i] <= ' ' || m.token.p[i] > '~')
			abort();
	if (m.token.n > 0 &&
	    (m.token.p < in.p || m.token.p + m.token.n > in.p + in.n))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	one(OAUTH_BEARER, in);
	one(OAUTH_X2, in);
	(void)oauth_is_end(in);
	return 0;
}

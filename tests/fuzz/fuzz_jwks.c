/* tests/fuzz/fuzz_jwks.c - files of keys, as JSON and as PEM. */
#include <stdint.h>
#include <stdlib.h>

#include "auth/jwks.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char	sig[64] = { 1 };
	struct str		in = { (const char *)data, size };
	struct diag		why = { "" };
	struct jwks		*s;
	enum jwt_alg		 a;

	if (jwks_parse(in, &s, &why) == -1) {
		if (s != NULL || why.text[0] == '\0')
			abort();
		return 0;
	}
	if (jwks_count(s) == 0 || jwks_count(s) > JWKS_KEYS_MAX)
		abort();
	for (a = 0; a < JWT_ALGS; a++)
		if (jwks_verify(s, a, "", in, (struct str){ sig, sizeof(sig) }))
			abort();
	jwks_free(&s);
	return 0;
}

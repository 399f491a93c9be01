/* tests/fuzz/fuzz_scheme.c - any bytes as the record of a password. Costly hashes are parsed, and not computed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scheme.h"
#include "common/store/digest.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_scram(struct str record)
{
	static const struct scram_hash	*const hashes[] = {
		&digest_scram_sha1, &digest_scram_sha256
	};
	struct scram_keys	k;
	size_t			i;

	for (i = 0; i < nitems(hashes); i++)
		if (scheme_scram(record, hashes[i], &k) &&
		    (k.iterations == 0 ||
		    k.iterations > SCRAM_ITERATIONS_MAX ||
		    k.salt_n == 0 || k.salt_n > sizeof(k.salt)))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct crypt_data	scratch;
	struct str			record = { (const char *)data, n };
	struct scheme_record		r;
	struct buf			plain;
	const char			*why;
	bool				ok;

	if (!scheme_split(record, &r))
		return 0;
	if (r.text.p < record.p || r.text.n == 0 ||
	    r.text.p + r.text.n != record.p + record.n)
		abort();
	ok = scheme_record_ok(&r, &why);
	if (ok != (why == NULL))
		abort();
	if (scheme_is_cheap(r.scheme) &&
	    scheme_check(&r, STR("secret"), &scratch) && !ok)
		abort();
	check_scram(record);
	buf_init(&plain, 4096);
	if (scheme_plain(record, &plain) && ok && plain.n > 0 &&
	    plain.n <= 1024 &&
	    !scheme_check(&r, buf_view(&plain), &scratch))
		abort();
	buf_free(&plain);
	return 0;
}

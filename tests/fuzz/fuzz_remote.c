/* tests/fuzz/fuzz_remote.c - deliveries as queue sends them, and files of passwords. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/remote_job.h"
#include "deliver/remote_pass.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need_clean(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct job	j;
	struct str		in = { (const char *)data, size }, password;
	size_t			i;

	if (job_parse(in, &j)) {
		if (j.nrcpts == 0 || j.nrcpts > REMOTE_RCPTS ||
		    j.hop.ntargets == 0 || j.hop.ntargets > HOP_TARGETS ||
		    j.len < 0 || j.at < 0)
			abort();
		need_clean(j.sender);
		need_clean(j.envid);
		need_clean(j.ret);
		for (i = 0; i < j.nrcpts; i++) {
			need_clean(j.rcpts[i].addr);
			need_clean(j.rcpts[i].orcpt);
			need_clean(j.rcpts[i].notify);
		}
	}
	if (passwords_find(in, STR("h"), STR("u"), &password))
		need_clean((struct str){ password.p, 0 });
	return 0;
}

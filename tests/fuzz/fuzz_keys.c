/*
 * tests/fuzz/fuzz_keys.c - what a front that was taken over asks keys(8) for.
 * The first byte says how the rest is wrapped: 0 it is the packet, else the
 * message of an order that is right in all else.
 */
#include <openssl/pem.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "keys/form.h"
#include "keys/self.h"
#include "keys/vault.h"

#include <sys/mman.h>
#include <unistd.h>

#include "common/base/fdio.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct vault	*vault;
static char		 name[KEYS_KEY_SIZE];

static void
fill(struct buf *b, int fd)
{
	if (lseek(fd, 0, SEEK_SET) == -1 || fdio_slurp(fd, b) == -1)
		abort();
	close(fd);
}

static void
begin(void)
{
	struct pair_files	f;
	struct pair		p;
	struct diag		warning, why;
	int			c = memfd_create("c", 0), k = memfd_create("k",
				    0);

	pair_files_init(&f);
	if (self_signed("mx.test", c, k, &why) == -1)
		abort();
	fill(&f.certificate, c);
	fill(&f.key, k);
	if (pair_load(&p, &f, "c", "k", &warning, &why) == -1)
		abort();
	memcpy(name, p.name, sizeof(name));
	if (vault_new(&vault) == -1 || vault_replace(vault, &p, 1, 0) == -1)
		abort();
	pair_files_wipe(&f);
}

/* By another reading of the RFCs than form.c's. */
static bool
is_of_tls(struct str m)
{
	static const char	proof[] = "TLS 1.3, server CertificateVerify";
	static const char	mark[] = "DOWNGRD\x01";

	if (m.n == 64 + 34 + 32 || m.n == 64 + 34 + 48)
		if (memcmp(m.p + 64, proof, 34) == 0 && m.p[0] == ' ' &&
		    memcmp(m.p, m.p + 1, 63) == 0)
			return true;
	return m.n >= 64 + 36 && memcmp(m.p + 56, mark, 8) == 0 &&
	    (m.p[64] == 3 || m.n > 64 + 256);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data + 1, size - 1 }, m, sig;
	struct buf	rec, answer;
	char		verb[16];

	if (size < 1 || size > MSG_MAX / 2)
		return 0;
	if (vault == NULL)
		begin();
	buf_init(&rec, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	if (data[0] == 0)
		buf_addstr(&rec, in);
	else {
		record_puts(&rec, KEYS_VERB, "sign");
		record_put(&rec, KEYS_KEY, (struct str){ name, sizeof(name) });
		record_puts(&rec, KEYS_DIGEST, "SHA256");
		record_put(&rec, KEYS_MESSAGE, in);
	}
	if (vault_answer(vault, buf_view(&rec), &answer) == 0) {
		if (!record_ok(buf_view(&answer)) ||
		    !record_gets(buf_view(&answer), KEYS_VERB, verb,
		    sizeof(verb)))
			abort();
		if (record_get(buf_view(&answer), KEYS_SIGNATURE, &sig) &&
		    (!record_get(buf_view(&rec), KEYS_MESSAGE, &m) ||
		    !is_of_tls(m)))
			abort();
	}
	buf_free(&rec);
	buf_free(&answer);
	return 0;
}

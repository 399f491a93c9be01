/* common/fmt/scram_keys.c - what a server keeps of a password (RFC 5802 section 3); pure. */
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/scram_server.h"

static struct str
view(const uint8_t *p, size_t n)
{
	return (struct str){ (const char *)p, n };
}

/* At most max bytes; exactly as many unless n is asked for. */
static bool
bytes(struct str coded, uint8_t *out, size_t max, size_t *n)
{
	struct buf	got;
	bool		ok;

	buf_init(&got, max + 3);
	ok = base64_decode(&got, coded) == 0 &&
	    (n != NULL ? got.n > 0 && got.n <= max : got.n == max);
	if (ok) {
		memcpy(out, got.p, got.n);
		if (n != NULL)
			*n = got.n;
	}
	buf_wipe(&got);
	return ok;
}

bool
scram_keys_parse(const struct scram_hash *h, struct str in,
    struct scram_keys *k)
{
	struct cur		c = cur_from(in);
	struct str		number, salt, stored;
	unsigned long long	n;

	if (!cur_until(&c, ',', &number) || !cur_until(&c, ',', &salt) ||
	    !cur_until(&c, ',', &stored) ||
	    str_number(number, SCRAM_ITERATIONS_MAX, &n) == -1 || n == 0 ||
	    !bytes(salt, k->salt, sizeof(k->salt), &k->salt_n) ||
	    !bytes(stored, k->stored, h->size, NULL) ||
	    !bytes(cur_rest(&c), k->server, h->size, NULL))
		return false;
	k->iterations = (unsigned)n;
	return true;
}

int
scram_keys_text(const struct scram_hash *h, const struct scram_keys *k,
    struct buf *out)
{
	buf_addf(out, "%u,", k->iterations);
	(void)base64_encode(out, view(k->salt, k->salt_n));
	buf_addc(out, ',');
	(void)base64_encode(out, view(k->stored, h->size));
	buf_addc(out, ',');
	return base64_encode(out, view(k->server, h->size)) == 0 &&
	    buf_ok(out) ? 0 : -1;
}

int
scram_keys_derive(const struct scram_hash *h, struct str password,
    struct scram_keys *k)
{
	uint8_t	salted[SCRAM_HASH_MAX], key[SCRAM_HASH_MAX];
	size_t	n = h->size;
	int	r = -1;

	if (h->pbkdf2(h, password, view(k->salt, k->salt_n), k->iterations,
	    salted) == 0 &&
	    h->hmac(h, view(salted, n), STR("Client Key"), key) == 0 &&
	    h->hash(h, view(key, n), k->stored) == 0)
		r = h->hmac(h, view(salted, n), STR("Server Key"), k->server);
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(key, sizeof(key));
	return r;
}

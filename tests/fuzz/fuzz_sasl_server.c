/*
 * tests/fuzz/fuzz_sasl_server.c - what clients say in SASL. The first byte is the mechanism, then messages, each with
 * two bytes of length before it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/sasl.h"
#include "common/fmt/saslprep.h"
#include "common/fmt/utf8.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHANNEL	"0123456789abcdef0123456789abcdef"

static void
look(const struct sasl *s, enum sasl_result r, const struct buf *out)
{
	char	again[AUTH_USER_MAX + 1];

	if (r >= SASL_SYNTAX && s->why == NULL)
		abort();
	if (r == SASL_PASSWORD && (s->user[0] == '\0' || s->pass[0] == '\0'))
		abort();
	/* a name is in the form that is compared */
	if (s->user[0] != '\0' && saslprep(str_from(s->user), again,
	    sizeof(again)) == 0 && strcmp(again, s->user) != 0 &&
	    utf8_ok(str_from(s->user)) == false)
		abort();
	if (!buf_ok(out))
		abort();
}

static enum sasl_result
answer(struct sasl *s, enum sasl_result r, struct buf *out)
{
	struct scram_keys	k = { .iterations = 4096, .salt_n = 8 };

	if (r == SASL_SALT)
		return sasl_salt(s, STR("nonce"), &k, out);
	if (r == SASL_PROOF) {
		/* nobody's keys: a proof that fits would be a forgery */
		memset(k.stored, 0x5a, sizeof(k.stored));
		if ((r = sasl_prove(s, &k, out)) == SASL_PROVEN)
			abort();
	}
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts		facts = { .exporter_n = 32, .end_point_n = 32 };
	struct sasl		s;
	struct buf		out;
	struct str		message;
	enum sasl_result	r = SASL_MORE;
	size_t			n;

	if (size < 1)
		return 0;
	memcpy(facts.exporter, CHANNEL, 32);
	memcpy(facts.end_point, CHANNEL, 32);
	sasl_init(&s, (enum mechanism)(data[0] % (MECHANISM_XOAUTH2 + 1)),
	    &facts, data[0] & 0x80);
	buf_init(&out, 4096);
	data++;
	size--;
	while (r == SASL_MORE && size >= 2 && s.mechanism != MECHANISM_NONE) {
		n = (size_t)data[0] << 8 | data[1];
		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		message = (struct str){ (const char *)data, n };
		buf_reset(&out);
		r = sasl_step(&s, &message, &out);
		r = answer(&s, r, &out);
		look(&s, r, &out);
		data += n;
		size -= n;
	}
	sasl_free(&s);
	buf_free(&out);
	return 0;
}

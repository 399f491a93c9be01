/* common/base/siphash.c - eight bytes at a time, two rounds for each. */
#include "common/base/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t	a, b, c, d;
};

static uint64_t
left(uint64_t n, unsigned by)
{
	return n << by | n >> (64 - by);
}

static void
rounds(struct state *s, unsigned n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = left(s->b, 13) ^ s->a;
		s->d = left(s->d, 16) ^ s->c;
		s->a = left(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = left(s->b, 17) ^ s->c;
		s->d = left(s->d, 21) ^ s->a;
		s->c = left(s->c, 32);
	}
}

/* Up to eight bytes, the first one lowest. */
static uint64_t
word_of(const char *p, size_t n)
{
	uint64_t	w = 0;

	if (n > 0)
		memcpy(&w, p, n);
	return le64toh(w);
}

static void
take(struct state *s, uint64_t word)
{
	s->d ^= word;
	rounds(s, 2);
	s->a ^= word;
}

static uint64_t
give(struct state *s)
{
	rounds(s, 4);
	return s->a ^ s->b ^ s->c ^ s->d;
}

struct siphash
siphash(const uint64_t key[2], struct str text)
{
	/* "somepseudorandomlygeneratedbytes", as the paper has it; 0xee and 0xdd: 128 bits */
	struct state	s = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573)
	};
	uint64_t	n = text.n;
	struct siphash	h;

	for (; text.n >= 8; text.p += 8, text.n -= 8)
		take(&s, word_of(text.p, 8));
	take(&s, word_of(text.p, text.n) | n << 56);
	s.c ^= 0xee;
	h.w[0] = give(&s);
	s.b ^= 0xdd;
	h.w[1] = give(&s);
	return h;
}

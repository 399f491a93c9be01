/* queue/hop.c - one answer of hop; pure but for its memory. */
#include "queue/hop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_hop.h"

#define SECONDS_MIN	10
#define SECONDS_MAX	3600
#define COUNT_MAX	1000000u

static uint64_t
hash(uint64_t h, struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ (h >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The name of a target, or the address of one that has none. */
static struct str
name_of(struct str target)
{
	struct str	s;

	if (record_get(target, TARGET_HOST, &s) && s.n > 0)
		return s;
	return record_get(target, TARGET_ADDR, &s) ? s : STR("");
}

/* Addresses of one host follow each other: it counts once. */
static size_t
take_targets(struct hop *h, uint64_t seed)
{
	struct cur	c = cur_from(h->rec);
	struct str	last = STR(""), name;
	struct field	f;
	size_t		n = 0;

	while (record_next(&c, &f)) {
		if (f.tag != HOP_TARGET)
			continue;
		name = name_of(f.value);
		if (name.n == 0 || !record_ok(f.value))
			return 0;
		if (n++ == 0 || !str_eq(name, last))
			h->hosts += hash(seed, name);
		last = name;
	}
	return n <= HOP_TARGETS ? n : 0;
}

static bool
take_way(struct hop *h, uint64_t seed)
{
	struct str	proto;
	uint64_t	n;

	if (!record_get(h->rec, HOP_KEY, &h->key) || h->key.n == 0 ||
	    h->key.n > HOP_KEY_MAX || memchr(h->key.p, '\0', h->key.n) != NULL ||
	    take_targets(h, seed) == 0)
		return false;
	if (record_getu(h->rec, HOP_CONNECTIONS, COUNT_MAX, &n))
		h->rules.connections = (size_t)n;
	if (record_getu(h->rec, HOP_RATE, COUNT_MAX, &n))
		h->rules.rate = (size_t)n;
	h->lmtp = record_get(h->rec, HOP_PROTOCOL, &proto) &&
	    str_eq(proto, STR("lmtp"));
	return true;
}

static bool
parse(struct hop *h, uint64_t seed)
{
	uint64_t	n;

	if (!record_ok(h->rec) || !record_getu(h->rec, HOP_CODE, 599, &n))
		return false;
	h->code = (unsigned)n;
	if (!record_get(h->rec, HOP_TEXT, &h->text))
		h->text = STR("");
	h->seconds = SECONDS_MIN;
	if (record_getu(h->rec, HOP_EXPIRES, SECONDS_MAX, &n) &&
	    n > SECONDS_MIN)
		h->seconds = (int64_t)n;
	if (h->code == 250)
		return take_way(h, seed);
	return h->code >= 400 && record_gets(h->rec, HOP_STATUS, h->status,
	    sizeof(h->status)) &&
	    h->status[0] == (char)('0' + h->code / 100);
}

struct hop *
hop_new(struct str rec, uint64_t seed)
{
	struct hop	*h;
	char		*copy;

	if (rec.n > HOP_ANSWER_MAX) {
		errno = EPROTO;
		return NULL;
	}
	if ((h = calloc(1, sizeof(*h) + rec.n)) == NULL)
		return NULL;
	copy = (char *)(h + 1);
	memcpy(copy, rec.p, rec.n);
	h->rec = (struct str){ copy, rec.n };
	h->refs = 1;
	if (parse(h, seed))
		return h;
	free(h);
	errno = EPROTO;
	return NULL;
}

struct hop *
hop_hold(struct hop *h)
{
	h->refs++;
	return h;
}

void
hop_release(struct hop **hp)
{
	struct hop	*h = *hp;

	*hp = NULL;
	if (h != NULL && --h->refs == 0)
		free(h);
}

/* What decides how and with whom a session is made. */
static bool
is_way(char tag)
{
	return tag == HOP_KEY || tag == HOP_PROTOCOL || tag == HOP_TLS ||
	    tag == HOP_SOURCE || tag == HOP_TARGET;
}

static bool
has_field(struct str rec, struct field want)
{
	struct cur	c = cur_from(rec);
	struct field	f;

	while (record_next(&c, &f))
		if (f.tag == want.tag && str_eq(f.value, want.value))
			return true;
	return false;
}

static bool
has_all(struct str rec, struct str of)
{
	struct cur	c = cur_from(of);
	struct field	f;

	while (record_next(&c, &f))
		if (is_way(f.tag) && !has_field(rec, f))
			return false;
	return true;
}

bool
hop_alike(const struct hop *a, const struct hop *b)
{
	return a == b || (a->hosts == b->hosts && has_all(a->rec, b->rec) &&
	    has_all(b->rec, a->rec));
}

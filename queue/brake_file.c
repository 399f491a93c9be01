/* queue/brake_file.c - the memory of the brake as bytes, and back. Pure but for its memory. */
#include "queue/brake_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/fmt/base64.h"
#include "common/fmt/cur.h"
#include "common/fmt/record.h"

#define VERSION		"1"
#define ENCODED_MAX	2048u
#define HOURS_MAX	(INT64_C(1) << 40)

enum tag {
	TAG_VERSION = 'V', TAG_SAVED = 'T', TAG_USER = 'U',
	/* of a user */
	TAG_NAME = 'N', TAG_HOUR = 'h', TAG_DAY = 'd', TAG_NOW = 'c',
	TAG_BEFORE = 'b', TAG_PEAK = 'p', TAG_USUAL = 'u', TAG_KNOWN = 'k',
	TAG_KNOWN_N = 'n', TAG_SINCE = 's', TAG_WHY = 'w', TAG_TOLD = 't',
	TAG_HELD = 'H', TAG_SAMPLE = 'I'
};

void
brake_file_head(struct buf *out, int64_t saved_ms)
{
	record_puts(out, TAG_VERSION, VERSION);
	record_putu(out, TAG_SAVED, (uint64_t)saved_ms);
}

static void
put_four(struct buf *out, enum tag tag, const uint32_t *n)
{
	record_putf(out, (char)tag, "%u %u %u %u", n[0], n[1], n[2], n[3]);
}

static void
put_known(struct buf *out, const struct brake_known *k)
{
	struct buf	text;

	buf_init(&text, BASE64_LEN(sizeof(k->bits)) + 1);
	if (base64_encode(&text, (struct str){ (const char *)k->bits,
	    sizeof(k->bits) }) == -1)
		out->bad = true;
	record_put(out, TAG_KNOWN, buf_view(&text));
	record_putu(out, TAG_KNOWN_N, k->n);
	buf_free(&text);
}

static void
put_brake(struct buf *out, const struct brake_record *r)
{
	char	id[ID_SIZE];
	size_t	i;

	record_putu(out, TAG_SINCE, (uint64_t)r->since);
	record_putf(out, TAG_WHY, "%u %u %u", (unsigned)r->what, r->seen,
	    r->limit);
	record_putu(out, TAG_HELD, r->held);
	if (r->told)
		record_puts(out, TAG_TOLD, "1");
	for (i = 0; i < r->nsamples; i++) {
		id_format(r->samples[i], id);
		record_puts(out, TAG_SAMPLE, id);
	}
}

void
brake_file_add(struct buf *out, const struct brake_record *r)
{
	struct buf	one;

	buf_init(&one, ENCODED_MAX);
	record_put(&one, TAG_NAME, r->name);
	record_putu(&one, TAG_HOUR, (uint64_t)r->rate.hour);
	record_putu(&one, TAG_DAY, (uint64_t)r->rate.day);
	put_four(&one, TAG_NOW, r->rate.now);
	put_four(&one, TAG_BEFORE, r->rate.before);
	put_four(&one, TAG_PEAK, r->rate.peak);
	record_putf(&one, TAG_USUAL, "%llu %llu %llu %llu",
	    (unsigned long long)r->rate.usual[0],
	    (unsigned long long)r->rate.usual[1],
	    (unsigned long long)r->rate.usual[2],
	    (unsigned long long)r->rate.usual[3]);
	if (r->known != NULL)
		put_known(&one, r->known);
	if (r->since != 0)
		put_brake(&one, r);
	if (!buf_ok(&one))
		out->bad = true;
	record_put(out, TAG_USER, buf_view(&one));
	buf_free(&one);
}

/* ---- reading */

/* So many numbers, a blank between two, none above max. */
static bool
get_numbers(struct str rec, enum tag tag, uint64_t max, uint64_t *out,
    size_t n)
{
	struct str		v;
	struct cur		c;
	unsigned long long	one;
	size_t			i;

	if (!record_get(rec, (char)tag, &v))
		return false;
	c = cur_from(v);
	for (i = 0; i < n; i++) {
		if ((i > 0 && !cur_byte(&c, ' ')) ||
		    !cur_number(&c, max, &one))
			return false;
		out[i] = one;
	}
	return cur_done(&c);
}

static bool
get_four(struct str rec, enum tag tag, uint32_t *out)
{
	uint64_t	n[BRAKE_KINDS];
	size_t		i;

	if (!get_numbers(rec, tag, UINT32_MAX, n, BRAKE_KINDS))
		return false;
	for (i = 0; i < BRAKE_KINDS; i++)
		out[i] = (uint32_t)n[i];
	return true;
}

static bool
get_rate(struct str rec, struct brake_rate *r)
{
	uint64_t	hour, day;

	if (!get_numbers(rec, TAG_HOUR, HOURS_MAX, &hour, 1) ||
	    !get_numbers(rec, TAG_DAY, HOURS_MAX, &day, 1))
		return false;
	r->hour = (int64_t)hour;
	r->day = (int64_t)day;
	return get_four(rec, TAG_NOW, r->now) &&
	    get_four(rec, TAG_BEFORE, r->before) &&
	    get_four(rec, TAG_PEAK, r->peak) &&
	    get_numbers(rec, TAG_USUAL, (uint64_t)UINT32_MAX * 1000, r->usual,
	    BRAKE_KINDS);
}

/* Not there is right, too. */
static bool
get_known(struct str rec, struct brake_known **out)
{
	struct brake_known	*k;
	struct str		 v;
	struct buf		 bits;
	uint64_t		 n;
	bool			 ok;

	if (!record_get(rec, TAG_KNOWN, &v))
		return true;
	if (!get_numbers(rec, TAG_KNOWN_N, UINT32_MAX, &n, 1))
		return false;
	buf_init(&bits, sizeof(k->bits));
	ok = base64_decode(&bits, v) == 0 && bits.n == sizeof(k->bits) &&
	    (k = calloc(1, sizeof(*k))) != NULL;
	if (ok) {
		memcpy(k->bits, bits.p, sizeof(k->bits));
		k->n = (uint32_t)n;
		*out = k;
	}
	buf_free(&bits);
	return ok;
}

static bool
get_brake(struct str rec, struct brake_record *r)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	v;
	uint64_t	since, why[3];

	if (!record_get(rec, TAG_SINCE, &v))
		return true;
	if (!get_numbers(rec, TAG_SINCE, INT64_MAX, &since, 1) ||
	    !get_numbers(rec, TAG_WHY, UINT32_MAX, why, 3) ||
	    why[0] >= BRAKE_KINDS ||
	    !get_numbers(rec, TAG_HELD, INT64_MAX, &r->held, 1))
		return false;
	r->since = (int64_t)since;
	r->what = (enum brake_kind)why[0];
	r->seen = (uint32_t)why[1];
	r->limit = (uint32_t)why[2];
	r->told = record_get(rec, TAG_TOLD, &v);
	while (record_next(&c, &f))
		if (f.tag == TAG_SAMPLE && r->nsamples < BRAKE_SAMPLES &&
		    id_parse(f.value, &r->samples[r->nsamples]))
			r->nsamples++;
	return true;
}

static bool
get_record(struct str rec, struct brake_record *r)
{
	*r = (struct brake_record){ .since = 0 };
	return record_ok(rec) && record_get(rec, TAG_NAME, &r->name) &&
	    r->name.n > 0 && r->name.n <= BRAKE_NAME_MAX &&
	    get_rate(rec, &r->rate) && get_brake(rec, r) &&
	    get_known(rec, &r->known);
}

int
brake_file_read(struct str text, int64_t *saved_ms,
    int (*fn)(void *, struct brake_record *), void *arg, struct diag *why)
{
	struct cur		c = cur_from(text);
	struct field		f;
	struct brake_record	r;
	uint64_t		saved;

	if (!record_next(&c, &f) || f.tag != TAG_VERSION ||
	    !str_eq(f.value, STR(VERSION)))
		return diag_set(why, "it is not of version " VERSION);
	if (!get_numbers(cur_rest(&c), TAG_SAVED, INT64_MAX, &saved, 1))
		return diag_set(why, "it has no time");
	*saved_ms = (int64_t)saved;
	while (record_next(&c, &f)) {
		if (f.tag != TAG_USER)
			continue;
		if (!get_record(f.value, &r))
			return diag_set(why, "an account makes no sense at "
			    "byte %zu", (size_t)(c.p - text.p));
		if (fn(arg, &r) == -1)
			return diag_set(why, "out of memory");
	}
	return cur_done(&c) ? 0 : diag_set(why, "it makes no sense at byte "
	    "%zu", (size_t)(c.p - text.p));
}

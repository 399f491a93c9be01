/* queue/listing_text.c - an entry of the list for people and for programs; pure. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/fmt/json.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "queue/listing.h"

const char *
listing_size(uint64_t n, char out[32])
{
	static const char	units[] = "KMGTPE";
	double			v = (double)n;
	size_t			i;

	if (n < 1000) {
		snprintf(out, 32, "%" PRIu64, n);
		return out;
	}
	v /= 1024;
	for (i = 0; v >= 999.5 && i < sizeof(units) - 2; i++)
		v /= 1024;
	snprintf(out, 32, v < 9.95 ? "%.1f%c" : "%.0f%c", v, units[i]);
	return out;
}

const char *
listing_age(int64_t ms, char out[32])
{
	long long	s = (long long)(ms / 1000);

	if (s < 0)
		s = 0;
	if (s < 60)
		snprintf(out, 32, "%llds", s);
	else if (s < 3600)
		snprintf(out, 32, "%lldm", s / 60);
	else if (s < 86400)
		snprintf(out, 32, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(out, 32, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return out;
}

#define HAS(tag)	(1ull << ((tag) - 'A'))

/* One look at each field: there are many entries. */
static bool
parse_field(const struct field *f, struct shown *s)
{
	unsigned long long	n;

	switch (f->tag) {
	case ENTRY_ID:
		s->id = f->value;
		return true;
	case ENTRY_PLACE:
		s->place = f->value;
		return true;
	case ENTRY_SENDER:
		s->sender = f->value;
		return true;
	case ENTRY_ARRIVAL:
	case ENTRY_SIZE:
	case ENTRY_DUE:
	case ENTRY_NRCPTS:
		break;
	default:
		return true;
	}
	if (str_number(f->value, INT64_MAX, &n) == -1)
		return false;
	if (f->tag == ENTRY_ARRIVAL)
		s->arrival = (int64_t)n;
	else if (f->tag == ENTRY_SIZE)
		s->size = n;
	else if (f->tag == ENTRY_DUE)
		s->due = (int64_t)n;
	else
		s->nrcpts = n;
	return true;
}

bool
listing_parse(struct str entry, struct shown *s)
{
	const unsigned long long	need = HAS(ENTRY_ID) |
					    HAS(ENTRY_PLACE) |
					    HAS(ENTRY_ARRIVAL) |
					    HAS(ENTRY_SIZE) | HAS(ENTRY_DUE) |
					    HAS(ENTRY_NRCPTS) |
					    HAS(ENTRY_SENDER);
	unsigned long long		has = 0;
	struct cur			c = cur_from(entry);
	struct field			f;

	*s = (struct shown){ .entry = entry };
	while (record_next(&c, &f)) {
		if (!parse_field(&f, s))
			return false;
		has |= HAS(f.tag);
	}
	return (has & need) == need;
}

static void
put_rcpts(const struct shown *s, struct buf *out)
{
	struct cur	c = cur_from(s->entry);
	struct field	f;
	struct str	before = STR("");
	uint64_t	shown = 0;

	while (record_next(&c, &f)) {
		if (f.tag == ENTRY_RCPT) {
			buf_adds(out, "    ");
			log_add_shown(out, f.value);
			buf_addc(out, '\n');
			shown++;
		} else if (f.tag == ENTRY_REASON && !str_eq(f.value, before)) {
			before = f.value;
			buf_adds(out, "        ");
			log_add_shown(out, f.value);
			buf_addc(out, '\n');
		}
	}
	if (shown < s->nrcpts)
		buf_addf(out, "    ... and %" PRIu64 " more\n",
		    s->nrcpts - shown);
}

static void
put_right(struct buf *out, size_t width, struct str v)
{
	while (width > v.n) {
		buf_addc(out, ' ');
		width--;
	}
	buf_addstr(out, v);
}

void
listing_table(const struct shown *s, int64_t now_ms, bool brief,
    struct buf *out)
{
	struct str	next = s->place;
	char		size[32], age[32], due[32];

	if (str_eq(s->place, STR("waiting")))
		next = s->due < now_ms + 1000 ? STR("now") :
		    str_from(listing_age(s->due - now_ms, due));
	buf_addstr(out, s->id);
	put_right(out, 7, str_from(listing_size(s->size, size)));
	put_right(out, 7, str_from(listing_age(now_ms - s->arrival, age)));
	put_right(out, 8, next);
	buf_adds(out, s->sender.n == 0 ? "  <>" : "  ");
	log_add_shown(out, s->sender);
	buf_addc(out, '\n');
	if (!brief)
		put_rcpts(s, out);
}

/* The names are those of Postfix's postqueue -j where the meaning is the same. */
void
listing_json(const struct shown *s, struct buf *out)
{
	struct cur	c = cur_from(s->entry);
	struct field	f;
	size_t		n = 0;

	buf_addf(out, "{\"queue_name\": \"%.*s\", \"queue_id\": \"%.*s\", "
	    "\"arrival_time\": %" PRId64 ", \"message_size\": %" PRIu64 ", ",
	    STR_ARG(s->place), STR_ARG(s->id), s->arrival / 1000, s->size);
	if (str_eq(s->place, STR("waiting")))
		buf_addf(out, "\"next_time\": %" PRId64 ", ", s->due / 1000);
	buf_adds(out, "\"sender\": ");
	json_quote(s->sender, out);
	buf_addf(out, ", \"recipient_count\": %" PRIu64 ", \"recipients\": [",
	    s->nrcpts);
	while (record_next(&c, &f))
		if (f.tag == ENTRY_RCPT) {
			buf_adds(out, n++ > 0 ? "}, {\"address\": " :
			    "{\"address\": ");
			json_quote(f.value, out);
		} else if (f.tag == ENTRY_REASON && n > 0) {
			buf_adds(out, ", \"delay_reason\": ");
			json_quote(f.value, out);
		}
	buf_adds(out, n > 0 ? "}]}\n" : "]}\n");
}

/* queue/listing_text.c - an entry of the list for people and for programs; pure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

struct item {
	char		id[32], place[16];
	uint64_t	arrival, size, due, nrcpts;
	struct str	sender;
};

static bool
parse(struct str e, struct item *i)
{
	return record_gets(e, ENTRY_ID, i->id, sizeof(i->id)) &&
	    record_gets(e, ENTRY_PLACE, i->place, sizeof(i->place)) &&
	    record_getu(e, ENTRY_ARRIVAL, INT64_MAX, &i->arrival) &&
	    record_getu(e, ENTRY_SIZE, INT64_MAX, &i->size) &&
	    record_getu(e, ENTRY_DUE, INT64_MAX, &i->due) &&
	    record_getu(e, ENTRY_NRCPTS, INT64_MAX, &i->nrcpts) &&
	    record_get(e, ENTRY_SENDER, &i->sender);
}

static void
put_rcpts(struct str e, const struct item *i, struct buf *out)
{
	struct cur	c = cur_from(e);
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
	if (shown < i->nrcpts)
		buf_addf(out, "    ... and %" PRIu64 " more\n",
		    i->nrcpts - shown);
}

void
listing_table(struct str e, int64_t now_ms, bool brief, struct buf *out)
{
	struct item	i;
	char		size[32], age[32], next[32];

	if (!parse(e, &i))
		return;
	if (strcmp(i.place, "waiting") != 0)
		strlcpy(next, i.place, sizeof(next));
	else if ((int64_t)i.due <= now_ms)
		strlcpy(next, "now", sizeof(next));
	else
		listing_age((int64_t)i.due - now_ms, next);
	buf_addf(out, "%-20s %6s %6s %7s  ", i.id, listing_size(i.size, size),
	    listing_age(now_ms - (int64_t)i.arrival, age), next);
	if (i.sender.n == 0)
		buf_adds(out, "<>");
	log_add_shown(out, i.sender);
	buf_addc(out, '\n');
	if (!brief)
		put_rcpts(e, &i, out);
}

/* The names are those of Postfix's postqueue -j where the meaning is the same. */
void
listing_json(struct str e, struct buf *out)
{
	struct cur	c = cur_from(e);
	struct field	f;
	struct item	i;
	size_t		n = 0;

	if (!parse(e, &i))
		return;
	buf_addf(out, "{\"queue_name\": \"%s\", \"queue_id\": \"%s\", "
	    "\"arrival_time\": %" PRIu64 ", \"message_size\": %" PRIu64 ", ",
	    i.place, i.id, i.arrival / 1000, i.size);
	if (strcmp(i.place, "waiting") == 0)
		buf_addf(out, "\"next_time\": %" PRIu64 ", ", i.due / 1000);
	buf_adds(out, "\"sender\": ");
	json_string(i.sender, out);
	buf_addf(out, ", \"recipient_count\": %" PRIu64 ", \"recipients\": [",
	    i.nrcpts);
	while (record_next(&c, &f))
		if (f.tag == ENTRY_RCPT) {
			buf_adds(out, n++ > 0 ? "}, {\"address\": " :
			    "{\"address\": ");
			json_string(f.value, out);
		} else if (f.tag == ENTRY_REASON && n > 0) {
			buf_adds(out, ", \"delay_reason\": ");
			json_string(f.value, out);
		}
	buf_adds(out, n > 0 ? "}]}\n" : "]}\n");
}

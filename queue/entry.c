/* queue/entry.c - a message in the words of proto_queue.h. */
#include "queue/entry.h"

#include <errno.h>
#include <string.h>

#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"

#define REASON_MAX	1000u
#define LINES_MAX	1000u	/* of a status file are looked at, from its end */

static const char *
place_name(const struct entry *e)
{
	if (e->running)
		return "running";
	if (e->waits)
		return "waiting";
	switch (e->place) {
	case SPOOL_HOLD:
		return "held";
	case SPOOL_INCOMING:
		return "incoming";
	case SPOOL_DROP:
		return "dropped";
	case SPOOL_QUEUE:
	case SPOOL_CORRUPT:
		break;
	}
	return "waiting";
}

/* Takes the last line away from text; false: there is none. */
static bool
last_line(struct str *text, struct str *line)
{
	const char	*lf;

	if (text->n == 0)
		return false;
	text->n--;		/* its end */
	lf = memrchr(text->p, '\n', text->n);
	line->p = lf == NULL ? text->p : lf + 1;
	line->n = (size_t)(text->p + text->n - line->p);
	text->n -= line->n;
	return true;
}

/* "1795521180 bob@example.org 4.2.2 no room": is it his, and what does it say? */
static bool
line_reason(struct str line, struct str addr, struct str *reason)
{
	struct cur	c = cur_from(line);
	struct str	when;

	if (!cur_span(&c, is_digit, 20, &when) || !cur_byte(&c, ' ') ||
	    cur_left(&c) < addr.n || memcmp(c.p, addr.p, addr.n) != 0)
		return false;
	c.p += addr.n;
	if (!cur_byte(&c, ' '))
		return false;
	*reason = cur_rest(&c);
	if (reason->n > REASON_MAX)
		reason->n = REASON_MAX;
	return true;
}

static void
put_reason(struct str status, struct str addr, struct buf *out)
{
	struct str	line, reason;
	size_t		i;

	for (i = 0; i < LINES_MAX && last_line(&status, &line); i++)
		if (line_reason(line, addr, &reason)) {
			record_put(out, ENTRY_REASON, reason);
			return;
		}
}

static void
put_rcpts(const struct envelope *env, struct str status, struct buf *out)
{
	size_t	i, n = 0, shown = 0;

	for (i = 0; i < env->nrcpts; i++) {
		if (!envelope_rcpt_waits(&env->rcpts[i]) &&
		    env->rcpts[i].state != RCPT_FAILED)
			continue;
		n++;
		/* Room is left for what comes behind. */
		if (shown == ENTRY_RCPTS_MAX || out->n + env->rcpts[i].addr.n +
		    2 * REASON_MAX > ENTRY_SIZE_MAX)
			continue;
		record_put(out, ENTRY_RCPT, env->rcpts[i].addr);
		put_reason(status, env->rcpts[i].addr, out);
		shown++;
	}
	record_putu(out, ENTRY_NRCPTS, n);
}

bool
entry_is_in_place(const struct entry *e, const struct filter *f)
{
	return *f->place == '\0' || strcmp(f->place, place_name(e)) == 0;
}

int
entry_order(const void *x, const void *y)
{
	const struct entry	*a = x, *b = y;

	return id_cmp(&a->id, &b->id);
}

void
entry_bare(const struct entry *e, struct buf *out)
{
	char	name[ID_SIZE];

	id_format(e->id, name);
	record_puts(out, ENTRY_ID, name);
	record_puts(out, ENTRY_PLACE, place_name(e));
	record_putu(out, ENTRY_DUE, e->due < 0 ? 0 : (uint64_t)e->due);
}

bool
entry_parse(struct str rec, struct entry *e)
{
	static const enum spool_place	places[] = {
		SPOOL_QUEUE, SPOOL_HOLD, SPOOL_INCOMING, SPOOL_DROP
	};
	struct str	id, place;
	uint64_t	due;
	size_t		i;

	if (!record_get(rec, ENTRY_ID, &id) || !id_parse(id, &e->id) ||
	    !record_get(rec, ENTRY_PLACE, &place) ||
	    !record_getu(rec, ENTRY_DUE, INT64_MAX, &due))
		return false;
	e->due = (int64_t)due;
	e->running = str_eq(place, STR("running"));
	e->waits = str_eq(place, STR("waiting"));
	e->place = SPOOL_QUEUE;
	if (e->running || e->waits)
		return true;
	for (i = 0; i < nitems(places); i++) {
		e->place = places[i];
		if (str_eq(place, str_from(place_name(e))))
			return true;
	}
	return false;
}

static void
put_all(const struct entry *e, const struct envelope *env, struct str status,
    struct buf *out)
{
	struct entry	known = *e;
	struct str	line;

	if (known.due == ENTRY_DUE_FILE)
		known.due = env->due_ms;
	entry_bare(&known, out);
	record_putu(out, ENTRY_ARRIVAL, (uint64_t)env->arrival_ms);
	record_putu(out, ENTRY_SIZE, (uint64_t)env->content_len);
	record_put(out, ENTRY_SENDER, env->sender);
	put_rcpts(env, status, out);
	if (last_line(&status, &line)) {
		if (line.n > REASON_MAX)
			line.n = REASON_MAX;
		record_put(out, ENTRY_WHY, line);
	}
}

/* Its status file is read last, and for few of them if there is a filter. */
static void
show(const struct spool *s, const struct entry *e, const struct envelope *env,
    const struct filter *f, struct buf *scratch, struct buf *out)
{
	if (!filter_matches_envelope(f, env, place_name(e), now_real_ms()))
		return;
	if (scratch == NULL) {
		put_all(e, env, STR(""), out);
		return;
	}
	buf_reset(scratch);
	if (spool_status_read(s, e->id, scratch) == -1)
		buf_reset(scratch);
	if (filter_matches_status(f, buf_view(scratch)))
		put_all(e, env, buf_view(scratch), out);
}

static int
read_at(const struct spool *s, const struct entry *e, const struct filter *f,
    struct buf *scratch, struct buf *out)
{
	struct envelope	env;
	struct diag	why;

	if (!entry_is_in_place(e, f))
		return 0;
	if (spool_envelope(s, e->place, e->id, &env, &why) == -1)
		return -1;
	show(s, e, &env, f, scratch, out);
	envelope_free(&env);
	return 0;
}

/* It was seen in one place, and has gone to another one since. */
static int
read_moved(const struct spool *s, const struct entry *e,
    const struct filter *f, struct buf *scratch, struct buf *out)
{
	static const enum spool_place	places[] = {
		SPOOL_QUEUE, SPOOL_HOLD, SPOOL_INCOMING
	};
	struct entry	moved = *e;
	size_t		i;
	int		r = -1;

	errno = ENOENT;
	for (i = 0; i < nitems(places) && r == -1 && errno == ENOENT; i++) {
		if (places[i] == e->place)
			continue;
		moved.place = places[i];
		/* what waits in incoming was never said to be there */
		moved.due = e->waits && places[i] == SPOOL_INCOMING ? e->due :
		    ENTRY_DUE_FILE;
		moved.running = e->running && places[i] != SPOOL_HOLD;
		moved.waits = e->waits && places[i] != SPOOL_HOLD;
		r = read_at(s, &moved, f, scratch, out);
	}
	return r;
}

int
entry_read(const struct spool *s, const struct entry *e,
    const struct filter *f, struct buf *scratch, struct buf *out)
{
	int	r = read_at(s, e, f, scratch, out);

	if (r == -1 && errno == ENOENT)
		r = read_moved(s, e, f, scratch, out);
	return r;
}

/*
 * queue/listing.c - asks queue for its list; when that is down, whoever may read
 * the spool sees what lies there. Runs as whoever calls.
 */
#include "queue/listing.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"
#include "queue/entry.h"

struct printing {
	const struct listing_opts	*o;
	struct buf			 text;
	int64_t				 now;
	uint64_t			 messages, bytes, held;
};

static void
print_entry(void *arg, struct str e)
{
	struct printing	*p = arg;
	struct str	 place;
	uint64_t	 size;

	if (!record_getu(e, ENTRY_SIZE, INT64_MAX, &size) ||
	    !record_get(e, ENTRY_PLACE, &place))
		return;
	if (p->messages++ == 0 && !p->o->json)
		printf("%-20s %6s %6s %7s  %s\n", "ID", "SIZE", "AGE", "NEXT",
		    p->o->brief ? "SENDER" : "SENDER, THEN RECIPIENTS");
	p->bytes += size;
	p->held += str_eq(place, STR("held"));
	buf_reset(&p->text);
	if (p->o->json)
		listing_json(e, &p->text);
	else
		listing_table(e, p->now, p->o->brief, &p->text);
	fwrite(p->text.p, 1, p->text.n, stdout);
}

static bool
each_in_packet(struct str rec, void (*fn)(void *, struct str), void *arg)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	verb;

	while (record_next(&c, &f))
		if (f.tag == QUEUE_ENTRY)
			fn(arg, f.value);
	return record_get(rec, QUEUE_VERB, &verb) &&
	    str_eq(verb, STR("more"));
}

int
listing_each(int fd, const struct filter *filter,
    void (*fn)(void *, struct str), void *arg)
{
	struct buf	ask, answer;
	bool		more;
	int		r;

	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, "list", NULL);
	filter_put(filter, &ask);
	do {
		r = !buf_ok(&ask) ? -1 : msg_call(fd, &ask, NULL, &answer,
		    NULL, CLIENT_TIMEOUT);
		more = r == 0 && each_in_packet(buf_view(&answer), fn, arg);
		client_ask(&ask, "more", NULL);
	} while (more);
	buf_free(&ask);
	buf_free(&answer);
	return r;
}

/* ---- without the daemon */

struct look {
	struct spool		 spool;
	struct printing		*p;
	enum spool_place	 place;
	struct buf		 scratch, entry;
};

static int
look_at(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct look	*l = arg;
	struct entry	 e = { .place = l->place, .due = mtime };

	(void)name;
	if (id == NULL)
		return 0;
	e.id = *id;
	buf_reset(&l->entry);
	if (entry_read(&l->spool, &e, &l->p->o->filter, &l->scratch,
	    &l->entry) == 0 && l->entry.n > 0 && buf_ok(&l->entry))
		print_entry(l->p, buf_view(&l->entry));
	return 0;
}

static int
look_everywhere(struct look *l)
{
	static const enum spool_place	places[] = {
		SPOOL_QUEUE, SPOOL_HOLD, SPOOL_INCOMING, SPOOL_DROP
	};
	size_t	i;

	for (i = 0; i < nitems(places); i++) {
		l->place = places[i];
		if (spool_scan(&l->spool, places[i], look_at, l) == -1)
			return -1;
	}
	return 0;
}

static int
list_spool(const struct settings *s, struct printing *p)
{
	struct look	l = { .p = p };
	struct diag	why;
	int		dir, r;

	dir = open(s->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1 || spool_open(&l.spool, dir, DURABLE_STRICT,
	    &why) == -1) {
		warnx("the queue is not running, and %s cannot be read by you",
		    s->spool);
		return EX_UNAVAILABLE;
	}
	warnx("the queue is not running; this is what lies in %s", s->spool);
	buf_init(&l.scratch, (1u << 20) + 4096);
	buf_init(&l.entry, ENTRY_SIZE_MAX);
	if ((r = look_everywhere(&l)) == -1)
		warn("%s", s->spool);
	buf_free(&l.scratch);
	buf_free(&l.entry);
	spool_close(&l.spool);
	close(dir);
	return EX_UNAVAILABLE;
}

static void
print_end(const struct printing *p)
{
	char	size[32];

	if (p->o->json)
		return;
	if (p->messages == 0)
		puts(filter_is_empty(&p->o->filter) ? "the queue is empty" :
		    "no message matches");
	else
		printf("-- %" PRIu64 " message%s, %s, %" PRIu64 " held\n",
		    p->messages, p->messages == 1 ? "" : "s",
		    listing_size(p->bytes, size), p->held);
}

int
listing_show(const struct settings *s, const struct listing_opts *o)
{
	struct printing	p = { .o = o, .now = now_real_ms() };
	int		fd, status = EX_OK;

	buf_init(&p.text, 1u << 20);
	if ((fd = client_connect(s)) != -1) {
		if (listing_each(fd, &o->filter, print_entry, &p) == -1)
			err(EX_TEMPFAIL, "queue");
		close(fd);
	} else if (errno == ECONNREFUSED || errno == ENOENT)
		status = list_spool(s, &p);
	else
		err(client_status(errno), "%s/queue", s->run);
	if (status == EX_OK || p.messages > 0)
		print_end(&p);
	buf_free(&p.text);
	if (ferror(stdout) || fflush(stdout) == EOF)
		return EX_IOERR;
	return status;
}

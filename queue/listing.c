/*
 * queue/listing.c - asks queue for its list; when that is down, whoever may read
 * the spool sees what lies there. Runs as whoever calls.
 */
#include "queue/listing.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"

#define PRINT_SIZE	65536u

void
listing_head(struct printing *p)
{
	p->headed = true;
	if (!p->o->json)
		printf("%-20s %6s %6s %7s  %s\n", "ID", "SIZE", "AGE", "NEXT",
		    p->o->brief ? "SENDER" : "SENDER, THEN RECIPIENTS");
}

void
listing_flush(struct printing *p)
{
	if (p->text.n > 0)
		fwrite(p->text.p, 1, p->text.n, stdout);
	buf_reset(&p->text);
}

void
listing_print(void *arg, struct str e)
{
	struct printing	*p = arg;
	struct shown	 s;

	if (!listing_parse(e, &s))
		return;
	p->messages++;
	if (!p->headed)
		listing_head(p);
	p->bytes += s.size;
	p->held += str_eq(s.place, STR("held"));
	if (p->o->json)
		listing_json(&s, &p->text);
	else
		listing_table(&s, p->now, p->o->brief, &p->text);
	if (p->text.n > PRINT_SIZE)
		listing_flush(p);
}

enum listing_detail
listing_detail(const struct listing_opts *o)
{
	return o->brief && !o->json ? LIST_BRIEF : LIST_FULL;
}

static int
receive(int fd, struct buf *answer)
{
	if (fdio_wait(fd, POLLIN, now_ms() + CLIENT_TIMEOUT) == -1)
		return -1;
	switch (msg_recv(fd, answer, NULL)) {
	case 1:
		return 0;
	case 0:
		errno = ECONNRESET;
	}
	return -1;
}

static bool
is_more(struct str rec)
{
	struct str	verb;

	return record_get(rec, QUEUE_VERB, &verb) &&
	    str_eq(verb, STR("more"));
}

int
listing_each(int fd, const struct filter *filter, enum listing_detail detail,
    void (*fn)(void *, struct str), void *arg)
{
	struct buf	ask, answer;
	struct cur	c;
	struct field	f;
	bool		more = true;
	int		r;

	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, "list", NULL);
	filter_put(filter, &ask);
	if (detail == LIST_BARE)
		record_puts(&ask, FILTER_BARE, "1");
	if (detail == LIST_BRIEF)
		record_puts(&ask, FILTER_BRIEF, "1");
	r = buf_ok(&ask) ? msg_send(fd, &ask, NULL) : -1;
	client_ask(&ask, "more", NULL);
	while (r == 0 && more && (r = receive(fd, &answer)) == 0) {
		/* Asked for before we look at this, so that both are busy. */
		more = is_more(buf_view(&answer));
		if (more)
			r = msg_send(fd, &ask, NULL);
		c = cur_from(buf_view(&answer));
		while (record_next(&c, &f))
			if (f.tag == QUEUE_ENTRY)
				fn(arg, f.value);
	}
	buf_free(&ask);
	buf_free(&answer);
	return r;
}

/* Monitors look for these words, which are Postfix's. */
static void
print_end(const struct printing *p)
{
	if (p->o->json)
		return;
	if (p->messages == 0) {
		puts(filter_is_empty(&p->o->filter) ? "Mail queue is empty" :
		    "no message matches");
		return;
	}
	printf("-- %" PRIu64 " Kbytes in %" PRIu64 " Request%s",
	    (p->bytes + 1023) / 1024, p->messages,
	    p->messages == 1 ? "" : "s");
	if (p->held > 0)
		printf(", %" PRIu64 " held", p->held);
	puts(".");
}

int
listing_show(const struct settings *s, const struct listing_opts *o)
{
	struct printing	p = { .o = o, .now = now_real_ms() };
	int		fd, r, status = EX_OK;

	buf_init(&p.text, 1u << 20);
	if ((fd = client_connect(s)) != -1) {
		r = listing_direct(fd, s, &p);
		if (r == 1)
			r = listing_each(fd, &o->filter, listing_detail(o),
			    listing_print, &p);
		listing_flush(&p);
		if (r == -1)
			err(EX_TEMPFAIL, "queue");
		close(fd);
	} else if (errno == ECONNREFUSED || errno == ENOENT)
		status = listing_stopped(s, &p);
	else
		client_fail(s);
	if (status == EX_OK || p.messages > 0)
		print_end(&p);
	buf_free(&p.text);
	if (ferror(stdout) || fflush(stdout) == EOF)
		return EX_IOERR;
	return status;
}

/*
 * queue/mailq_main.c - mailq(1): what waits in the queue. Asks the daemon; when
 * that is down, root may look into the spool itself.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"
#include "queue/entry.h"

struct totals {
	uint64_t	messages, bytes, held;
	bool		brief;		/* one line for each */
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: mailq [-s] [-f file]\n");
	exit(EX_USAGE);
}

static const char *
clock_text(uint64_t ms, char out[32])
{
	time_t		t = (time_t)(ms / 1000);
	struct tm	tm;

	if (ms == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return "-";
	return out;
}

/* Terminals must not be at the mercy of a sender. */
static void
put_text(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		putchar((unsigned char)s.p[i] < ' ' || s.p[i] == 127 ? '?' :
		    s.p[i]);
}

static void
show_more(struct str e, uint64_t nrcpts)
{
	struct cur	c = cur_from(e);
	struct field	f;
	uint64_t	shown = 0;
	struct str	why;

	if (record_get(e, ENTRY_WHY, &why)) {
		printf("%22s(", "");
		put_text(why);
		puts(")");
	}
	while (record_next(&c, &f))
		if (f.tag == ENTRY_RCPT) {
			printf("%22s", "");
			put_text(f.value);
			putchar('\n');
			shown++;
		}
	if (shown < nrcpts)
		printf("%22s... and %" PRIu64 " more\n", "", nrcpts - shown);
}

static void
show(struct str e, struct totals *t)
{
	char		id[32], place[16], arrived[32], next[32];
	uint64_t	arrival, size, due, nrcpts;
	struct str	sender;

	if (!record_gets(e, ENTRY_ID, id, sizeof(id)) ||
	    !record_gets(e, ENTRY_PLACE, place, sizeof(place)) ||
	    !record_getu(e, ENTRY_ARRIVAL, INT64_MAX, &arrival) ||
	    !record_getu(e, ENTRY_SIZE, INT64_MAX, &size) ||
	    !record_getu(e, ENTRY_DUE, INT64_MAX, &due) ||
	    !record_getu(e, ENTRY_NRCPTS, INT64_MAX, &nrcpts) ||
	    !record_get(e, ENTRY_SENDER, &sender))
		return;
	t->messages++;
	t->bytes += size;
	if (strcmp(place, "held") == 0) {
		t->held++;
		due = 0;
	}
	printf("%-21s %-7s %8" PRIu64 " %-19s %-19s <", id, place, size,
	    clock_text(arrival, arrived), clock_text(due, next));
	put_text(sender);
	puts(">");
	if (!t->brief)
		show_more(e, nrcpts);
}

/* True: there is more to ask for. */
static bool
show_packet(struct str rec, struct totals *t)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	verb;

	while (record_next(&c, &f))
		if (f.tag == QUEUE_ENTRY)
			show(f.value, t);
	return record_get(rec, QUEUE_VERB, &verb) &&
	    str_eq(verb, STR("more"));
}

static void
list_daemon(int fd, struct totals *t)
{
	struct buf	ask, answer;
	const char	*verb = "list";
	bool		more = true;

	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	for (; more; verb = "more") {
		client_ask(&ask, verb, NULL);
		if (!buf_ok(&ask) || msg_call(fd, &ask, NULL, &answer, NULL,
		    CLIENT_TIMEOUT) == -1)
			err(EX_TEMPFAIL, "queue");
		more = show_packet(buf_view(&answer), t);
	}
	buf_free(&ask);
	buf_free(&answer);
}

struct look {
	struct spool	 spool;
	struct totals	*t;
	bool		 held;
};

static int
look_at(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct look	*l = arg;
	struct buf	 entry;

	(void)name;
	buf_init(&entry, ENTRY_SIZE_MAX);
	if (id != NULL && entry_read(&l->spool, *id, l->held, mtime,
	    l->held ? "held" : "waiting", &entry) == 0 && buf_ok(&entry))
		show(buf_view(&entry), l->t);
	buf_free(&entry);
	return 0;
}

static void
list_spool(const struct settings *s, struct totals *t)
{
	struct look	l = { .t = t };
	struct diag	why;
	int		dir;

	if ((dir = open(s->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(EX_NOPERM, "%s", s->spool);
	if (spool_open(&l.spool, dir, DURABLE_STRICT, &why) == -1)
		errx(EX_NOPERM, "%s", why.text);
	fprintf(stderr, "mailq: the queue is not running; this is what lies "
	    "in %s\n", s->spool);
	if (spool_scan(&l.spool, SPOOL_QUEUE, look_at, &l) == -1)
		err(EX_OSERR, "queue");
	l.held = true;
	if (spool_scan(&l.spool, SPOOL_HOLD, look_at, &l) == -1)
		err(EX_OSERR, "hold");
	spool_close(&l.spool);
	close(dir);
}

int
main(int argc, char *argv[])
{
	struct totals	 t = { 0, 0, 0, false };
	struct settings	*s;
	const char	*conf = NULL;
	int		 c, fd;

	while ((c = getopt(argc, argv, "f:s")) != -1)
		switch (c) {
		case 'f':
			conf = optarg;
			break;
		case 's':
			t.brief = true;
			break;
		default:
			usage();
		}
	if (optind != argc)
		usage();
	s = client_settings(conf);
	if ((fd = client_connect(s)) != -1)
		list_daemon(fd, &t);
	else if (errno == ECONNREFUSED || errno == ENOENT)
		list_spool(s, &t);
	else
		err(errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE, "%s/queue",
		    s->run);
	if (t.messages == 0)
		puts("the queue is empty");
	else
		printf("-- %" PRIu64 " messages, %" PRIu64 " KiB, %" PRIu64
		    " held\n", t.messages, (t.bytes + 1023) / 1024, t.held);
	if (fd != -1)
		close(fd);
	settings_free(&s);
	return ferror(stdout) || fflush(stdout) == EOF ? EX_IOERR : EX_OK;
}

/*
 * queue/postq_trace.c - the verb trace: the life of a message from the log and,
 * as long as it is there, from the queue.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"
#include "queue/logfiles.h"
#include "queue/postq.h"
#include "queue/trace_text.h"

#define NAMES_MAX	64u	/* it, and its reports */
#define EARLIER_MS	60000	/* clocks of programs, and of those who set them */

struct tracing {
	char		names[NAMES_MAX][ID_SIZE];
	size_t		n;
	const char	*only;		/* the message itself */
	unsigned long	lines, delivered, failed, deferred;
	bool		ended;
};

static bool
is_known(const struct tracing *t, const struct logline *l, const char *key,
    struct str *name)
{
	size_t	i;

	if (!logline_get(l, key, name))
		return false;
	for (i = 0; i < t->n; i++)
		if (str_eq(*name, str_from(t->names[i])))
			return true;
	return false;
}

/* A report about it, or the name that the queue gave to what a local user sent. */
static void
follow(struct tracing *t, const struct logline *l)
{
	struct str	id, other;

	if (t->n == NAMES_MAX || !logline_get(l, "id", &id) ||
	    is_known(t, l, "id", &id) || (!is_known(t, l, "of", &other) &&
	    !is_known(t, l, "drop", &other)))
		return;
	if (str_copy(t->names[t->n], ID_SIZE, id) == 0)
		t->n++;
}

static void
put_text(struct str text)
{
	const char	*lf;
	struct str	 line;

	while ((lf = memchr(text.p, '\n', text.n)) != NULL) {
		line = (struct str){ text.p, (size_t)(lf - text.p) };
		postq_put_safe(line);
		printf("\n%-27s", "");
		text.n -= line.n + 1;
		text.p = lf + 1;
	}
	postq_put_safe(text);
	putchar('\n');
}

static void
put_event(const struct tracing *t, const struct logline *l, struct str id)
{
	struct buf	text;
	char		when[32];

	buf_init(&text, 65536);
	trace_text(l, &text);
	printf("%s.%03d  ", postq_time(l->at_ms, when),
	    (int)(l->at_ms % 1000));
	/* What is said of a report is told apart. */
	if (!str_eq(id, str_from(t->only)) && !str_eq(l->event, STR("report")))
		printf("%.*s: ", STR_ARG(id));
	put_text(buf_view(&text));
	buf_free(&text);
}

/* Most lines are about others: seen at once. */
static bool
is_about(const struct tracing *t, struct str line)
{
	size_t	i;

	for (i = 0; i < t->n; i++)
		if (memmem(line.p, line.n, t->names[i], ID_LEN) != NULL)
			return true;
	return false;
}

static bool
one_line(void *arg, const struct logline *l, struct str line)
{
	struct tracing	*t = arg;
	struct str	 id;

	if (!is_about(t, line))
		return true;
	follow(t, l);
	if (!is_known(t, l, "id", &id))
		return true;
	put_event(t, l, id);
	t->lines++;
	if (!str_eq(id, str_from(t->only)))
		return true;
	t->delivered += str_eq(l->event, STR("delivered"));
	t->deferred += str_eq(l->event, STR("deferred"));
	t->failed += str_eq(l->event, STR("failed")) ||
	    str_eq(l->event, STR("expired"));
	t->ended = t->ended || str_eq(l->event, STR("done")) ||
	    str_eq(l->event, STR("removed"));
	return true;
}

static void
say_where(const struct logfiles *files)
{
	size_t	i, skipped = 0;

	printf("looked into:");
	for (i = 0; i < files->n; i++) {
		if (files->files[i].skipped) {
			skipped += !files->files[i].copy;
			continue;
		}
		printf(" %s", files->files[i].path);
		if (files->files[i].error != 0)
			printf(" (%s)", logfile_error(&files->files[i]));
	}
	if (skipped > 0)
		printf(" (and not into %zu that end before it came)", skipped);
	putchar('\n');
}

static bool
trace_log(const struct postq *o, struct id id, struct tracing *t)
{
	const char	*path = postq_log_path(o);
	struct logfiles	 files;
	bool		 ok;

	if (path == NULL) {
		printf("the log is not in a file (log \"%s\"): name one with "
		    "-l\n", o->settings->log);
		return false;
	}
	if (logfiles_find(&files, path) == -1) {
		printf("%s cannot be looked for: %s\n", path, strerror(errno));
		return false;
	}
	(void)logfiles_each(&files, (int64_t)(id.time_us / 1000) - EARLIER_MS,
	    one_line, t);
	if (files.n == 0)
		printf("no log %s\n", path);
	else
		say_where(&files);
	ok = logfiles_ok(&files);
	logfiles_free(&files);
	return ok;
}

/* What queue says of it: envelope, states, attempts so far. False: it is not there. */
static bool
trace_queue(struct postq *o, const char *name)
{
	struct buf	ask, answer;
	struct cur	c;
	struct field	f;
	struct str	verb;
	bool		there;

	if (o->fd == -1 && (o->fd = client_connect(o->settings)) == -1) {
		warn("the queue cannot be asked: %s/queue", o->settings->run);
		return false;
	}
	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, "trace", name);
	if (!buf_ok(&ask) || msg_call(o->fd, &ask, NULL, &answer, NULL,
	    CLIENT_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "queue");
	there = record_get(buf_view(&answer), QUEUE_VERB, &verb) &&
	    str_eq(verb, STR("ok"));
	if (there)
		printf("in the queue:\n");
	c = cur_from(buf_view(&answer));
	while (there && record_next(&c, &f))
		if (f.tag == QUEUE_TEXT)
			postq_put_line(f.value);
	buf_free(&ask);
	buf_free(&answer);
	return there;
}

static void
say_end(const struct tracing *t, bool there, bool asked)
{
	if (there)
		printf("it is in the queue: ");
	else if (t->ended)
		printf("it has left the queue: ");
	else if (!asked)
		printf("the log does not say that it ended, and the queue "
		    "could not be asked: ");
	else
		printf("it is not in the queue, and the log does not say how "
		    "it ended: ");
	printf("%lu delivered, %lu failed, %lu attempts in vain\n",
	    t->delivered, t->failed, t->deferred);
}

static bool
trace_one(struct postq *o, const char *name)
{
	struct tracing	t = { .n = 1, .only = name };
	struct id	id;
	bool		there, read;

	if (!id_parse(str_from(name), &id)) {
		warnx("%s: that is no id of a message", name);
		return false;
	}
	strlcpy(t.names[0], name, ID_SIZE);
	read = trace_log(o, id, &t);
	there = trace_queue(o, name);
	if (t.lines == 0 && !there) {
		warnx("%s: no such message in the %s", name, o->fd == -1 ?
		    "log" : "queue, nor in the log");
		return false;
	}
	say_end(&t, there, o->fd != -1);
	return read || there;
}

int
postq_trace(struct postq *o, const char *verb, int argc, char *argv[])
{
	struct picked	p = { .elsewhere = true };
	size_t		i;
	bool		ok = true;

	(void)verb;
	if (o->dry || !postq_pick(o, NULL, argc, argv, &p))
		return EX_USAGE;
	postq_confine(o, postq_log_path(o));
	for (i = 0; i < p.n; i++) {
		if (p.n > 1)
			printf("%s== %s\n", i == 0 ? "" : "\n", p.ids[i]);
		ok = trace_one(o, p.ids[i]) && ok;
	}
	picked_free(&p);
	return ok ? EX_OK : EX_DATAERR;
}

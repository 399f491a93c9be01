/*
 * queue/postq_balance.c - the verb balance: does what was accepted add up with
 * what was delivered, given up and thrown away, and what lies in the spool?
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "queue/ledger.h"
#include "queue/logfiles.h"
#include "queue/postq.h"

#define TRIES		3	/* what goes on while we look must not be taken for a fault */
#define PAUSE_SECONDS	1

/* In the order of their bits. */
static const enum spool_place	places[] = {
	SPOOL_INCOMING, SPOOL_DROP, SPOOL_QUEUE, SPOOL_HOLD, SPOOL_CORRUPT
};

struct balance {
	struct postq	*o;
	struct ledger	 ledger;
	struct logfiles	 files;
	int64_t		 since_ms;	/* asked for */
	bool		 begun;		/* a line has come */
	struct spool	 spool;
	int		 dir;
	uint8_t		 place;
	struct id	*before;	/* wrong the last time as well */
	size_t		 nbefore;
};

/* "2d": so long ago. "2026-11-24", "2026-11-24T06:55": a time here. */
static bool
parse_since(const char *text, int64_t *ms)
{
	struct tm	 tm;
	const char	*end;
	long long	 ago;

	if (conf_time(text, &ago) == 0) {
		*ms = now_real_ms() - ago;
		return true;
	}
	memset(&tm, 0, sizeof(tm));
	end = strptime(text, "%Y-%m-%d", &tm);
	if (end != NULL && (*end == 'T' || *end == ' '))
		end = strptime(end + 1, "%H:%M", &tm);
	if (end != NULL && *end == ':')
		end = strptime(end + 1, "%S", &tm);
	if (end == NULL || *end != '\0')
		return false;
	tm.tm_isdst = -1;
	*ms = (int64_t)mktime(&tm) * 1000;
	return true;
}

static bool
one_line(void *arg, const struct logline *l, struct str line)
{
	struct balance	*b = arg;

	(void)line;
	if (!b->begun && !b->files.older)
		b->ledger.since_ms = l->at_ms;
	b->begun = true;
	ledger_line(&b->ledger, l);
	return !b->ledger.bad;
}

static int
one_file(void *arg, const struct id *id, const char *name, int64_t mtime)
{
	struct balance	*b = arg;
	struct envelope	 env;
	struct diag	 why;
	size_t		 i, waiting = 0;
	int		 fd;

	(void)name;
	(void)mtime;
	if (id == NULL)
		return 0;
	fd = spool_file(&b->spool, places[b->place], *id, false);
	if (fd == -1 && errno == ENOENT)
		return 0;	/* it has gone on */
	if (fd == -1 || envelope_load(fd, &env, &why) == -1) {
		ledger_file(&b->ledger, *id, (uint8_t)(1u << b->place), 0, 0,
		    false);
		fdio_close(&fd);
		return 0;
	}
	fdio_close(&fd);
	for (i = 0; i < env.nrcpts; i++)
		waiting += envelope_rcpt_waits(&env.rcpts[i]);
	ledger_file(&b->ledger, *id, (uint8_t)(1u << b->place), env.nrcpts,
	    waiting, str_eq(env.origin, STR("import")));
	envelope_free(&env);
	return 0;
}

static void
collect(struct balance *b, const char *path)
{
	ledger_free(&b->ledger);
	logfiles_free(&b->files);
	ledger_init(&b->ledger, b->since_ms);
	b->begun = false;
	if (logfiles_find(&b->files, path) == -1)
		err(EX_NOINPUT, "%s", path);
	(void)logfiles_each(&b->files, b->since_ms, one_line, b);
	for (b->place = 0; b->place < nitems(places); b->place++)
		if (spool_scan(&b->spool, places[b->place], one_file, b) == -1)
			err(EX_NOINPUT, "%s", b->o->settings->spool);
	if (b->ledger.bad)
		errx(EX_TEMPFAIL, "out of memory");
}

static bool
was_wrong(const struct balance *b, const struct id *id)
{
	return b->nbefore > 0 && bsearch(id, b->before, b->nbefore,
	    sizeof(*b->before), id_cmp) != NULL;
}

/* Those that are wrong now, sorted; number. */
static size_t
find_wrong(const struct balance *b, struct id **out)
{
	const struct ledger	*l = &b->ledger;
	struct buf		 why;
	size_t			 i, n = 0, cap = 0;

	*out = NULL;
	buf_init(&why, 4096);
	for (i = 0; i < l->cap; i++) {
		if (!ledger_wrong(l, &l->accounts[i], &why))
			continue;
		if (n == cap) {
			cap = cap * 2 + 64;
			*out = reallocarray(*out, cap, sizeof(**out));
			if (*out == NULL)
				err(EX_TEMPFAIL, "list");
		}
		(*out)[n++] = l->accounts[i].id;
	}
	buf_free(&why);
	if (n > 0)
		qsort(*out, n, sizeof(**out), id_cmp);
	return n;
}

/* Mail goes on while logs and spool are read: only what stays wrong is. */
static void
settle(struct balance *b, const char *path)
{
	struct id	*now;
	size_t		 n, i, kept;
	int		 tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (tries > 0)
			sleep(PAUSE_SECONDS);
		collect(b, path);
		n = find_wrong(b, &now);
		for (i = kept = 0; i < n; i++)
			if (tries == 0 || was_wrong(b, &now[i]))
				now[kept++] = now[i];
		free(b->before);
		b->before = now;
		b->nbefore = kept;
		if (kept == 0 && !logfiles_moved(&b->files))
			break;
	}
}

static void
row(const char *what, uint64_t messages, int64_t rcpts)
{
	if (messages == UINT64_MAX)
		printf("%-32s %10s %10" PRId64 "\n", what, "", rcpts);
	else
		printf("%-32s %10" PRIu64 " %10" PRId64 "\n", what, messages,
		    rcpts);
}

#define NONE	UINT64_MAX

static void
print_sums(const struct balance *b, const struct ledger_sums *s)
{
	row("accepted by SMTP and LMTP", s->messages[ACCOUNT_SMTP],
	    (int64_t)s->rcpts[ACCOUNT_SMTP]);
	row("sent by local users", s->messages[ACCOUNT_DROP],
	    (int64_t)s->rcpts[ACCOUNT_DROP]);
	row("reports made", s->messages[ACCOUNT_REPORT],
	    (int64_t)s->rcpts[ACCOUNT_REPORT]);
	row("imported", s->messages[ACCOUNT_IMPORT],
	    (int64_t)s->rcpts[ACCOUNT_IMPORT]);
	if (s->messages[ACCOUNT_UNKNOWN] > 0)
		row("of unknown origin", s->messages[ACCOUNT_UNKNOWN],
		    (int64_t)s->rcpts[ACCOUNT_UNKNOWN]);
	row("accepted before", s->carried, (int64_t)s->carried_rcpts);
	row("more recipients by expansion", NONE, s->expanded);
	row("failed ones tried again", NONE, (int64_t)s->revived);
	row("- delivered", NONE, (int64_t)(s->delivered - b->ledger.relayed));
	row("- relayed", NONE, (int64_t)b->ledger.relayed);
	row("- failed", NONE, (int64_t)s->failed);
	row("- given up", NONE, (int64_t)s->expired);
	row("- removed", NONE, (int64_t)s->removed);
	row("- in the spool", s->spool, (int64_t)s->spool_rcpts);
	row("difference", NONE, s->difference);
	if (s->untaken > 0)
		printf("%" PRIu64 " message%s of local users not taken over "
		    "yet\n", s->untaken, s->untaken == 1 ? "" : "s");
}

static void
print_wrong(const struct balance *b)
{
	const struct account	*a;
	struct buf		 why;
	char			 name[ID_SIZE];
	size_t			 i;

	buf_init(&why, 4096);
	for (i = 0; i < b->nbefore; i++) {
		a = ledger_find(&b->ledger, b->before[i]);
		if (a == NULL || !ledger_wrong(&b->ledger, a, &why))
			continue;
		id_format(a->id, name);
		printf("%s: %.*s\n", name, STR_ARG(buf_view(&why)));
	}
	buf_free(&why);
}

static void
print_head(const struct balance *b)
{
	const struct logfile	*f;
	char			 when[32], asked[32];
	const char		*before = ":";

	postq_time(b->since_ms, asked);
	if (!b->begun)
		printf("no line of the log");
	else
		printf("since %s", postq_time(b->ledger.since_ms, when));
	if (b->begun && b->ledger.since_ms > b->since_ms)
		printf(", where the log begins");
	if (b->since_ms > 0 && (!b->begun ||
	    b->ledger.since_ms > b->since_ms))
		printf("%s %s", b->begun ? ", not" : " since", asked);
	for (f = b->files.files; f < b->files.files + b->files.n; f++) {
		if (f->skipped)
			continue;
		printf("%s %s%s%s", before, f->path, f->error != 0 ? ": " : "",
		    f->error == 0 ? "" : logfile_error(f));
		before = ",";
	}
	printf("\n%-32s %10s %10s\n", "", "messages", "recipients");
}

int
postq_balance(struct postq *o, const char *verb, int argc, char *argv[])
{
	struct balance		b = { .o = o };
	struct ledger_sums	sums;
	const char		*log;
	bool			ok;

	(void)verb;
	(void)argv;
	if (argc > 0 || o->dry || !filter_is_empty(&o->filter))
		return EX_USAGE;
	if (o->since != NULL && !parse_since(o->since, &b.since_ms))
		errx(EX_USAGE, "--since %s: neither how long ago (90m, 2d) nor "
		    "a date (2026-11-24, 2026-11-24T06:55)", o->since);
	if (b.since_ms > now_real_ms())
		errx(EX_USAGE, "--since %s lies in the future", o->since);
	if (postq_spool(o, &b.spool, &b.dir, true) == -1)
		return errno == EACCES || errno == EPERM ? EX_NOPERM :
		    EX_NOINPUT;
	if ((log = postq_log_path(o)) == NULL)
		errx(EX_UNAVAILABLE, "the log is not in a file (log \"%s\"): "
		    "name one with -l", o->settings->log);
	postq_confine(o, log);
	settle(&b, log);
	ledger_sum(&b.ledger, &sums);
	if (!o->quiet) {
		print_head(&b);
		print_sums(&b, &sums);
	}
	print_wrong(&b);
	ok = b.nbefore == 0 && logfiles_ok(&b.files);
	ledger_free(&b.ledger);
	logfiles_free(&b.files);
	free(b.before);
	spool_close(&b.spool);
	fdio_close(&b.dir);
	return ok ? EX_OK : EX_DATAERR;
}

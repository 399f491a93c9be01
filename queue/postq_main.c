/*
 * queue/postq_main.c - postq(8): orders to the queue. Run by root, or by members
 * of ph-queue; does nothing itself but ask.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"
#include "queue/listing.h"

static const struct verb {
	const char	*name;
	bool		 ids;		/* it wants some, or ALL, or a filter */
	bool		 at_once;	/* queue itself knows ALL */
	bool		 asks;		/* what it does is done for good */
	const char	*place;		/* of those that a filter picks; NULL: any */
} verbs[] = {
	{ "flush",	true,	true,	false,	"waiting" },
	{ "hold",	true,	true,	false,	"waiting" },
	{ "release",	true,	true,	false,	"held" },
	{ "remove",	true,	false,	true,	NULL },
	{ "requeue",	true,	true,	false,	NULL },
	{ "stat",	false,	false,	false,	NULL },
	{ "trace",	true,	false,	false,	NULL },
};

struct order {
	const struct verb	*verb;
	struct filter		 filter;
	bool			 dry, yes, quiet;
	int			 fd;
};

/* What a filter picks. */
struct picked {
	const struct order	*o;
	char			(*ids)[ID_SIZE];
	size_t			 n, cap;
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: postq [-nq] [-f file] [filter] flush | hold | "
	    "release | requeue [id ... | ALL]\n"
	    "       postq [-nqy] [-f file] [filter] remove [id ... | ALL]\n"
	    "       postq [-f file] [filter] trace [id ... | ALL]\n"
	    "       postq [-f file] stat\n"
	    "filter: [-Hw] [-d domain] [-e text] [-F sender] [-o age] "
	    "[-t recipient]\n");
	exit(EX_USAGE);
}

/* Terminals must not be at the mercy of a sender. */
static void
put_safe(FILE *f, struct str s)
{
	size_t	i, n;

	for (i = 0; i < s.n; i += n)
		if ((n = log_shown(s, i)) > 0)
			fwrite(s.p + i, 1, n, f);
		else {
			putc('?', f);
			n = 1;
		}
}

/* A line of a status file begins with a time that only programs like. */
static void
put_line(FILE *f, struct str line)
{
	unsigned long long	when;
	struct cur		c = cur_from(line);
	struct str		digits;
	struct tm		tm;
	time_t			t;
	char			text[32];

	if (cur_span(&c, is_digit, 12, &digits) && digits.n >= 9 &&
	    cur_byte(&c, ' ') && str_number(digits, INT64_MAX, &when) == 0) {
		t = (time_t)when;
		if (localtime_r(&t, &tm) != NULL && strftime(text,
		    sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) > 0) {
			fprintf(f, "%s ", text);
			line = cur_rest(&c);
		}
	}
	put_safe(f, line);
	putc('\n', f);
}

/* What it says, a line each; false if it says no. */
static bool
show(const struct order *o, const char *id, struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	verb;
	bool		ok, head = id != NULL && strcmp(id, "ALL") != 0 &&
			    strcmp(o->verb->name, "trace") != 0;

	ok = record_get(rec, QUEUE_VERB, &verb) && str_eq(verb, STR("ok"));
	if (ok && o->quiet)
		return true;
	while (record_next(&c, &f)) {
		if (f.tag != QUEUE_TEXT)
			continue;
		if (head || (!ok && id != NULL))
			fprintf(ok ? stdout : stderr, "%s: ", id);
		put_line(ok ? stdout : stderr, f.value);
	}
	return ok;
}

static bool
order(const struct order *o, const char *id)
{
	struct buf	ask, answer;
	bool		ok;

	if (o->dry) {
		printf("%s: would be asked to %s\n", id, o->verb->name);
		return true;
	}
	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, o->verb->name, id);
	if (!buf_ok(&ask) || msg_call(o->fd, &ask, NULL, &answer, NULL,
	    CLIENT_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "queue");
	ok = show(o, id, buf_view(&answer));
	buf_free(&ask);
	buf_free(&answer);
	return ok;
}

static const struct verb *
find_verb(const char *name)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (name != NULL && strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	usage();
}

static void
pick(void *arg, struct str entry)
{
	struct picked	*p = arg;
	struct str	 place;
	char		 id[ID_SIZE];
	void		*more;

	/* queue does not have these yet */
	if (!record_get(entry, ENTRY_PLACE, &place) ||
	    str_eq(place, STR("incoming")) || str_eq(place, STR("dropped")) ||
	    !record_gets(entry, ENTRY_ID, id, sizeof(id)))
		return;
	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 64;
		more = reallocarray(p->ids, p->cap, sizeof(*p->ids));
		if (more == NULL)
			err(EX_TEMPFAIL, "list");
		p->ids = more;
	}
	memcpy(p->ids[p->n++], id, sizeof(id));
}

/* Only a person can be asked, and only once he sees how many there are. */
static void
confirm(const struct order *o, size_t n)
{
	char	answer[16];

	if (!o->verb->asks || o->yes || o->dry)
		return;
	if (!isatty(STDIN_FILENO))
		errx(EX_USAGE, "%s of %zu messages: say -y to mean it",
		    o->verb->name, n);
	fprintf(stderr, "%s %zu message%s for good? [y/N] ", o->verb->name, n,
	    n == 1 ? "" : "s");
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y'))
		errx(EX_OK, "nothing is done");
}

static bool
order_picked(struct order *o)
{
	struct picked	p = { .o = o };
	size_t		i;
	bool		ok = true;

	if (*o->filter.place == '\0' && o->verb->place != NULL)
		strlcpy(o->filter.place, o->verb->place,
		    sizeof(o->filter.place));
	if (listing_each(o->fd, &o->filter, pick, &p) == -1)
		err(EX_TEMPFAIL, "queue");
	if (p.n == 0)
		warnx("no message matches");
	else
		confirm(o, p.n);
	for (i = 0; i < p.n; i++)
		ok = order(o, p.ids[i]) && ok;
	free(p.ids);
	return ok;
}

static bool
run(struct order *o, int n, char *const ids[])
{
	bool	all = n == 1 && strcmp(ids[0], "ALL") == 0, ok = true;
	int	i;

	if (!o->verb->ids)
		return order(o, NULL);
	if (all && o->verb->at_once && !o->dry && filter_is_empty(&o->filter))
		return order(o, "ALL");
	if (all || n == 0)
		return order_picked(o);
	for (i = 0; i < n; i++)
		ok = order(o, ids[i]) && ok;
	return ok;
}

static void
parse(struct order *o, int argc, char *argv[], const char **conf)
{
	const char	*why;
	int		 c;

	while ((c = getopt(argc, argv, FILTER_OPTIONS "f:nqy")) != -1)
		switch (c) {
		case 'f':
			*conf = optarg;
			break;
		case 'n':
			o->dry = true;
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'y':
			o->yes = true;
			break;
		case '?':
			usage();
		default:
			if (!filter_option(&o->filter, c, optarg, &why))
				errx(EX_USAGE, "-%c %s: %s", c, optarg, why);
		}
}

int
main(int argc, char *argv[])
{
	struct order	 o = { .quiet = false };
	struct settings	*s;
	const char	*conf = NULL;
	bool		 ok, filtered;
	int		 n;

	parse(&o, argc, argv, &conf);
	o.verb = find_verb(argv[optind]);
	filtered = !filter_is_empty(&o.filter);
	n = argc - optind - 1;
	/* Ids and a filter together would be read in two ways. */
	if ((!o.verb->ids && (n > 0 || filtered || o.dry)) ||
	    (o.verb->ids && n == 0 && !filtered) ||
	    (filtered && n > 0 && strcmp(argv[optind + 1], "ALL") != 0))
		usage();
	s = client_settings(conf);
	if ((o.fd = client_connect(s)) == -1)
		err(client_status(errno), "%s/queue", s->run);
	ok = run(&o, n, argv + optind + 1);
	close(o.fd);
	settings_free(&s);
	if (ferror(stdout) || fflush(stdout) == EOF)
		return EX_IOERR;
	return ok ? EX_OK : EX_DATAERR;
}

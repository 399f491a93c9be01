/* queue/postq_common.c - what the verbs of postq share. Runs as whoever calls. */
#include "queue/postq.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/cur.h"
#include "common/fmt/record.h"
#include "common/proc/proto_queue.h"
#include "common/proc/sandbox.h"
#include "queue/client.h"
#include "queue/listing.h"

void
postq_connect(struct postq *p)
{
	if (p->fd == -1 && (p->fd = client_connect(p->settings)) == -1)
		client_fail(p->settings);
}

static void
add(struct picked *p, const char *id)
{
	void	*more;

	if (p->n == p->cap) {
		p->cap = p->cap * 2 + 64;
		more = reallocarray(p->ids, p->cap, sizeof(*p->ids));
		if (more == NULL)
			err(EX_TEMPFAIL, "list");
		p->ids = more;
	}
	/* What is too long is no id, cut or not. */
	strlcpy(p->ids[p->n++], id, sizeof(*p->ids));
}

static void
pick(void *arg, struct str entry)
{
	struct picked	*p = arg;
	struct str	 place;
	char		 id[ID_SIZE];

	if (!record_get(entry, ENTRY_PLACE, &place) ||
	    (!p->elsewhere && (str_eq(place, STR("incoming")) ||
	    str_eq(place, STR("dropped")))) ||
	    !record_gets(entry, ENTRY_ID, id, sizeof(id)))
		return;
	add(p, id);
}

bool
postq_pick(struct postq *o, const char *place, int argc, char *argv[],
    struct picked *p)
{
	bool	all = argc == 1 && strcmp(argv[0], "ALL") == 0;
	bool	filtered = !filter_is_empty(&o->filter);
	int	i;

	/* Ids and a filter together would be read in two ways. */
	if ((argc == 0 && !filtered) || (filtered && argc > 0 && !all))
		return false;
	if (argc > 0 && !all) {
		for (i = 0; i < argc; i++)
			add(p, argv[i]);
		return true;
	}
	if (*o->filter.place == '\0' && place != NULL)
		strlcpy(o->filter.place, place, sizeof(o->filter.place));
	postq_connect(o);
	if (listing_each(o->fd, &o->filter, filter_is_of_place(&o->filter) ?
	    LIST_BARE : LIST_BRIEF, pick, p) == -1)
		err(EX_TEMPFAIL, "queue");
	if (p->n == 0)
		warnx("no message matches");
	return true;
}

void
picked_free(struct picked *p)
{
	free(p->ids);
	*p = (struct picked){ NULL, 0, 0, false };
}

void
postq_confirm(const struct postq *o, const char *what, size_t n)
{
	char	answer[16];

	if (o->yes || o->dry || n == 0)
		return;
	if (!isatty(STDIN_FILENO))
		errx(EX_USAGE, "%s of %zu message%s: say -y to mean it", what,
		    n, n == 1 ? "" : "s");
	fprintf(stderr, "%s %zu message%s for good? [y/N] ", what, n,
	    n == 1 ? "" : "s");
	if (fgets(answer, sizeof(answer), stdin) == NULL ||
	    (answer[0] != 'y' && answer[0] != 'Y'))
		errx(EX_OK, "nothing is done");
}

int
postq_spool(const struct postq *o, struct spool *s, int *dir, bool say)
{
	const char	*path = o->settings->spool;
	struct diag	 why = { "" };
	int		 saved;

	*dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir != -1 && spool_open(s, *dir, DURABLE_STRICT, &why) == 0)
		return 0;
	saved = errno;
	if (say)
		warnx("%s: %s", path, why.text[0] != '\0' ? why.text :
		    strerror(saved));
	fdio_close(dir);
	errno = saved;
	return -1;
}

void
postq_confine(const struct postq *o, const char *log)
{
	struct sandbox_path	 paths[] = {
		{ o->settings->spool, SANDBOX_READ },
		{ o->settings->run, SANDBOX_READ | SANDBOX_WRITE },
		{ "/etc/localtime", SANDBOX_READ },
		{ "/usr/share/zoneinfo", SANDBOX_READ },
		{ NULL, SANDBOX_READ },		/* directory of the log */
	};
	const char		*slash;
	struct diag		 why;
	char			 dir[4096] = ".";
	size_t			 n = nitems(paths) - (log == NULL);

	if (log != NULL && (slash = strrchr(log, '/')) != NULL &&
	    str_copy(dir, sizeof(dir), (struct str){ log, slash == log ? 1 :
	    (size_t)(slash - log) }) == -1)
		err(EX_USAGE, "%s", log);
	paths[nitems(paths) - 1].path = dir;
	if (sandbox_enter_files(paths, n, &why) == -1)
		errx(EX_OSERR, "%s", why.text);
}

const char *
postq_log_path(const struct postq *o)
{
	const char	*log = o->settings->log;

	if (o->log != NULL)
		return o->log;
	return strncmp(log, "file:", 5) == 0 ? log + 5 : NULL;
}

static void
put_safe(FILE *to, struct str s)
{
	struct buf	shown;

	buf_init(&shown, s.n + 1);
	log_add_shown(&shown, s);
	if (shown.n > 0)
		fwrite(shown.p, 1, shown.n, to);
	buf_free(&shown);
}

void
postq_put_safe(struct str s)
{
	put_safe(stdout, s);
}

void
postq_warn_safe(const char *name, const char *why)
{
	fprintf(stderr, "%s: ", program_invocation_short_name);
	put_safe(stderr, str_from(name));
	fprintf(stderr, ": ");
	put_safe(stderr, str_from(why));
	fprintf(stderr, "\n");
}

const char *
postq_time(int64_t ms, char out[32])
{
	struct tm	tm;
	time_t		t = (time_t)(ms / 1000);

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, 32, "%lld", (long long)(ms / 1000));
	return out;
}

void
postq_put_line(struct str line)
{
	unsigned long long	when;
	struct cur		c = cur_from(line);
	struct str		digits;
	char			text[32];

	if (cur_span(&c, is_digit, 12, &digits) && digits.n >= 9 &&
	    cur_byte(&c, ' ') && str_number(digits, INT64_MAX / 1000,
	    &when) == 0) {
		printf("%s ", postq_time((int64_t)when * 1000, text));
		line = cur_rest(&c);
	}
	postq_put_safe(line);
	putchar('\n');
}

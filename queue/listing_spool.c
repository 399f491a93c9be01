/*
 * queue/listing_spool.c - the list from the files of the spool, for those who
 * may read them: which there are is asked of queue, or seen when that is down.
 * Many are read by several processes.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "queue/entry.h"
#include "queue/listing.h"

#define WORKERS_MAX	8u
#define EACH_MIN	1000u	/* messages that are worth a process */

struct many {
	struct spool		 spool;
	int			 dir;
	struct printing		*p;
	struct entry		*items;
	size_t			 n, cap;
	enum spool_place	 place;		/* that is looked at */
};

static int
many_open(struct many *m, const struct settings *s)
{
	struct diag	why;

	m->dir = open(s->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir != -1 && spool_open(&m->spool, m->dir, DURABLE_STRICT,
	    &why) == 0)
		return 0;
	fdio_close(&m->dir);
	return -1;
}

static void
many_close(struct many *m)
{
	free(m->items);
	spool_close(&m->spool);
	fdio_close(&m->dir);
}

static void
many_add(struct many *m, const struct entry *e)
{
	size_t	cap = m->cap * 2 + 1024;

	if (m->n == m->cap) {
		m->items = reallocarray(m->items, cap, sizeof(*m->items));
		if (m->items == NULL)
			err(EX_TEMPFAIL, "list");
		m->cap = cap;
	}
	m->items[m->n++] = *e;
}

/* Prints some of them; what has gone on since is no loss for the list. */
static void
print_some(struct many *m, size_t from, size_t to)
{
	const struct listing_opts	*o = m->p->o;
	struct buf	scratch, entry, *status = &scratch;
	struct entry	*e;

	buf_init(&scratch, (1u << 20) + 4096);
	buf_init(&entry, ENTRY_SIZE_MAX);
	if (listing_detail(o) == LIST_BRIEF && *o->filter.text == '\0')
		status = NULL;
	for (e = m->items + from; e < m->items + to; e++) {
		buf_reset(&entry);
		if (entry_read(&m->spool, e, &o->filter, status,
		    &entry) == 0 && entry.n > 0 && buf_ok(&entry))
			listing_print(m->p, buf_view(&entry));
	}
	listing_flush(m->p);
	buf_free(&scratch);
	buf_free(&entry);
}

struct worker {
	pid_t		pid;
	int		text;		/* what it prints */
	uint64_t	*sums;		/* messages, bytes, held */
};

static _Noreturn void
work(struct many *m, const struct worker *w, size_t from, size_t to)
{
	struct printing	*p = m->p;

	if (dup2(w->text, STDOUT_FILENO) == -1)
		_exit(EX_OSERR);
	p->headed = true;
	print_some(m, from, to);
	w->sums[0] = p->messages;
	w->sums[1] = p->bytes;
	w->sums[2] = p->held;
	_exit(fflush(stdout) == EOF ? EX_OSERR : EX_OK);
}

static int
start(struct many *m, struct worker *w, size_t from, size_t to)
{
	if ((w->text = memfd_create("mailq", MFD_CLOEXEC)) == -1)
		return -1;
	fflush(stdout);
	if ((w->pid = fork()) == 0)
		work(m, w, from, to);
	return w->pid == -1 ? -1 : 0;
}

static int
copy_out(int fd)
{
	char	mem[65536];
	off_t	at = 0;
	ssize_t	n;

	while ((n = fdio_pread(fd, mem, sizeof(mem), at)) > 0) {
		fwrite(mem, 1, (size_t)n, stdout);
		at += n;
	}
	return n == 0 ? 0 : -1;
}

/* All have to end well before anything is shown. */
static int
gather(struct many *m, struct worker *w, size_t n)
{
	struct printing	*p = m->p;
	size_t		 i;
	int		 status, r = 0;

	for (i = 0; i < n; i++)
		if (waitpid(w[i].pid, &status, 0) == -1 || status != 0) {
			errno = ECHILD;
			r = -1;
		}
	for (i = 0; i < n && r == 0; i++) {
		/* the heading */
		if (!p->headed && w[i].sums[0] > 0)
			listing_head(p);
		p->messages += w[i].sums[0];
		p->bytes += w[i].sums[1];
		p->held += w[i].sums[2];
		r = copy_out(w[i].text);
	}
	return r;
}

static int
print_many(struct many *m, size_t n)
{
	struct worker	 w[WORKERS_MAX];
	uint64_t	*sums;
	size_t		 size = WORKERS_MAX * 3 * sizeof(*sums), i, started;
	int		 r = 0;

	sums = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	if (sums == MAP_FAILED)
		return -1;
	for (started = 0; started < n && r == 0; started++) {
		w[started] = (struct worker){ -1, -1, sums + started * 3 };
		r = start(m, &w[started], m->n * started / n,
		    m->n * (started + 1) / n);
	}
	if (gather(m, w, r == -1 ? started - 1 : started) == -1)
		r = -1;
	for (i = 0; i < started; i++)
		fdio_close(&w[i].text);
	munmap(sums, size);
	return r;
}

static size_t
workers(size_t messages)
{
	long	n = sysconf(_SC_NPROCESSORS_ONLN);
	size_t	most = n < 1 ? 1 : (size_t)n > WORKERS_MAX ? WORKERS_MAX :
		    (size_t)n;

	return messages / EACH_MIN < most ? messages / EACH_MIN : most;
}

static int
print_all(struct many *m)
{
	size_t	n = workers(m->n);

	if (n > 1)
		return print_many(m, n);
	print_some(m, 0, m->n);
	return 0;
}

/* ---- which there are: what queue says */

static void
add_told(void *arg, struct str rec)
{
	struct entry	e;

	if (entry_parse(rec, &e))
		many_add(arg, &e);
}

int
listing_direct(int fd, const struct settings *s, struct printing *p)
{
	struct many	m = { .p = p };
	int		r;

	if (many_open(&m, s) == -1)
		return 1;
	r = listing_each(fd, &p->o->filter, LIST_BARE, add_told, &m);
	if (r == 0)
		r = print_all(&m);
	many_close(&m);
	return r;
}

/* ---- what is seen when that is down */

static int
add_found(void *arg, const struct id *id, const char *name, int64_t at)
{
	struct many	*m = arg;

	(void)name;
	(void)at;
	many_add(m, &(struct entry){ .id = *id, .place = m->place,
	    .due = ENTRY_DUE_FILE });
	return 0;
}

static int
look_everywhere(struct many *m)
{
	static const enum spool_place	places[] = {
		SPOOL_QUEUE, SPOOL_HOLD, SPOOL_INCOMING, SPOOL_DROP
	};
	size_t	i;

	for (i = 0; i < nitems(places); i++) {
		m->place = places[i];
		if (spool_names(&m->spool, places[i], add_found, m) == -1)
			return -1;
	}
	if (m->n > 0)
		qsort(m->items, m->n, sizeof(*m->items), entry_order);
	return 0;
}

int
listing_stopped(const struct settings *s, struct printing *p)
{
	struct many	m = { .p = p };

	if (many_open(&m, s) == -1) {
		warnx("the queue is not running, and %s cannot be read by you",
		    s->spool);
		return EX_UNAVAILABLE;
	}
	warnx("the queue is not running; this is what lies in %s", s->spool);
	if (look_everywhere(&m) == -1 || print_all(&m) == -1)
		warn("%s", s->spool);
	many_close(&m);
	return EX_UNAVAILABLE;
}

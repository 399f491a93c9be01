/*
 * queue/drop.c - mail that a local user sent: written by the set-gid program
 * drop under that user, so nothing in it is believed but the owner of the
 * file, whom the kernel names. It gets an id of ours, the trace field, and the
 * fields that a message must have (RFC 6409 8).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/date.h"
#include "common/fmt/header.h"
#include "common/fmt/path.h"
#include "queue/queue.h"
#include "queue/submit_check.h"

#define HEADER_MAX	262144u	/* looked at for Date and Message-ID */
#define PREFIX_MAX	2048u
#define MEM_MAX		(64u << 20)

/* The content's header section, as far as it is looked at. */
static int
read_header(int fd, const struct envelope *env, struct buf *out)
{
	size_t	n = env->content_len < (off_t)HEADER_MAX ?
		    (size_t)env->content_len : HEADER_MAX;
	ssize_t	got;

	if (buf_reserve(out, n == 0 ? 1 : n) == -1 ||
	    (got = fdio_pread(fd, out->p, n, env->content_at)) == -1)
		return -1;
	out->n = header_length((struct str){ out->p, (size_t)got });
	return 0;
}

static void
make_prefix(const struct queue *q, const struct envelope *env, struct str head,
    struct buf *out)
{
	struct header_field	f;
	struct tm		tm;
	char			date[DATE_SIZE];
	time_t			at = (time_t)(env->arrival_ms / 1000);
	int			offset = 0;

	if (localtime_r(&at, &tm) != NULL)
		offset = (int)(tm.tm_gmtoff / 60);
	if (date_format(at, offset, date) == -1)
		date[0] = '\0';
	buf_addf(out, "Received: by %s (Posthouse, from userid %u)\r\n\tid %s; "
	    "%s\r\n", q->settings->hostname, (unsigned)env->owner, env->id,
	    date);
	if (!header_find(head, "Date", &f))
		buf_addf(out, "Date: %s\r\n", date);
	if (!header_find(head, "Message-ID", &f))
		buf_addf(out, "Message-ID: <%s@%s>\r\n", env->id,
		    q->settings->hostname);
}

static int
write_new(struct queue *q, int fd, const struct envelope *old,
    struct envelope *env)
{
	struct buf	prefix, head;
	int		r;

	buf_init(&prefix, PREFIX_MAX);
	buf_init(&head, HEADER_MAX + 1);
	if ((r = read_header(fd, old, &head)) == 0) {
		make_prefix(q, env, buf_view(&head), &prefix);
		r = !buf_ok(&prefix) ? -1 : spool_rewrite(&q->spool, env,
		    buf_view(&prefix), fd, old->content_at, old->content_len);
	}
	buf_free(&prefix);
	buf_free(&head);
	return r;
}

/* "bob" is bob in the first of our domains. */
static int
qualify(const struct queue *q, struct arena *mem, struct str *addr)
{
	const struct setting_list *d = &q->settings->domains;
	const char	*domain = d->n > 0 ? d->items[0].text :
			    q->settings->hostname;
	struct buf	 b;
	int		 r;

	if (addr->n == 0 || memchr(addr->p, '@', addr->n) != NULL)
		return 0;
	buf_init(&b, ADDR_MAX);
	buf_addf(&b, "%.*s@%s", STR_ARG(*addr), domain);
	r = buf_ok(&b) ? arena_dup(mem, buf_view(&b), addr) : -1;
	buf_free(&b);
	return r;
}

/* Our own envelope of what may be believed. */
static int
take_over(struct queue *q, int fd, struct envelope *old, struct id *id)
{
	struct timespec	ts = now_real();
	struct envelope	env = *old;
	struct arena	mem;
	char		who[32];
	size_t		i;
	int		r;

	*id = id_make(&ts);
	id_format(*id, env.id);
	env.arrival_ms = now_real_ms();
	env.origin = STR("drop");
	env.client = env.helo = env.proto = STR("");
	snprintf(who, sizeof(who), "uid=%u", (unsigned)old->owner);
	env.auth = str_from(who);
	arena_init(&mem, MEM_MAX);
	r = qualify(q, &mem, &env.sender);
	for (i = 0; i < env.nrcpts && r == 0; i++) {
		env.rcpts[i].final = STR("");
		env.rcpts[i].state = RCPT_WAITING;
		r = qualify(q, &mem, &env.rcpts[i].addr);
	}
	if (r == 0)
		r = write_new(q, fd, old, &env);
	arena_free(&mem);
	return r;
}

static void
refuse(struct queue *q, struct id id, const struct envelope *env,
    const char *why)
{
	q->held++;
	log_warn("held id=%s uid=%u why=\"%s\"", env->id, (unsigned)env->owner,
	    why);
	if (spool_move(&q->spool, id, SPOOL_DROP, SPOOL_HOLD) == -1)
		intake_complain(q, "hold", env->id);
}

/* It may have its name, flushed or not; the drop file is the one that counts. */
static void
forget_copy(struct queue *q, struct id id)
{
	int	saved = errno;

	if (spool_remove(&q->spool, SPOOL_QUEUE, id) == -1)
		intake_complain(q, "remove", "");
	errno = saved;
}

static int
take_loaded(struct queue *q, int fd, struct id id, struct envelope *env)
{
	const char	*wrong;
	struct id	 fresh;
	char		 name[ID_SIZE];

	if ((wrong = submit_check(q->settings, env)) != NULL) {
		refuse(q, id, env, wrong);
		return 0;
	}
	if (take_over(q, fd, env, &fresh) == -1) {
		forget_copy(q, fresh);
		return -1;
	}
	/* From here on it may come twice, but it comes. */
	if (spool_remove(&q->spool, SPOOL_DROP, id) == -1) {
		intake_complain(q, "remove", env->id);
		q->stuck[q->nstuck++] = id;
	}
	id_format(fresh, name);
	log_info("accepted id=%s drop=%s uid=%u nrcpts=%zu", name, env->id,
	    (unsigned)env->owner, env->nrcpts);
	message_start(q, SPOOL_QUEUE, fresh, false);
	return 0;
}

/* One that was taken is not taken again at each scan, only removed. */
static bool
is_stuck(const struct queue *q, struct id id)
{
	size_t	i;

	for (i = 0; i < q->nstuck; i++)
		if (id_eq(q->stuck[i], id))
			return true;
	return false;
}

void
drop_clear(struct queue *q)
{
	size_t	i, n = 0;

	for (i = 0; i < q->nstuck; i++)
		if (spool_remove(&q->spool, SPOOL_DROP, q->stuck[i]) == -1)
			q->stuck[n++] = q->stuck[i];
	q->nstuck = n;
}

int
drop_take(struct queue *q, struct id id)
{
	struct envelope	env;
	struct diag	why = { "" };
	int		fd, r, saved;

	if (is_stuck(q, id))
		return 0;
	if (q->nstuck == STUCK_MAX) {
		errno = EBUSY;
		return -1;
	}
	if ((fd = spool_file(&q->spool, SPOOL_DROP, id, false)) == -1)
		r = -1;
	else if ((r = envelope_load(fd, &env, &why)) == 0) {
		r = take_loaded(q, fd, id, &env);
		saved = errno;
		envelope_free(&env);
		errno = saved;
	}
	saved = errno;
	fdio_close(&fd);
	if (r == -1 && (saved == EBADMSG || saved == ELOOP)) {
		message_corrupt(q, SPOOL_DROP, id, why.text);
		return 0;
	}
	errno = saved;
	return r;
}

/*
 * queue/server.c - the daemon's loop: pokes and orders come in, work is looked
 * for after each of them, when something is due, and by a scan now and then.
 * Runs as ph-queue in the chroot of the spool.
 */
#include "queue/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"
#include "common/proc/priv.h"
#include "common/proc/proto_queue.h"
#include "common/proc/sandbox.h"
#include "queue/brake.h"
#include "queue/queue.h"

#define USER		"ph-queue"
#define CLIENTS_MAX	16384
#define TMP_AGE_MS	(INT64_C(36) * 3600000)
#define CLEAN_MS	3600000

void
queue_kick(struct queue *q)
{
	event_active(q->work, EV_TIMEOUT, 0);
}

/* Drafts that nobody will finish: their writers died long ago. */
static void
clean_tmp(struct queue *q, int64_t now)
{
	static const char *const dirs[] = { "incoming/tmp", "drop/tmp", "tmp" };
	size_t	i;
	int	fd, n;

	if (now < q->clean_due)
		return;
	q->clean_due = now + CLEAN_MS;
	for (i = 0; i < nitems(dirs); i++) {
		if ((fd = fdio_opendir(q->spool.root, dirs[i])) == -1)
			continue;
		n = spool_clean_tmp(fd, now_real_ms(), TMP_AGE_MS);
		if (n > 0)
			log_info("cleaned place=%s files=%d", dirs[i], n);
		fdio_close(&fd);
	}
}

/* When is there something to do without anybody asking? */
static void
set_timer(struct queue *q, int64_t now)
{
	int64_t		wait = q->scan_due - now, due = remotes_wait(q);
	struct timeval	tv;

	if (due != -1 && due < wait)
		wait = due;
	if ((due = brake_wait(q)) != -1 && due < wait)
		wait = due;
	if (q->waiting.n > 0 && message_may_retry(q)) {
		due = q->waiting.w[0].due - now_real_ms();
		if (due < wait)
			wait = due;
	}
	/* Retries that have to wait for room are woken by the end of another. */
	if (wait < 20)
		wait = 20;
	tv.tv_sec = (time_t)(wait / 1000);
	tv.tv_usec = (suseconds_t)(wait % 1000) * 1000;
	if (event_add(q->timer, &tv) == -1)
		log_error("timer why=\"%s\"", strerror(errno));
}

static void
work(evutil_socket_t fd, short what, void *arg)
{
	struct queue	*q = arg;
	int64_t		 now = now_ms();

	(void)fd;
	(void)what;
	if (now >= q->scan_due) {
		q->scan_due = now + q->settings->queue.scan_interval;
		q->incoming_more = q->drop_more = true;
		clean_tmp(q, now);
	}
	intake_work(q);
	message_schedule(q);
	router_work(q);
	agents_work(q);
	hops_work(q);
	remotes_work(q);
	closer_work(q);
	brake_work(q);
	set_timer(q, now);
}

static int
packet(void *arg, struct peer *p, struct buf *rec, struct msg_fds *fds)
{
	struct queue	*q = arg;
	struct str	 text;
	struct id	 id;

	(void)fds;
	if (peer_role(p) == ROLE_CTL)
		return control_packet(q, p, buf_view(rec));
	if (!record_get(buf_view(rec), QUEUE_ID, &text) ||
	    !id_parse(text, &id)) {
		log_warn("peer-dropped role=%u why=\"malformed poke\"",
		    peer_role(p));
		return -1;
	}
	intake_poked(q, peer_role(p) == ROLE_DROP ? SPOOL_DROP :
	    SPOOL_INCOMING, id);
	queue_kick(q);
	return 0;
}

static void
gone(void *arg, struct peer *p)
{
	(void)arg;
	control_gone(p);
}

static void
reload(void *arg, int conf)
{
	struct queue	*q = arg;
	struct settings	*fresh;
	struct diag	 why;

	if (settings_load_fd(conf, &fresh, &why) == -1) {
		log_error("reload why=\"%s\"", why.text);
		return;
	}
	settings_free(&q->settings);
	q->settings = fresh;
	q->scan_due = 0;
	log_set_level(settings_log_level(fresh));
	log_info("reloaded");
	queue_kick(q);
}

static void
status(void *arg, char *dst, size_t size)
{
	const struct queue	*q = arg;

	snprintf(dst, size, "new=%zu waiting=%zu running=%zu agents=%zu "
	    "remotes=%zu taken=%llu delivered=%llu deferred=%llu "
	    "postponed=%llu failed=%llu held=%llu braked=%zu "
	    "corrupt=%llu", q->fresh.n, q->waiting.n, q->nrunning, agents_count(q), remotes_count(q),
	    q->taken, q->delivered, q->deferred, q->postponed, q->failed,
	    q->held, brake_count(q), q->corrupt);
}

static int
listen_all(struct queue *q, struct diag *why)
{
	static const char *const names[ROLE_COUNT] = {
		[ROLE_SMTP] = "queue@smtp", [ROLE_DROP] = "queue@drop",
		[ROLE_CTL] = "queue@ctl"
	};
	unsigned	role;

	for (role = 0; role < ROLE_COUNT; role++)
		if (service_listen(q->peers, names[role], role, why) == -1)
			return -1;
	return 0;
}

static int
events(struct queue *q, struct diag *why)
{
	static const struct service_ops	service = { status, reload, NULL };
	static const struct peers_ops	peers = { packet, gone };

	if (service_new(&q->service, &service, q, why) == -1)
		return -1;
	q->base = service_base(q->service);
	if ((q->work = event_new(q->base, -1, 0, work, q)) == NULL ||
	    (q->timer = event_new(q->base, -1, EV_TIMEOUT, work, q)) == NULL ||
	    peers_new(&q->peers, q->base, CLIENTS_MAX, &peers, q) == -1 ||
	    router_new(q) == -1 || agents_new(q) == -1 || hops_new(q) == -1 ||
	    remotes_new(q) == -1 || recent_new(&q->recent) == -1)
		return diag_set(why, "event loop");
	return listen_all(q, why);
}

static int
confine(struct queue *q, struct diag *why)
{
	static const struct sandbox_path places[] = {
		{ ".", SANDBOX_READ | SANDBOX_WRITE }
	};
	enum durable_how	how;

	tzset();	/* its files are out of reach afterwards, as is /sys */
	how = durable_for_path(q->settings->spool,
	    strcmp(q->settings->durability, "strict") == 0);
	/* a message under way has a descriptor, a client and an agent, too */
	(void)service_raise_files();
	if (priv_enter(USER, q->settings->spool, why) == -1)
		return -1;
	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (closer_new(q) == -1)
		return diag_errno(why, "closer");
	if (spool_open(&q->spool, AT_FDCWD, how, why) == -1)
		return -1;
	q->spare = fcntl(q->spool.root, F_DUPFD_CLOEXEC, 0);
	return sandbox_enter(SANDBOX_QUEUE, places, nitems(places), why);
}

static int
setup(struct queue *q, struct diag *why)
{
	TAILQ_INIT(&q->running);
	if (events(q, why) == -1 || confine(q, why) == -1)
		return -1;
	if (brake_new(q) == -1)
		return diag_errno(why, "brake");
	if (intake_start(q) == -1)
		return diag_errno(why, "scan of the queue");
	log_info("started waiting=%zu durability=%s", q->waiting.n,
	    durable_name(q->spool.how));
	return 0;
}

static void
cleanup(struct queue *q)
{
	struct event	*events[] = { q->work, q->timer };
	size_t		 i;

	peers_free(&q->peers);
	remotes_free(&q->remotes);
	hops_free(&q->hops);
	agents_free(&q->agents);
	router_free(&q->router);
	message_free_all(q);
	brake_free(q);
	closer_free(&q->closer);
	for (i = 0; i < nitems(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	service_free(&q->service);
	waiting_free(&q->waiting);
	waiting_free(&q->fresh);
	recent_free(&q->recent);
	spool_close(&q->spool);
	settings_free(&q->settings);
}

int
server_serve(struct settings *settings)
{
	struct queue	q = { .settings = settings,
			    .spool = { -1, -1, -1, -1, -1, -1, -1, -1,
				DURABLE_STRICT }, .spare = -1 };
	struct diag	why = { "" };
	int		r = EX_OSERR;

	log_open(FD_LOG, "queue");
	log_set_level(settings_log_level(settings));
	if (setup(&q, &why) == -1)
		log_error("start why=\"%s\"", why.text);
	else {
		queue_kick(&q);
		r = service_run(q.service);
	}
	cleanup(&q);
	return r;
}

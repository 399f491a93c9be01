/*
 * tests/fuzz/fuzz_control.c - orders to queue on a spool with one message: an
 * answer is a record with "ok" or "bad", or the client is dropped.
 */
#include <stdint.h>

#define peer_send		fuzz_send
#define peer_get		fuzz_get
#define peer_set		fuzz_set
#define message_find		fuzz_find
#define agents_count		fuzz_agents
#define remotes_count		fuzz_remotes
#define schedule_wake		fuzz_wake
#define schedule_wake_all_of	fuzz_wake_all_of
#define recent_clear		fuzz_recent_clear
#define queue_kick		fuzz_kick
#define message_expire		fuzz_expire
#include "queue/control.c"
#include "queue/control_order.c"
#undef ANSWER_FULL
#include "queue/control_list.c"

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char		dir[32];
static struct queue	q;
static void		*peer_data;
static unsigned		nsent;

static void
need(bool truth)
{
	if (!truth)
		abort();
}

int
fuzz_send(struct peer *p, const struct buf *rec)
{
	struct str	verb;

	(void)p;
	nsent++;
	need(rec->n > 0 && rec->n <= MSG_MAX && record_ok(buf_view(rec)) &&
	    record_get(buf_view(rec), QUEUE_VERB, &verb));
	need(str_eq(verb, STR("ok")) || str_eq(verb, STR("bad")) ||
	    str_eq(verb, STR("more")) || str_eq(verb, STR("end")));
	return 0;
}

void *
fuzz_get(const struct peer *p)
{
	(void)p;
	return peer_data;
}

void
fuzz_set(struct peer *p, void *data)
{
	(void)p;
	peer_data = data;
}

struct message *
fuzz_find(const struct queue *queue, struct id id)
{
	static struct message	one;

	(void)queue;
	return id.random == 7 ? &one : NULL;
}

/* Its sender is told, and it has gone. */
int
fuzz_expire(struct queue *queue, enum spool_place place, struct id id)
{
	need(place == SPOOL_QUEUE || place == SPOOL_INCOMING);
	need(spool_has(&queue->spool, place, id));
	return spool_remove(&queue->spool, place, id);
}

size_t
fuzz_agents(const struct queue *queue)
{
	(void)queue;
	return 1;
}

void
fuzz_wake(struct queue *queue, struct str domain)
{
	(void)queue;
	(void)domain;
}

void
fuzz_wake_all_of(struct queue *queue, const struct envelope *env)
{
	(void)queue;
	need(env->nrcpts > 0);
}

void
fuzz_recent_clear(struct recent *recent)
{
	(void)recent;
}

size_t
fuzz_remotes(const struct queue *queue)
{
	(void)queue;
	return 1;
}

void
fuzz_kick(struct queue *queue)
{
	(void)queue;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
clean(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
setup(void)
{
	static const char *const parts[] = { "incoming", "incoming/new",
	    "drop", "drop/new", "queue", "status", "tmp", "hold", "corrupt" };
	struct diag	why;
	size_t		i;
	int		fd;

	strlcpy(dir, "/dev/shm/fuzz.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL) {
		strlcpy(dir, "/tmp/fuzz.XXXXXX", sizeof(dir));
		need(mkdtemp(dir) != NULL);
	}
	atexit(clean);
	need((fd = fdio_opendir(AT_FDCWD, dir)) != -1);
	for (i = 0; i < nitems(parts); i++)
		need(mkdirat(fd, parts[i], 0700) == 0);
	need(spool_open(&q.spool, fd, DURABLE_STRICT, &why) == 0);
	close(fd);
	TAILQ_INIT(&q.running);
}

/* One message, anew for each order: two recipients, one failed. */
static void
put_message(void)
{
	struct envelope_rcpt	r[2] = {
		{ .addr = STR("a@x.test"), .state = RCPT_WAITING },
		{ .addr = STR("b@x.test"), .state = RCPT_FAILED }
	};
	struct envelope		env = { .rcpts = r, .nrcpts = 2,
				    .sender = STR("s@x.test") };
	struct id		id = { .time_us = 1, .random = 1 };
	int			fd;

	id_format(id, env.id);
	memset(env.simple, '0', DIGEST_HEX);
	memset(env.relaxed, '0', DIGEST_HEX);
	need((fd = open("/dev/null", O_RDONLY)) != -1);
	need(spool_rewrite(&q.spool, &env, STR("a: b\r\n"), fd, 0, 0) == 0);
	(void)!spool_remove(&q.spool, SPOOL_HOLD, id);
	need(spool_status_add(&q.spool, id, STR("1 b@x.test 5.1.1 no")) == 0);
	close(fd);
	q.waiting.n = 0;
	need(waiting_add(&q.waiting, (struct waiting){
	    .id = id, .place = SPOOL_QUEUE }) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };

	if (dir[0] == '\0')
		setup();
	if (size > MSG_MAX || !record_ok(in))
		return 0;
	put_message();
	nsent = 0;
	need(control_packet(&q, NULL, in) != 0 || nsent == 1);
	control_gone(NULL);
	return 0;
}

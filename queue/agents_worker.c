/*
 * queue/agents_worker.c - the connection to a worker of local: some deliveries
 * under way on each. A worker that dies over a delivery gets it once more, by
 * its successor; then the mail waits.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_local.h"
#include "queue/agents.h"

#define ID_TEXT		(ID_SIZE + 24)	/* "ID/n" */

static void	agent_readable(evutil_socket_t, short, void *);

static int
put_delivery(struct agents *as, struct agent *a, const struct task *t)
{
	const struct message	*m = t->m;
	const struct envelope	*env = &m->env;
	struct msg_fds		 fds = { .fd = { m->fd }, .n = 1 };
	char			 id[ID_TEXT];

	snprintf(id, sizeof(id), "%s/%zu", env->id, t->rcpt);
	buf_reset(&as->rec);
	record_puts(&as->rec, LOCAL_VERB, "deliver");
	record_puts(&as->rec, LOCAL_ID, id);
	record_putu(&as->rec, LOCAL_OFFSET, (uint64_t)env->content_at);
	record_putu(&as->rec, LOCAL_LENGTH, (uint64_t)env->content_len);
	record_put(&as->rec, LOCAL_SENDER, env->sender);
	record_put(&as->rec, LOCAL_RCPT, env->rcpts[t->rcpt].addr);
	record_put(&as->rec, LOCAL_FINAL, t->finals[0]);
	return buf_ok(&as->rec) ? msg_send(a->fd, &as->rec, &fds) : -1;
}

/* What was under way when the worker went: once more, or later. */
static void
agent_died(struct agents *as, struct agent *a)
{
	struct task_list	 late = TAILQ_HEAD_INITIALIZER(late);
	struct task		*t, *next;

	agent_close(as, a);
	TAILQ_FOREACH_SAFE(t, &a->sent, link, next)
		if (t->again) {
			TAILQ_REMOVE(&a->sent, t, link);
			TAILQ_INSERT_TAIL(&late, t, link);
		} else
			t->again = true;
	TAILQ_CONCAT(&a->sent, &a->ready, link);
	TAILQ_CONCAT(&a->ready, &a->sent, link);
	a->nsent = 0;
	if (TAILQ_EMPTY(&a->ready))
		agent_free(as, a);
	else
		agent_set_state(as, a, AGENT_WANTED);
	while ((t = TAILQ_FIRST(&late)) != NULL) {
		TAILQ_REMOVE(&late, t, link);
		t->m->soon = true;
		task_done(as->q, t, "4.3.0",
		    STR("the delivery agent died over it"));
	}
	queue_kick(as->q);
}

void
agent_send_more(struct agents *as, struct agent *a)
{
	long long	most = as->q->settings->queue.destination_concurrency;
	struct task	*t;

	if (most > LOCAL_BATCH)
		most = LOCAL_BATCH;
	while (a->state == AGENT_OPEN && a->nsent < (size_t)most &&
	    (t = TAILQ_FIRST(&a->ready)) != NULL) {
		if (put_delivery(as, a, t) == -1) {
			if (errno == EAGAIN && a->nsent > 0)
				return;		/* an answer will come first */
			agent_died(as, a);
			return;
		}
		TAILQ_REMOVE(&a->ready, t, link);
		TAILQ_INSERT_TAIL(&a->sent, t, link);
		if (a->nsent++ == 0)
			a->since = now_ms();
	}
}

static struct task *
find_sent(const struct agent *a, struct str id)
{
	struct task	*t;
	char		 text[ID_TEXT];

	TAILQ_FOREACH(t, &a->sent, link) {
		snprintf(text, sizeof(text), "%s/%zu", t->m->env.id, t->rcpt);
		if (str_eq(str_from(text), id))
			return t;
	}
	return NULL;
}

/* -1: it makes no sense, the worker is dropped. */
static int
one_result(struct agents *as, struct agent *a, struct str rec)
{
	struct str	 id, text;
	char		 status[16];
	struct task	*t;

	if (!record_get(rec, LOCAL_ID, &id) ||
	    !record_gets(rec, LOCAL_STATUS, status, sizeof(status)) ||
	    strchr("245", status[0]) == NULL || status[0] == '\0' ||
	    (t = find_sent(a, id)) == NULL)
		return -1;
	if (!record_get(rec, LOCAL_TEXT, &text))
		text = STR("");
	TAILQ_REMOVE(&a->sent, t, link);
	a->nsent--;
	a->pace = (a->pace * 7 + now_ms() - a->since) / 8;
	a->since = now_ms();
	task_done(as->q, t, status, text);
	return 0;
}

static void
agent_readable(evutil_socket_t fd, short what, void *arg)
{
	struct agent	*a = arg;
	struct agents	*as = a->q->agents;
	int		 r;

	(void)what;
	for (;;) {
		r = msg_recv(fd, &as->rec, NULL);
		if (r == -1 && errno == EAGAIN)
			break;
		if (r == 1 && one_result(as, a, buf_view(&as->rec)) == 0)
			continue;
		if (r == 1)
			log_error("local user=%s why=\"malformed answer\"",
			    a->user);
		agent_died(as, a);
		return;
	}
	/* Used last: the last to be closed for another. */
	TAILQ_REMOVE(&as->open, a, link);
	TAILQ_INSERT_TAIL(&as->open, a, link);
	agent_send_more(as, a);
	queue_kick(as->q);
}

void
agent_adopt(struct agents *as, struct agent *a, int fd)
{
	a->fd = fd;
	if (fdio_nonblock(fd, 1) == -1 ||
	    (a->event = event_new(as->q->base, fd, EV_READ | EV_PERSIST,
	    agent_readable, a)) == NULL || event_add(a->event, NULL) == -1) {
		agent_fail(as, a, "4.3.0", STR("no memory for a delivery"),
		    true);
		return;
	}
	agent_set_state(as, a, AGENT_OPEN);
	agent_send_more(as, a);
}

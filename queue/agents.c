/*
 * queue/agents.c - deliveries to local: for each user a connection to a worker
 * that is that user, which the root parent of local gives us. What is said on
 * it is in agents_worker.c.
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_local.h"
#include "queue/agents.h"

#define SOCKET		"sock/local"

static int
agent_cmp(const void *x, const void *y)
{
	const struct agent	*a = x, *b = y;
	int			 r = strcmp(a->user, b->user);

	return r != 0 ? r : (int)a->command - (int)b->command;
}

static void	parent_readable(evutil_socket_t, short, void *);

int
agents_new(struct queue *q)
{
	struct agents	*as;

	if ((as = calloc(1, sizeof(*as))) == NULL)
		return -1;
	as->q = q;
	as->fd = -1;
	TAILQ_INIT(&as->wanted);
	TAILQ_INIT(&as->opening);
	TAILQ_INIT(&as->open);
	buf_init(&as->rec, MSG_MAX);
	q->agents = as;
	return 0;
}

static struct agent_list *
list_of(struct agents *as, const struct agent *a)
{
	switch (a->state) {
	case AGENT_WANTED:
		return &as->wanted;
	case AGENT_OPENING:
		return &as->opening;
	case AGENT_OPEN:
		return &as->open;
	case AGENT_CLOSED:
		break;
	}
	return NULL;
}

void
agent_set_state(struct agents *as, struct agent *a, enum agent_state next)
{
	struct agent_list	*list = list_of(as, a);

	if (list != NULL)
		TAILQ_REMOVE(list, a, link);
	if (a->state == AGENT_OPENING || a->state == AGENT_OPEN)
		as->nopen--;
	a->state = next;
	if (next == AGENT_WANTED)
		a->since = now_ms();
	if ((list = list_of(as, a)) != NULL)
		TAILQ_INSERT_TAIL(list, a, link);
	if (next == AGENT_OPENING || next == AGENT_OPEN)
		as->nopen++;
}

void
agent_close(struct agents *as, struct agent *a)
{
	if (a->event != NULL)
		event_free(a->event);
	a->event = NULL;
	fdio_close(&a->fd);
	agent_set_state(as, a, AGENT_CLOSED);
}

void
agent_free(struct agents *as, struct agent *a)
{
	agent_close(as, a);
	tdelete(a, &as->all, agent_cmp);
	free(a->user);
	free(a);
}

static struct agent *
agent_get(struct agents *as, struct str user, bool command)
{
	struct agent	key = { .command = command }, *a;
	void		*found;

	if ((key.user = str_dup(user)) == NULL)
		return NULL;
	if ((found = tfind(&key, &as->all, agent_cmp)) != NULL) {
		free(key.user);
		return *(struct agent **)found;
	}
	if ((a = calloc(1, sizeof(*a))) == NULL) {
		free(key.user);
		return NULL;
	}
	a->q = as->q;
	a->user = key.user;
	a->command = command;
	a->fd = -1;
	TAILQ_INIT(&a->ready);
	TAILQ_INIT(&a->sent);
	if (tsearch(a, &as->all, agent_cmp) == NULL) {
		free(a->user);
		free(a);
		return NULL;
	}
	return a;
}

void
agent_fail(struct agents *as, struct agent *a, const char *status,
    struct str text, bool soon)
{
	struct task_list	 tasks = TAILQ_HEAD_INITIALIZER(tasks);
	struct task		*t;

	TAILQ_CONCAT(&tasks, &a->sent, link);
	TAILQ_CONCAT(&tasks, &a->ready, link);
	agent_free(as, a);
	while ((t = TAILQ_FIRST(&tasks)) != NULL) {
		TAILQ_REMOVE(&tasks, t, link);
		t->m->soon |= soon;
		task_done(as->q, t, status, text);
	}
}

static void
hang_up(struct agents *as)
{
	if (as->event != NULL)
		event_free(as->event);
	as->event = NULL;
	fdio_close(&as->fd);
}

void
agents_parent_gone(struct agents *as, const char *why)
{
	struct agent	*a;

	log_warn("local why=\"%s\"", why);
	hang_up(as);
	while ((a = TAILQ_FIRST(&as->opening)) != NULL)
		agent_fail(as, a, "4.3.0", STR("the delivery agent cannot be "
		    "reached"), true);
	while ((a = TAILQ_FIRST(&as->wanted)) != NULL)
		agent_fail(as, a, "4.3.0", STR("the delivery agent cannot be "
		    "reached"), true);
}

static int
dial(struct agents *as)
{
	if (as->fd != -1)
		return 0;
	if ((as->fd = msg_connect(SOCKET)) == -1)
		return -1;
	if (fdio_nonblock(as->fd, 1) == -1 ||
	    (as->event = event_new(as->q->base, as->fd, EV_READ | EV_PERSIST,
	    parent_readable, as)) == NULL || event_add(as->event, NULL) == -1) {
		hang_up(as);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

/* Room for one more worker, if need be that of one that has nothing to do. */
static bool
make_room(struct agents *as)
{
	struct agent	*a;

	if (as->nopen < (size_t)as->q->settings->queue.local_workers)
		return true;
	TAILQ_FOREACH(a, &as->open, link)
		if (a->nsent == 0 && TAILQ_EMPTY(&a->ready)) {
			agent_free(as, a);
			return true;
		}
	return false;
}

static void
open_more(struct agents *as)
{
	struct agent	*a;
	int		 r;

	while ((a = TAILQ_FIRST(&as->wanted)) != NULL && make_room(as)) {
		if ((r = dial(as)) == 0) {
			buf_reset(&as->rec);
			record_puts(&as->rec, LOCAL_VERB, "open");
			record_puts(&as->rec, LOCAL_USER, a->user);
			record_puts(&as->rec, LOCAL_KIND,
			    a->command ? "command" : "mailbox");
			r = msg_send(as->fd, &as->rec, NULL);
			if (r == -1 && errno == EAGAIN &&
			    !TAILQ_EMPTY(&as->opening))
				return;		/* an answer will come first */
		}
		if (r == -1) {
			agents_parent_gone(as, strerror(errno));
			return;
		}
		agent_set_state(as, a, AGENT_OPENING);
		a->since = now_ms();
	}
}

void
agents_deliver(struct queue *q, struct task *t)
{
	struct agents	*as = q->agents;
	struct agent	*a;
	struct final	 f;

	if (!final_decode(t->finals[0], &f) ||
	    (a = agent_get(as, f.user, f.kind != FINAL_USER)) == NULL) {
		t->m->soon = true;
		task_done(q, t, "4.3.0", STR("no memory for a delivery"));
		return;
	}
	TAILQ_INSERT_TAIL(&a->ready, t, link);
	if (a->state == AGENT_CLOSED)
		agent_set_state(as, a, AGENT_WANTED);
	queue_kick(q);
}

void
agents_work(struct queue *q)
{
	struct agents	*as = q->agents;
	struct agent	*a, *next;

	open_more(as);
	TAILQ_FOREACH_SAFE(a, &as->open, link, next)
		if (!TAILQ_EMPTY(&a->ready))
			agent_send_more(as, a);
	agents_watch(q);
}

/* The parent's answer to the oldest question. */
static void
opened(struct agents *as, struct agent *a, struct str rec, struct msg_fds *fds)
{
	struct str	verb, text;
	char		status[16];

	if (!record_get(rec, LOCAL_TEXT, &text))
		text = STR("");
	if (record_get(rec, LOCAL_VERB, &verb) && str_eq(verb, STR("ok")) &&
	    fds->n == 1) {
		if (!record_getu(rec, LOCAL_WORKER, INT32_MAX, &a->pid))
			a->pid = 0;
		fds->n = 0;
		agent_adopt(as, a, fds->fd[0]);
		return;
	}
	if (!record_gets(rec, LOCAL_STATUS, status, sizeof(status)) ||
	    (status[0] != '5' && status[0] != '4'))
		strlcpy(status, "4.3.0", sizeof(status));
	agent_fail(as, a, status, text, false);
}

static void
parent_readable(evutil_socket_t fd, short what, void *arg)
{
	struct agents	*as = arg;
	struct agent	*a;
	struct msg_fds	 fds;
	int		 r;

	(void)what;
	for (;;) {
		r = msg_recv(fd, &as->rec, &fds);
		if (r == -1 && errno == EAGAIN)
			break;
		a = TAILQ_FIRST(&as->opening);
		if (r != 1 || a == NULL) {
			if (r == 1)
				msg_close_fds(&fds);
			agents_parent_gone(as, r == -1 ? strerror(errno) :
			    "it went away");
			break;
		}
		/* the answer's text dies with the buffer: it is used at once */
		opened(as, a, buf_view(&as->rec), &fds);
		msg_close_fds(&fds);
	}
	queue_kick(as->q);
}

size_t
agents_count(const struct queue *q)
{
	return q->agents->nopen;
}

void
agents_free(struct agents **asp)
{
	struct agents	*as = *asp;

	if (as == NULL)
		return;
	/* The root of the tree is its first word. */
	while (as->all != NULL)
		agent_free(as, *(struct agent **)as->all);
	hang_up(as);
	buf_free(&as->rec);
	free(as);
	*asp = NULL;
}

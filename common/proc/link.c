/*
 * common/proc/link.c - a program's end of its link to the master. Run by every
 * daemon under its own user; the master is trusted, but its packets are
 * read as carefully as any.
 */
#include "common/proc/link.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"

#define VERB_MAX	16

static int
send_verb(int fd, const char *verb)
{
	struct buf	rec;
	int		r, saved;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, verb);
	r = msg_send(fd, &rec, NULL);
	saved = errno;
	buf_free(&rec);
	errno = saved;
	return r;
}

int
link_ready(int fd)
{
	return send_verb(fd, "ready");
}

int
link_watch(int fd)
{
	return send_verb(fd, "watch");
}

int
link_loaded(int fd)
{
	return send_verb(fd, "loaded");
}

int
link_status(int fd, const char *counters)
{
	struct buf	 rec;
	size_t		 n;
	int		 r, saved;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, "status");
	for (; *counters != '\0'; counters += n) {
		counters += strspn(counters, " ");
		if ((n = strcspn(counters, " ")) > 0)
			record_put(&rec, LINK_COUNTER,
			    (struct str){ counters, n });
	}
	r = msg_send(fd, &rec, NULL);
	saved = errno;
	buf_free(&rec);
	errno = saved;
	return r;
}

/* The first descriptors have no names (`unnamed` of them), then there are as many as there are names. */
static int
take_named(struct str rec, struct msg_fds *fds, size_t unnamed,
    struct link_event *ev)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	size_t		i;

	while (record_next(&c, &f)) {
		if (f.tag != LINK_NAME)
			continue;
		if (ev->nfds == CHILD_FDS || f.value.n == 0 ||
		    str_copy(ev->fds[ev->nfds].name, CHILD_NAME_MAX,
		    f.value) == -1)
			return -1;
		ev->nfds++;
	}
	if (fds->n != ev->nfds + unnamed)
		return -1;
	if (unnamed == 1)
		ev->conf = fds->fd[0];
	for (i = 0; i < ev->nfds; i++)
		ev->fds[i].fd = fds->fd[i + unnamed];
	fds->n = 0;	/* they are the event's now */
	return 0;
}

static int
take_event(struct str rec, struct msg_fds *fds, struct link_event *ev)
{
	char	verb[VERB_MAX];

	if (!record_gets(rec, LINK_VERB, verb, sizeof(verb)))
		return -1;
	if (strcmp(verb, "status") == 0)
		ev->verb = LINK_STATUS;
	else if (strcmp(verb, "stop") == 0)
		ev->verb = LINK_STOP;
	else if (strcmp(verb, "reload") == 0) {
		if (take_named(rec, fds, 1, ev) == -1)
			return -1;
		ev->verb = LINK_RELOAD;
	} else if (strcmp(verb, "files") == 0) {
		if (take_named(rec, fds, 0, ev) == -1)
			return -1;
		ev->verb = LINK_FILES;
	} else
		ev->verb = LINK_ANSWER;
	return 0;
}

int
link_read(int fd, struct buf *rec, struct link_event *ev)
{
	struct msg_fds	fds;
	int		r;

	ev->verb = LINK_NONE;
	ev->conf = -1;
	ev->nfds = 0;
	r = msg_recv(fd, rec, &fds);
	if (r == -1 && errno == EAGAIN)
		return 0;
	/* Out of memory: the packet is still there, the caller may try again. */
	if (r == -1 && errno == ENOMEM)
		return -1;
	if (r == 1 && take_event(buf_view(rec), &fds, ev) == 0) {
		msg_close_fds(&fds);
		return 0;
	}
	msg_close_fds(&fds);
	ev->verb = LINK_GONE;
	ev->conf = -1;
	ev->nfds = 0;
	return 0;
}

static void
serve_status(int fd, const struct link_ops *ops, void *arg)
{
	char	text[512] = "";

	ops->status(arg, text, sizeof(text));
	if (link_status(fd, text) == -1)
		log_debug("status not sent why=\"%s\"", strerror(errno));
}

void
link_serve(int fd, struct buf *rec, const struct link_ops *ops, void *arg)
{
	struct link_event	ev;
	size_t			i;

	if (link_read(fd, rec, &ev) == -1)
		return;
	switch (ev.verb) {
	case LINK_STATUS:
		serve_status(fd, ops, arg);
		break;
	case LINK_RELOAD:
	case LINK_FILES:
		ops->reload(arg, &ev);
		break;
	case LINK_STOP:
	case LINK_GONE:
		ops->stop(arg, ev.verb == LINK_GONE);
		break;
	case LINK_ANSWER:
		if (ops->answer != NULL)
			ops->answer(arg, buf_view(rec));
		break;
	case LINK_NONE:
		break;
	}
	fdio_close(&ev.conf);
	for (i = 0; i < ev.nfds; i++)
		fdio_close(&ev.fds[i].fd);
}

/*
 * deliver/worker_job.c - deliveries as they come from queue, and what it is
 * told of them. Runs as the recipient; queue is believed, and its packets are
 * read as carefully as any.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_local.h"
#include "deliver/worker_impl.h"

static bool
job_parse(struct job *j)
{
	struct str	rec = buf_view(&j->rec), verb, final;
	struct mail	*m = &j->mail;
	uint64_t	at, len;

	if (!record_get(rec, LOCAL_VERB, &verb) ||
	    !str_eq(verb, STR("deliver")) ||
	    !record_gets(rec, LOCAL_ID, j->id, sizeof(j->id)) ||
	    !record_getu(rec, LOCAL_OFFSET, INT64_MAX, &at) ||
	    !record_getu(rec, LOCAL_LENGTH, INT64_MAX, &len) ||
	    !record_get(rec, LOCAL_SENDER, &m->sender) ||
	    !record_get(rec, LOCAL_RCPT, &m->rcpt) ||
	    !record_get(rec, LOCAL_FINAL, &final) ||
	    !final_decode(final, &j->final))
		return false;
	m->addr = j->final.addr;
	m->content = (struct content){
		.fd = j->fd, .at = (off_t)at, .len = (off_t)len
	};
	return true;
}

int
worker_job_recv(struct worker *w, struct job *j)
{
	struct msg_fds	fds;
	int		r;

	j->fd = -1;
	r = msg_recv(w->queue, &j->rec, &fds);
	if (r == -1 && errno == EAGAIN)
		return 0;
	if (r != 1)
		return -1;
	if (fds.n == 1) {
		j->fd = fds.fd[0];
		if (job_parse(j))
			return 1;
	}
	msg_close_fds(&fds);
	log_error("user=%s why=\"malformed delivery\"", w->who.user);
	return -1;
}

void
worker_job_answer(const struct worker *w, const struct job *j)
{
	struct buf	out;
	char		text[LOG_SAFE_MAX], to[LOG_SAFE_MAX];
	const char	*slash = strchr(j->id, '/');

	log_info("%s id=%.*s user=%s to=%s status=%s why=%s",
	    j->mail.status[0] == '2' ? "stored" : "not-stored",
	    slash == NULL ? (int)strlen(j->id) : (int)(slash - j->id), j->id,
	    w->who.user, log_safe(to, sizeof(to), j->mail.addr),
	    j->mail.status,
	    log_safe(text, sizeof(text), str_from(j->mail.text)));
	buf_init(&out, 1024);
	record_puts(&out, LOCAL_ID, j->id);
	record_puts(&out, LOCAL_STATUS, j->mail.status);
	record_puts(&out, LOCAL_TEXT, j->mail.text);
	while (msg_send(w->queue, &out, NULL) == -1)
		if (errno != EAGAIN || fdio_wait(w->queue, POLLOUT, -1) == -1)
			break;	/* queue has gone: it will ask again */
	buf_free(&out);
}

void
worker_job_free(struct job *j)
{
	fdio_close(&j->fd);
	buf_free(&j->rec);
}

/*
 * master/tell.c - tells programs that run what is new: their settings and
 * listening sockets, the files that they cannot open themselves.
 */
#include "master/master.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"

static int
send_reload(const struct master *m, const struct program *p, int conf)
{
	struct msg_fds	fds = { .n = 0 };
	struct child_fd	files[MASTER_FILES];
	struct buf	rec;
	size_t		i, nfiles;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, "reload");
	fds.fd[fds.n++] = conf;
	if (p->plan->service != NULL)
		for (i = 0; i < p->nlisteners; i++) {
			record_puts(&rec, LINK_NAME, p->listeners[i].name);
			fds.fd[fds.n++] = p->listeners[i].fd;
		}
	nfiles = files_open(m->settings, (enum program_id)(p - m->programs),
	    files);
	for (i = 0; i < nfiles; i++) {
		record_puts(&rec, LINK_NAME, files[i].name);
		fds.fd[fds.n++] = files[i].fd;
	}
	if (buf_ok(&rec))
		r = msg_send(p->link, &rec, &fds);
	files_close(files, nfiles);
	buf_free(&rec);
	return r;
}

int
tell_settings(const struct master *m, const struct program *p)
{
	struct diag	why;
	int		conf, r = -1;

	/* What cannot be opened is logged, and missed by keys. */
	if (p == &m->programs[ID_KEYS])
		(void)certificates_give(m->settings, p->link, &why);
	conf = settings_export(m->settings, p->plan->part);
	if (conf != -1)
		r = send_reload(m, p, conf);
	fdio_close(&conf);
	return r;
}

/* One program is told; who cannot be told is started anew. */
void
tell_switch(struct master *m, struct program *p, int64_t now)
{
	if (!program_wanted(m, p)) {
		program_stop(m, p, now);
		return;
	}
	if (p->state == STATE_OFF) {
		program_start(m, p, now);
		return;
	}
	if (p->link == -1)
		return;		/* starts with the new one when its time comes */
	if (tell_settings(m, p) == -1) {
		log_error("link program=%s verb=reload why=\"%s\"",
		    p->plan->name, strerror(errno));
		program_stop(m, p, now);
	}
}

/* What is told now would be of the old configuration, or come before its turn. */
static bool
is_changing(const struct master *m)
{
	return m->reload.step != RELOAD_NONE && m->reload.step != RELOAD_TOLD;
}

bool
tell_listeners(struct master *m)
{
	size_t	i;

	if (is_changing(m))
		return false;
	for (i = 0; i < ID_COUNT; i++) {
		const struct program *p = &m->programs[i];

		if (p->plan->service == NULL || p->state != STATE_RUNNING ||
		    p->link == -1)
			continue;
		if (tell_settings(m, p) == -1)
			log_error("link program=%s verb=reload why=\"%s\"",
			    p->plan->name, strerror(errno));
	}
	return true;
}

/* The listeners follow when keys says that it has them. */
bool
tell_keys(struct master *m)
{
	const struct program	*p = &m->programs[ID_KEYS];

	if (is_changing(m))
		return false;
	/* one that is about to start reads them anew in any case */
	if (p->state == STATE_RUNNING && p->link != -1 &&
	    tell_settings(m, p) == -1)
		log_error("link program=%s verb=reload why=\"%s\"",
		    p->plan->name, strerror(errno));
	return true;
}

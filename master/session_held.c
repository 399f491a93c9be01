/*
 * master/session_held.c - logins of users who have all the sessions they may
 * have. One of these may be about to end: its connection is closed, and the
 * client logs in again (by UNAUTHENTICATE on the same connection, or by a new
 * one), but the process has not been heard of yet. So the login is held for a
 * moment before it is refused. Runs as root; what is held was not looked into.
 */
#include "master/master.h"

#include <fcntl.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/proc/msg.h"

bool
session_hold(struct master *m, struct program *auth, struct str rec, int fd,
    int64_t due)
{
	struct held	h = {
		.auth = auth, .pid = auth->pid, .due = due,
		.reaped = m->reaped
	};

	if (m->nheld == MASTER_HELD || m->stopping || due <= now_ms())
		return false;
	buf_init(&h.rec, MSG_MAX);
	if ((h.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    buf_addstr(&h.rec, rec) == -1) {
		fdio_close(&h.fd);
		buf_wipe(&h.rec);
		return false;
	}
	m->held[m->nheld++] = h;
	return true;
}

void
session_time(struct master *m, int64_t now)
{
	struct held	h;
	size_t		i;

	/* backwards: what is held again comes to the end */
	for (i = m->nheld; i-- > 0;) {
		h = m->held[i];
		if (h.due > now && h.reaped == m->reaped && !m->stopping)
			continue;
		m->held[i] = m->held[--m->nheld];
		/* the number of the question means something to this auth alone */
		if (h.auth->pid == h.pid)
			session_try(m, h.auth, buf_view(&h.rec), h.fd,
			    h.due > now ? h.due : 0);
		fdio_close(&h.fd);
		buf_wipe(&h.rec);
	}
}

/* auth/job_session.c - from the proof to a session, which the master starts. */
#include <errno.h>
#include <string.h>

#include "auth/auth.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/child.h"

/* Who it is, is known since the proof; the front only adds the connection. */
void
job_take(struct job *j, const struct request *take, int fd)
{
	struct msg_fds	 fds = { .fd = { fd }, .n = 1 };
	const char	*text = "temporary failure";
	struct buf	 rec;
	int		 r;

	buf_init(&rec, MSG_MAX);
	r = check_session(j->auth, j, take, &rec, &text);
	if (r == 0 && (r = msg_send(FD_LINK, &rec, &fds)) == -1)
		log_error("session user=%s why=\"%s\"", j->user.name,
		    strerror(errno));
	buf_wipe(&rec);
	if (r == -1 || job_wait(j, JOB_SESSION, AUTH_SESSION_MS) == -1)
		job_say_temp(j, text);
}

void
job_master_said(struct auth *a, struct str rec)
{
	struct job	*j;
	struct str	 verb;
	uint64_t	 id;

	if (!record_getu(rec, AUTH_TAG, UINT64_MAX, &id) ||
	    !record_get(rec, AUTH_VERB, &verb))
		return;
	TAILQ_FOREACH(j, &a->jobs, link)
		if (j->id == id && j->state == JOB_SESSION)
			break;
	if (j == NULL)
		return;
	if (str_eq(verb, STR("ok")))
		job_say_taken(j);
	else
		job_say_temp(j, "too many sessions, or no room for one more");
}

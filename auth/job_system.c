/* auth/job_system.c - users of the system: auth-pam(8) is asked, and answers when PAM does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/source_system.h"
#include "common/base/fdio.h"

struct system_question {
	int		 fd;
	struct event	*event;
};

void
job_system_cancel(struct job *j)
{
	if (j->system == NULL)
		return;
	if (j->system->event != NULL)
		event_free(j->system->event);
	fdio_close(&j->system->fd);
	free(j->system);
	j->system = NULL;
}

static void
temporary(struct job *j, const char *why)
{
	log_error("login-impossible user=%s why=\"%s\"", j->user.name, why);
	job_say_temp(j, "temporary failure");
}

static void
answered(struct job *j, enum system_verdict verdict, const char *why)
{
	switch (verdict) {
	case SYSTEM_WAIT:
		break;
	case SYSTEM_OK:
		job_proven(j, STR(""));
		break;
	case SYSTEM_UNKNOWN:
		j->known = false;
		job_fail(j, "unknown user");
		break;
	case SYSTEM_WRONG:
		job_fail(j, why[0] == '\0' ? "wrong password" : why);
		break;
	case SYSTEM_DENIED:
		job_refuse(j, AUTH_DENIED, why[0] == '\0' ? "denied" : why);
		break;
	case SYSTEM_TEMP:
		temporary(j, why);
		break;
	}
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct job		*j = arg;
	char			 why[SYSTEM_WHY_MAX];
	enum system_verdict	 verdict;

	(void)what;
	verdict = system_answer(fd, &j->auth->rec, &j->user, why);
	if (j->auth->rec.p != NULL)
		explicit_bzero(j->auth->rec.p, j->auth->rec.cap);
	if (verdict == SYSTEM_WAIT)
		return;
	job_system_cancel(j);
	answered(j, verdict, why);
}

/* -1: errno. */
static int
ask(struct job *j)
{
	struct system_question	*q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return -1;
	j->system = q;
	/* PAM compares what is stored elsewhere with the password as it was typed */
	q->fd = system_ask(j->user.name, j->sasl.pass, j->facts.service,
	    j->facts.client);
	if (q->fd == -1)
		return -1;
	q->event = event_new(j->auth->base, q->fd, EV_READ | EV_PERSIST,
	    readable, j);
	return q->event == NULL ? -1 : event_add(q->event, NULL);
}

void
job_system(struct job *j)
{
	int	r = ask(j), saved = errno;

	explicit_bzero(j->sasl.pass, sizeof(j->sasl.pass));
	if (r == -1 || job_wait(j, JOB_SYSTEM, SYSTEM_MS) == -1)
		temporary(j, strerror(saved));
}

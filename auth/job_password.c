/* auth/job_password.c - what workers do: passwords are compared with what is stored, and keys are made of them. */
#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "auth/auth.h"
#include "auth/worker.h"
#include "auth/worker_keys.h"
#include "common/base/log.h"
#include "common/fmt/saslprep.h"

bool
job_is_checked(const struct job *j)
{
	return j->state == JOB_WAITING || j->state == JOB_CHECKING ||
	    j->state == JOB_TOKEN || j->state == JOB_SYSTEM;
}

/*
 * By SASLprep, as new ones are stored; in the form in which it was typed if
 * that is another one, as older programs stored it.
 */
static const char *
form(struct job *j, char prepared[AUTH_PASS_MAX + 1])
{
	if (!j->as_typed) {
		j->as_typed = saslprep(str_from(j->sasl.pass), prepared,
		    AUTH_PASS_MAX + 1) == -1 ||
		    strcmp(prepared, j->sasl.pass) == 0;
		if (!j->as_typed)
			return prepared;
	}
	return j->sasl.pass;
}

static int
ask_password(struct job *j, int fd)
{
	char	prepared[AUTH_PASS_MAX + 1];
	int	r;

	r = worker_ask(fd, j->id, j->account.secrets, j->account.nsecrets,
	    str_from(form(j, prepared)));
	explicit_bzero(prepared, sizeof(prepared));
	return r;
}

/* Clients make them from the prepared form. Nobody's take as long. */
static int
ask_keys(struct job *j, int fd)
{
	char		prepared[AUTH_PASS_MAX + 1];
	struct str	s = STR("nobody");
	struct buf	plain;
	int		r;

	buf_init(&plain, USER_PASSWORD_MAX);
	j->has_plain = check_plain(j, &plain);
	if (j->has_plain)
		s = buf_view(&plain);
	if (j->has_plain && saslprep(s, prepared, sizeof(prepared)) == 0)
		s = str_from(prepared);
	r = worker_keys_ask(fd, j->id, sasl_hash(&j->sasl), s, &j->keys);
	explicit_bzero(prepared, sizeof(prepared));
	buf_wipe(&plain);
	return r;
}

static int
ask(struct job *j, struct worker *w)
{
	if ((j->wants_keys ? ask_keys(j, w->fd) :
	    ask_password(j, w->fd)) == -1) {
		log_error("worker why=\"%s\"", strerror(errno));
		auth_stop(j->auth, EX_SOFTWARE);
		return -1;
	}
	j->state = JOB_CHECKING;
	w->job = j;
	w->busy = true;
	return 0;
}

/* Gives work to a worker that has none. */
static void
dispatch(struct auth *a)
{
	struct job	*j;
	size_t		 i;

	for (i = 0; i < a->nworkers; i++) {
		if (a->workers[i].busy)
			continue;
		TAILQ_FOREACH(j, &a->jobs, link)
			if (j->state == JOB_WAITING)
				break;
		if (j == NULL || ask(j, &a->workers[i]) == -1)
			return;
	}
}

/* which: of the secrets fits, -1 none does. */
static void
checked(struct job *j, int which)
{
	bool	ok = which >= 0 && (size_t)which < j->account.nsecrets;

	if (j->wants_keys) {
		ok = worker_keys_answer(sasl_hash(&j->sasl),
		    buf_view(&j->auth->rec), &j->keys);
		job_proof(j, ok && j->has_plain);
		return;
	}
	if (!ok && !j->as_typed) {
		j->as_typed = true;
		j->state = JOB_WAITING;
		return;
	}
	explicit_bzero(j->sasl.pass, sizeof(j->sasl.pass));
	if (!j->known)
		job_fail(j, "unknown user");
	else if (!ok)
		job_fail(j, "wrong password");
	else if (str_copy(j->app, sizeof(j->app),
	    j->account.secrets[which].name) == 0)
		job_proven(j, STR(""));
	else
		job_say_temp(j, "temporary failure");
}

void
job_worker_readable(evutil_socket_t fd, short what, void *arg)
{
	struct worker	*w = arg;
	struct job	*j;
	uint64_t	 id;
	int		 r, which;

	(void)what;
	if ((r = worker_answer(fd, &w->auth->rec, &id, &which)) == 0)
		return;
	if (r == -1 || !w->busy || (w->job != NULL && w->job->id != id)) {
		/* A fault may have been an attack: a fresh image, not a fork of this one. */
		log_error("worker why=\"died\"");
		auth_stop(w->auth, EX_SOFTWARE);
		return;
	}
	j = w->job;
	w->job = NULL;
	w->busy = false;
	if (j != NULL)
		checked(j, which);
	if (w->auth->rec.p != NULL)
		explicit_bzero(w->auth->rec.p, w->auth->rec.cap);
	dispatch(w->auth);
}

static void
go(struct job *j)
{
	if (!job_may_check(j, go))
		return;
	if (j->known && j->account.system)
		job_system(j);
	else if (j->known && j->account.any)
		job_proven(j, STR(""));
	else {
		j->state = JOB_WAITING;
		dispatch(j->auth);
	}
}

/* "alice*admin": admin, as alice, where a mechanism has no other way to say so. */
static void
split_master(struct job *j)
{
	const char	*mark = j->auth->settings->auth_master_separator;
	char		*at = mark[0] == '\0' ? NULL :
			    strchr(j->sasl.user, mark[0]);

	if (at == NULL || j->sasl.authzid[0] != '\0')
		return;
	*at = '\0';
	strlcpy(j->sasl.authzid, j->sasl.user, sizeof(j->sasl.authzid));
	memmove(j->sasl.user, at + 1, strlen(at + 1) + 1);
}

void
job_password(struct job *j)
{
	const char	*text;

	split_master(j);
	if (check_prepare(j->auth, j, &text) == -1)
		job_say_temp(j, text);
	else
		go(j);
}

/* It has been asked whether it may be. */
void
job_keys(struct job *j)
{
	j->wants_keys = true;
	j->state = JOB_WAITING;
	dispatch(j->auth);
}

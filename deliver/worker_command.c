/*
 * deliver/worker_command.c - commands and files of alias tables, as the user
 * who runs them. No sandbox can hold them, so that they have a worker of their
 * own, and each a child.
 */
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "deliver/command.h"
#include "deliver/worker_impl.h"

#define COMMANDS_MAX	8	/* at a time */

/* A path of an alias file: a Maildir if it ends with '/', else an mbox file. */
static void
store_in_file(struct worker *w, struct job *j)
{
	struct place	p = { .lock_timeout = w->set->local.lock_timeout };
	struct mail	*m = &j->mail;
	struct diag	why = { "" };
	char		location[PLACE_PATH_MAX + 8];

	strlcpy(p.host, w->set->hostname, sizeof(p.host));
	p.strict = w->strict;
	if ((size_t)snprintf(location, sizeof(location), "%s:%.*s",
	    j->final.arg.p[j->final.arg.n - 1] == '/' ? "maildir" : "mbox",
	    STR_ARG(j->final.arg)) >= sizeof(location)) {
		mail_result(m, "5.3.5", "name of the file is too long");
		return;
	}
	if (place_open(&p, location, "", &why) == -1) {
		mail_result(m, "4.2.0", "%s", why.text);
		return;
	}
	if (place_begin(&p, m, (size_t)w->set->local.hops))
		place_end(&p, &m, 1);
	place_close(&p);
}

static void
run_command(struct worker *w, struct job *j)
{
	const char	*slash = strchr(j->id, '/');
	struct command	 c = {
		.line = j->final.arg, .ext = j->final.ext,
		.id = { j->id, slash == NULL ? strlen(j->id) :
		    (size_t)(slash - j->id) },
		.user = w->who.user, .home = w->who.home,
		.timeout = w->set->local.pipe_timeout
	};

	if (mail_check(&j->mail, (size_t)w->set->local.hops))
		command_run(&c, &j->mail);
}

/* A slow command holds up no other: each has a child, which answers itself. */
static void
fork_command(struct worker *w, struct job *j)
{
	pid_t	pid = fork();

	if (pid == 0) {
		if (j->final.kind == FINAL_PIPE)
			run_command(w, j);
		else if (j->final.kind == FINAL_FILE)
			store_in_file(w, j);
		else
			mail_result(&j->mail, "4.3.0",
			    "a mailbox came to a worker for commands");
		worker_job_answer(w, j);
		_exit(EX_OK);
	}
	if (pid != -1) {
		w->ncommands++;
		return;
	}
	mail_errno(&j->mail, "fork");
	worker_job_answer(w, j);
}

/* A child that died did not answer: queue finds out when we go, too. */
bool
worker_reap(struct worker *w, bool wait)
{
	int	status;

	while (w->ncommands > 0 && waitpid(-1, &status, wait ? 0 :
	    WNOHANG) > 0) {
		w->ncommands--;
		wait = false;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_OK) {
			log_error("user=%s why=\"a delivery died\"",
			    w->who.user);
			return false;
		}
	}
	return true;
}

bool
worker_commands(struct worker *w)
{
	struct job	*j = &w->jobs[0];
	int		 r;

	while ((r = worker_job_recv(w, j)) == 1) {
		fork_command(w, j);
		fdio_close(&j->fd);
		if (!worker_reap(w, w->ncommands >= COMMANDS_MAX))
			return false;
	}
	buf_free(&j->rec);
	return r == 0 && worker_reap(w, false);
}

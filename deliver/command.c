/*
 * deliver/command.c - runs a command as its user, with an environment of ours
 * and nothing else; the message is its standard input.
 */
#include "deliver/command.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fault.h"
#include "common/base/fdio.h"
#include "common/base/now.h"

#define ENV_MAX		16
#define HEAD_MAX	CONTENT_HEAD_MAX
#define SAID_MAX	200
#define SLICE_MS	50
#define GRACE_MS	5000	/* between TERM and KILL */

struct env {
	struct buf	text;		/* "NAME=value\0..." */
	size_t		at[ENV_MAX];
	size_t		n;
	char		*list[ENV_MAX + 1];
};

struct child {
	pid_t	pid;
	int	out;		/* what it says */
	bool	ended;
	int	status;
	char	said[SAID_MAX];
	size_t	nsaid;
};

static void
env_add(struct env *e, const char *name, struct str value)
{
	e->at[e->n++] = e->text.n;
	buf_addf(&e->text, "%s=%.*s", name, STR_ARG(value));
	buf_addc(&e->text, '\0');
}

static int
env_make(struct env *e, const struct command *c, const struct mail *m)
{
	const char	*at = memrchr(m->addr.p, '@', m->addr.n);
	struct str	 local = m->addr, domain = STR("");
	size_t		 i;

	if (at != NULL) {
		local.n = (size_t)(at - m->addr.p);
		domain = (struct str){ at + 1, m->addr.n - local.n - 1 };
	}
	buf_init(&e->text, 65536);
	e->n = 0;
	env_add(e, "PATH", STR("/usr/local/bin:/usr/bin:/bin"));
	env_add(e, "SHELL", STR("/bin/sh"));
	env_add(e, "HOME", str_from(c->home));
	env_add(e, "USER", str_from(c->user));
	env_add(e, "LOGNAME", str_from(c->user));
	env_add(e, "SENDER", m->sender);
	env_add(e, "RECIPIENT", m->addr);
	env_add(e, "ORIGINAL_RECIPIENT", m->rcpt);
	env_add(e, "LOCAL", local);
	env_add(e, "DOMAIN", domain);
	env_add(e, "EXTENSION", c->ext);
	if (c->id.n > 0)
		env_add(e, "MESSAGE_ID", c->id);
	if (!buf_ok(&e->text))
		return -1;
	for (i = 0; i < e->n; i++)
		e->list[i] = e->text.p + e->at[i];
	e->list[e->n] = NULL;
	return 0;
}

/* The message as the command reads it: an unlinked file, so that nobody waits for anybody. */
static int
make_input(const struct mail *m)
{
	struct buf	head;
	off_t		wire;
	int		fd, r = -1, saved;

	if ((fd = memfd_create("message", MFD_CLOEXEC)) == -1)
		return -1;
	buf_init(&head, HEAD_MAX);
	if (mail_head(&head, m) == 0 &&
	    content_copy(&m->content, buf_view(&head), fd, &wire) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0)
		r = 0;
	saved = errno;
	buf_free(&head);
	if (r == -1)
		fdio_close(&fd);
	errno = saved;
	return fd;
}

static _Noreturn void
become_command(const struct command *c, const char *line, char **env, int in,
    int out)
{
	const struct sigaction	plain = { .sa_handler = SIG_DFL };
	sigset_t		none;
	int			i;

	for (i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			sigaction(i, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (setsid() == -1 || (chdir(c->home) == -1 && chdir("/") == -1) ||
	    dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1)
		_exit(EX_OSERR);
	closefrom(3);
	execle("/bin/sh", "sh", "-c", line, (char *)NULL, env);
	_exit(EX_OSERR);
}

static int
start(const struct command *c, struct env *e, int in, struct child *ch)
{
	char	*line;
	int	 pair[2];

	if ((line = str_dup(c->line)) == NULL)
		return -1;
	if (pipe2(pair, O_CLOEXEC) == -1) {
		free(line);
		return -1;
	}
	if ((ch->pid = fork()) == 0)
		become_command(c, line, e->list, in, pair[1]);
	free(line);
	fdio_close(&pair[1]);
	ch->out = pair[0];
	if (ch->pid == -1 || fdio_nonblock(ch->out, 1) == -1) {
		fdio_close(&ch->out);
		return -1;
	}
	return 0;
}

/* The first bytes are kept; the rest is read so that it need not wait. */
static void
listen_to(struct child *ch)
{
	char	some[1024];
	ssize_t	n;
	size_t	keep;

	while ((n = read(ch->out, some, sizeof(some))) > 0) {
		keep = sizeof(ch->said) - 1 - ch->nsaid;
		if (keep > (size_t)n)
			keep = (size_t)n;
		memcpy(ch->said + ch->nsaid, some, keep);
		ch->nsaid += keep;
	}
	if (n == 0)
		fdio_close(&ch->out);
}

static void
look(struct child *ch)
{
	if (!ch->ended && waitpid(ch->pid, &ch->status, WNOHANG) == ch->pid)
		ch->ended = true;
}

/* Until it has ended or the time is up. */
static void
attend(struct child *ch, int64_t deadline)
{
	struct pollfd	p;
	int64_t		left;

	for (look(ch); !ch->ended; look(ch)) {
		if ((left = deadline - now_ms()) <= 0)
			return;
		if (left > SLICE_MS)
			left = SLICE_MS;
		/* With its output closed it is about to end: look more often. */
		p = (struct pollfd){ ch->out, POLLIN, 0 };
		if (poll(&p, 1, ch->out == -1 ? 2 : (int)left) > 0)
			listen_to(ch);
	}
	if (ch->out != -1)
		listen_to(ch);
}

/* Its whole session; what a command leaves in the background is its own affair. */
static void
finish_off(struct child *ch)
{
	kill(-ch->pid, SIGTERM);
	attend(ch, now_ms() + GRACE_MS);
	if (ch->ended)
		return;
	kill(-ch->pid, SIGKILL);
	while (waitpid(ch->pid, &ch->status, 0) == -1 && errno == EINTR)
		continue;
	ch->ended = true;
}

/* One line of plain text. */
static const char *
said(struct child *ch)
{
	char	*p;

	ch->said[ch->nsaid] = '\0';
	ch->said[strcspn(ch->said, "\r\n")] = '\0';
	for (p = ch->said; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	return ch->said;
}

static void
judge(struct mail *m, struct child *ch, bool late)
{
	const char	*text = said(ch), *sep = *text != '\0' ? ": " : "";
	int		 code;

	if (late)
		mail_result(m, "4.4.1", "the command took too long%s%s", sep,
		    text);
	else if (WIFSIGNALED(ch->status))
		mail_result(m, "4.3.0", "the command died of signal %d%s%s",
		    WTERMSIG(ch->status), sep, text);
	else if ((code = WEXITSTATUS(ch->status)) == 0)
		mail_result(m, "2.0.0", "given to the command%s%s", sep, text);
	else {
		mail_result(m, exit_status(code), "the command ended with "
		    "status %d%s%s", code, sep, text);
		m->exit = exit_is_temp(code) ? EX_TEMPFAIL : code;
	}
}

void
command_run(const struct command *c, struct mail *m)
{
	struct child	ch = { .pid = -1, .out = -1 };
	struct env	e;
	bool		late;
	int		in = -1;

	if (env_make(&e, c, m) == -1 || (in = make_input(m)) == -1)
		mail_errno(m, "read the message");
	else if (start(c, &e, in, &ch) == -1)
		mail_errno(m, "start the command");
	else {
		attend(&ch, now_ms() + c->timeout);
		if ((late = !ch.ended))
			finish_off(&ch);
		judge(m, &ch, late);
	}
	buf_free(&e.text);
	fdio_close(&in);
	fdio_close(&ch.out);
}

/*
 * queue/submit.c - sendmail's half of the pipe to drop. Runs as the user; what
 * it reads is his. A message that breaks off is never ended, so that drop
 * throws it away.
 */
#include "queue/submit.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/path.h"
#include "common/fmt/record.h"
#include "common/store/envelope.h"

#define CHUNK		65536u
#define RCPTS_MAX	(16u << 20)

int
submit_add_rcpt(struct submit_env *env, struct submit_rcpt r)
{
	struct submit_rcpt	*more;
	size_t			 cap = env->cap == 0 ? 16 : env->cap * 2;

	if (env->nrcpts == env->cap) {
		more = reallocarray(env->rcpts, cap, sizeof(*more));
		if (more == NULL)
			return -1;
		env->rcpts = more;
		env->cap = cap;
	}
	env->rcpts[env->nrcpts++] = r;
	return 0;
}

static int
by_addr(const void *x, const void *y)
{
	const struct submit_rcpt	*a = x, *b = y;

	return str_cmp(a->addr, b->addr);
}

int
submit_check_rcpts(struct submit_env *env, struct diag *why)
{
	struct cur	c;
	struct path	p;
	size_t		i, n = 0;

	for (i = 0; i < env->nrcpts; i++) {
		c = cur_from(env->rcpts[i].addr);
		if (!path_mailbox(&c, PATH_UTF8, true, &p) || !cur_done(&c))
			return diag_set(why, "recipient \"%.*s\" is no address",
			    STR_ARG(env->rcpts[i].addr));
		if (p.utf8)
			env->options |= ENV_SMTPUTF8;
	}
	if (env->nrcpts > 1)
		qsort(env->rcpts, env->nrcpts, sizeof(*env->rcpts), by_addr);
	for (i = 0; i < env->nrcpts; i++)
		if (n == 0 ||
		    !str_eq(env->rcpts[n - 1].addr, env->rcpts[i].addr))
			env->rcpts[n++] = env->rcpts[i];
	env->nrcpts = n;
	return 0;
}

void
submit_init(struct submit *s, const struct settings *set,
    struct submit_env *env, unsigned flags)
{
	*s = (struct submit){ .set = set, .env = env, .fd = -1,
	    .status = EX_DATAERR };
	lines_init(&s->lines, flags, (size_t)set->smtp.line_length);
	buf_init(&s->text, COMPOSE_MAX + 2 * CHUNK);
	buf_init(&s->found, RCPTS_MAX);
}

/* ---- drop */

static _Noreturn void
exec_drop(const char *path, const char *conf, int in)
{
	char	 name[] = "drop";
	char	*argv[] = { name, NULL, NULL };

	if (conf != NULL && (argv[1] = strdup(conf)) == NULL)
		_exit(EX_TEMPFAIL);
	/* What it may have to say goes to standard error; standard output is the caller's. */
	if (dup2(in, STDIN_FILENO) == -1)
		_exit(EX_OSERR);
	execv(path, argv);
	fprintf(stderr, "sendmail: %s: %s\n", path, strerror(errno));
	_exit(EX_TEMPFAIL);
}

static int
start_drop(struct submit *s, struct diag *why)
{
	char	path[4096];
	int	fds[2];

	if ((size_t)snprintf(path, sizeof(path), "%s/drop", s->set->libexec) >=
	    sizeof(path))
		return diag_set(why, "libexec is too long");
	s->status = EX_TEMPFAIL;
	if (pipe2(fds, O_CLOEXEC) == -1)
		return diag_errno(why, "pipe");
	fflush(stdout);
	if ((s->pid = fork()) == 0)
		exec_drop(path, s->conf, fds[0]);
	close(fds[0]);
	if (s->pid == -1) {
		s->pid = 0;
		close(fds[1]);
		return diag_errno(why, "fork");
	}
	s->fd = fds[1];
	return 0;
}

/* When drop has gone its exit status tells why, not this. */
static void
send_drop(struct submit *s, struct str data)
{
	if (!s->full && fdio_write(s->fd, data.p, data.n) == -1)
		s->full = true;
}

/* ---- the envelope */

static const struct { unsigned bit; const char *word; } words[] = {
	{ ENV_8BITMIME,	" 8BITMIME" },
	{ ENV_SMTPUTF8,	" SMTPUTF8" },
	{ ENV_RET_HDRS,	" RET=HDRS" },
	{ ENV_RET_FULL,	" RET=FULL" },
};

static void
put_envelope(const struct submit_env *env, struct buf *out)
{
	char	options[64] = "";
	size_t	i;

	record_put(out, 'S', env->sender);
	if (env->envid.n > 0)
		record_put(out, 'E', env->envid);
	for (i = 0; i < nitems(words); i++)
		if (env->options & words[i].bit)
			strlcat(options, words[i].word, sizeof(options));
	if (*options != '\0')
		record_puts(out, 'O', options + 1);
	for (i = 0; i < env->nrcpts; i++) {
		record_put(out, 'r', env->rcpts[i].addr);
		if (env->rcpts[i].orcpt.n > 0)
			record_put(out, 'o', env->rcpts[i].orcpt);
		if (env->rcpts[i].notify != 0)
			record_putu(out, 'n', env->rcpts[i].notify);
	}
	buf_addc(out, '\n');
}

static int
take_found(struct submit *s)
{
	struct cur		c = cur_from(buf_view(&s->found));
	struct field		f;
	struct submit_rcpt	r = { .notify = s->notify };

	while (record_next(&c, &f)) {
		r.addr = f.value;
		if (submit_add_rcpt(s->env, r) == -1)
			return -1;
	}
	return 0;
}

/* ---- the content */

static void
send_chunks(struct submit *s, struct str data, struct buf *out)
{
	struct str	part;

	while (data.n > 0) {
		part = data;
		if (part.n > CHUNK)
			part.n = CHUNK;
		record_put(out, 'c', part);
		data.p += part.n;
		data.n -= part.n;
		s->size += (off_t)part.n;
	}
	if (!buf_ok(out))
		s->full = true;
	send_drop(s, buf_view(out));
	buf_reset(out);
}

static int
begin(struct submit *s, struct buf *fields, struct diag *why)
{
	struct buf	out;

	if (!buf_ok(fields) || !buf_ok(&s->found) || take_found(s) == -1)
		return diag_set(why, "the header is too long");
	if (s->env->nrcpts == 0) {
		s->status = EX_USAGE;
		return diag_set(why, "no recipient in the header");
	}
	if (submit_check_rcpts(s->env, why) == -1 || start_drop(s, why) == -1)
		return -1;
	buf_init(&out, RCPTS_MAX);
	put_envelope(s->env, &out);
	send_chunks(s, buf_view(fields), &out);
	buf_free(&out);
	s->begun = true;
	return 0;
}

/* The header is complete, or there is no more of it. */
static int
try_begin(struct submit *s, bool whole, struct diag *why)
{
	struct buf	fields;
	struct str	text = buf_view(&s->text);
	size_t		skip;
	int		r;

	if (!compose_scan(&s->scan, text, whole, &skip)) {
		if (s->text.n > COMPOSE_MAX)
			return diag_set(why, "the header is longer than %u "
			    "bytes", COMPOSE_MAX);
		return 0;
	}
	buf_init(&fields, 18 * COMPOSE_MAX);	/* completed */
	text.p += s->scan.from;
	text.n = s->scan.at - s->scan.from;
	compose_fields(&s->compose, text, &fields, &s->found);
	buf_adds(&fields, "\r\n");
	r = begin(s, &fields, why);
	buf_free(&fields);
	buf_consume(&s->text, s->scan.at + skip);
	return r;
}

static int
pass(struct submit *s, bool whole, struct diag *why)
{
	struct buf	out;

	if (!s->begun && try_begin(s, whole, why) == -1)
		return -1;
	if (!s->begun || s->text.n == 0)
		return 0;
	buf_init(&out, s->text.n + 4096);
	send_chunks(s, buf_view(&s->text), &out);
	buf_free(&out);
	buf_reset(&s->text);
	return 0;
}

int
submit_add(struct submit *s, struct str in, size_t *used, struct diag *why)
{
	size_t	n;
	bool	dot = false;

	why->text[0] = '\0';
	for (*used = 0; *used < in.n && !dot && !s->full; *used += n) {
		n = in.n - *used < CHUNK / 4 ? in.n - *used : CHUNK / 4;
		dot = lines_add(&s->lines, (struct str){ in.p + *used, n }, &n,
		    &s->text);
		if (!buf_ok(&s->text)) {
			s->status = EX_TEMPFAIL;
			return diag_set(why, "out of memory");
		}
		if (pass(s, dot, why) == -1)
			return -1;
	}
	if (s->full) {
		errno = EPIPE;
		return -1;
	}
	return dot;
}

static int
wait_drop(struct submit *s, struct diag *why)
{
	int	status;

	while (waitpid(s->pid, &status, 0) == -1)
		if (errno != EINTR) {
			diag_errno(why, "drop");
			return EX_OSERR;
		}
	s->pid = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	diag_set(why, "drop was ended by signal %d", WTERMSIG(status));
	return EX_TEMPFAIL;
}

int
submit_end(struct submit *s, bool whole, struct diag *why)
{
	int	status;

	why->text[0] = '\0';
	if (whole) {
		lines_end(&s->lines, &s->text);
		whole = buf_ok(&s->text) && pass(s, true, why) == 0;
	}
	status = s->status;
	if (whole)
		send_drop(s, STR("z0:,\n"));
	fdio_close(&s->fd);
	if (s->pid != 0)
		status = wait_drop(s, why);
	buf_free(&s->text);
	buf_free(&s->found);
	return status;
}

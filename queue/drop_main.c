/*
 * queue/drop_main.c - drop: set-gid ph-drop, so that any user may put a message
 * into spool/drop and touch nothing else there. Run by sendmail(1) and so by
 * anybody: nothing of its environment or arguments is trusted, and queue
 * believes nothing of what it writes but the owner of the file.
 *
 * Standard input: records S sender, O options, E envid, r recipients (with n, o as in an
 * envelope), an empty line, the content with CRLF line ends.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_queue.h"
#include "common/proc/sandbox.h"
#include "common/store/spool.h"
#include "queue/client.h"

#define READ_SIZE	65536u
#define HEAD_MAX	(16u << 20)

struct input {
	struct buf	buf;	/* head, and what was read behind it */
	size_t		head;	/* its length with the empty line */
};

/* Only root's own file may tell a set-gid program where to write. */
static void
check_conf(const char *path)
{
	struct stat	st;

	if (getgid() == getegid() && getuid() == geteuid())
		return;
	if (stat(path, &st) == -1)
		err(EX_CONFIG, "%s", path);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		errx(EX_NOPERM, "%s: not root's alone", path);
}

static size_t
head_end(struct str s)
{
	struct cur	c = cur_from(s);
	struct field	f;

	while (cur_peek(&c) != '\n')
		if (!record_next(&c, &f))
			return 0;
	return (size_t)(c.p + 1 - s.p);
}

static void
read_head(struct input *in)
{
	ssize_t	n;

	buf_init(&in->buf, HEAD_MAX + READ_SIZE);
	for (;;) {
		if (buf_reserve(&in->buf, READ_SIZE) == -1)
			err(EX_DATAERR, "envelope");
		n = fdio_read(STDIN_FILENO, in->buf.p + in->buf.n, READ_SIZE);
		if (n == -1)
			err(EX_IOERR, "standard input");
		in->buf.n += (size_t)n;
		in->head = head_end(buf_view(&in->buf));
		if (in->head != 0)
			return;
		if (n < (ssize_t)READ_SIZE)
			errx(EX_DATAERR, "malformed envelope");
	}
}

/* The same tags as in a spool file; that parser does the work. */
static void
make_envelope(struct input *in, struct envelope *env)
{
	struct timespec	ts = now_real();
	struct buf	text;
	struct diag	why;
	char		*mem;
	char		id[ID_SIZE];

	id_format(id_make(&ts), id);
	buf_init(&text, HEAD_MAX + 4096);
	record_puts(&text, 'V', "1");
	record_puts(&text, 'I', id);
	record_putu(&text, 'T', (uint64_t)now_real_ms());
	record_puts(&text, 'K', "drop");
	buf_add(&text, in->buf.p, in->head);
	if (!buf_ok(&text) || (mem = malloc(text.n)) == NULL)
		err(EX_TEMPFAIL, "envelope");
	memcpy(mem, text.p, text.n);
	memset(env, 0, sizeof(*env));
	if (envelope_parse((struct str){ mem, text.n }, env, &why) == -1)
		errx(EX_DATAERR, "envelope: %s", why.text);
	if (env->nrcpts == 0)
		errx(EX_NOINPUT, "no recipients");
	env->mem = mem;
	buf_free(&text);
}

static int
copy(struct draft *d, struct input *in)
{
	char	*mem;
	ssize_t	n;
	int	r;

	r = draft_write(d, in->buf.p + in->head, in->buf.n - in->head);
	if ((mem = malloc(READ_SIZE)) == NULL)
		return -1;
	while (r == 0 && (n = fdio_read(STDIN_FILENO, mem, READ_SIZE)) != 0)
		r = n == -1 ? -1 : draft_write(d, mem, (size_t)n);
	free(mem);
	return r;
}

static void
poke(const char *id)
{
	struct msg_client	queue = { "sock/queue", -1 };
	struct buf		rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, QUEUE_VERB, "new");
	record_puts(&rec, QUEUE_ID, id);
	/* When the daemons are down the message waits for them. */
	if (buf_ok(&rec) && msg_client_hint(&queue, &rec) == -1)
		errno = 0;
	buf_free(&rec);
}

/* How its directory makes files safe, which nobody can ask for afterwards. */
static enum durable_how
enter(const struct settings *s)
{
	static const struct sandbox_path places[] = {
		{ ".", SANDBOX_READ | SANDBOX_WRITE }
	};
	enum durable_how	how;
	struct diag		why;

	if (chdir(s->spool) == -1 || chdir("drop") == -1)
		err(EX_TEMPFAIL, "%s/drop", s->spool);
	how = durable_for_path("new", strcmp(s->durability, "strict") == 0);
	if (priv_harden(true) == -1)
		err(EX_OSERR, "harden");
	if (sandbox_enter(SANDBOX_TOOL, places, nitems(places), &why) == -1)
		errx(EX_OSERR, "%s", why.text);
	return how;
}

int
main(int argc, char *argv[])
{
	struct settings	*s;
	struct spool_in	 spool;
	struct envelope	 env;
	struct input	 in;
	struct draft	 d;
	const char	*conf = argc == 2 ? argv[1] : CLIENT_CONF;

	if (argc > 2)
		errx(EX_USAGE, "drop is run by sendmail(1)");
	closefrom(3);
	if (clearenv() != 0)
		errx(EX_OSERR, "environment");
	check_conf(conf);
	s = client_settings(conf);
	read_head(&in);
	make_envelope(&in, &env);
	if (spool_in_open(&spool, AT_FDCWD, enter(s)) == -1)
		err(EX_TEMPFAIL, "spool");
	if (draft_begin(&spool, &d, &env) == -1)
		err(EX_TEMPFAIL, "spool");
	if (copy(&d, &in) == -1) {
		warn("spool");
		draft_abort(&spool, &d);
		return EX_TEMPFAIL;
	}
	if (draft_commit(&spool, &d) == -1)
		err(EX_TEMPFAIL, "spool");
	poke(env.id);
	return EX_OK;
}

/*
 * queue/drop_main.c - posthouse-drop(8): set-gid ph-drop, so that any user may put a message
 * into spool/drop and touch nothing else there. Run by sendmail(8) and so by
 * anybody: nothing of its environment or arguments is trusted, and queue
 * believes nothing of what it writes but the owner of the file.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

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
#include "queue/lines.h"
#include "queue/submit_check.h"

#define READ_SIZE	65536u
#define CHUNK_MAX	(READ_SIZE + 16)	/* a record of content */
#define HEAD_MAX	(16u << 20)

struct input {
	struct buf	buf;
	size_t		at;	/* what is before it has been used */
};

/* Opened once, so that it is the file that was looked at: only root may tell a set-gid program where to write. */
static struct settings *
load(const char *path)
{
	struct settings	*s;
	struct stat	 st;
	struct diag	 why;
	int		 fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1)
		err(EX_CONFIG, "%s", path);
	if (!S_ISREG(st.st_mode))
		errx(EX_CONFIG, "%s: no file", path);
	if ((getgid() != getegid() || getuid() != geteuid()) &&
	    (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH))))
		errx(EX_NOPERM, "%s: not root's alone", path);
	if (settings_load_fd(fd, &s, &why) == -1)
		errx(EX_CONFIG, "%s: %s", path, why.text);
	close(fd);
	return s;
}

/* False at the end of the input. */
static bool
read_more(struct input *in)
{
	ssize_t	n;

	buf_consume(&in->buf, in->at);
	in->at = 0;
	if (buf_reserve(&in->buf, READ_SIZE) == -1)
		errx(EX_DATAERR, "envelope too long");
	while ((n = read(STDIN_FILENO, in->buf.p + in->buf.n,
	    READ_SIZE)) == -1 && errno == EINTR)
		continue;
	if (n == -1)
		err(EX_IOERR, "standard input");
	in->buf.n += (size_t)n;
	return n > 0;
}

static struct cur
rest(const struct input *in)
{
	return (struct cur){ in->buf.p + in->at, in->buf.p + in->buf.n };
}

/* Everything up to the empty line. */
static struct str
read_head(struct input *in)
{
	struct cur	c;
	struct field	f;
	size_t		n = 0;

	buf_init(&in->buf, HEAD_MAX);
	in->at = 0;
	while (read_more(in)) {
		c = rest(in);
		c.p += n;		/* known already */
		while (record_next(&c, &f))
			continue;
		n = (size_t)(c.p - in->buf.p);
		if (cur_peek(&c) == '\n') {
			in->at = n + 1;
			return (struct str){ in->buf.p, n + 1 };
		}
	}
	errx(EX_DATAERR, "malformed envelope");
}

static void
make_envelope(const struct settings *s, struct input *in, struct envelope *env)
{
	struct timespec	ts = now_real();
	struct buf	text;
	struct diag	why;
	const char	*wrong;
	char		id[ID_SIZE];

	id_format(id_make(&ts), id);
	buf_init(&text, HEAD_MAX + HEAD_MAX / 2);
	if (submit_head(read_head(in), id, now_real_ms(), &text) == -1)
		errx(errno == EBADMSG ? EX_DATAERR : EX_TEMPFAIL, "envelope");
	/* The views look at the text, which stays until the end. */
	if (envelope_parse(buf_view(&text), env, &why) == -1)
		errx(EX_DATAERR, "%s", why.text);
	if ((wrong = submit_check(s, env)) != NULL)
		errx(EX_DATAERR, "%s", wrong);
}

/* The next record of the content; a sender that dies has not said the last word. */
static int
next_chunk(struct input *in, struct field *f)
{
	struct cur	c = rest(in);

	while (!record_next(&c, f)) {
		if (in->buf.n - in->at > CHUNK_MAX || !read_more(in)) {
			errno = EBADMSG;
			return -1;
		}
		c = rest(in);
	}
	in->at = (size_t)(c.p - in->buf.p);
	if ((f->tag == 'c' && f->value.n > 0) || (f->tag == 'z' &&
	    f->value.n == 0))
		return f->tag == 'c';
	errno = EBADMSG;
	return -1;
}

/* 0, or -1 with errno: EBADMSG what comes is malformed or not whole, EMSGSIZE it is too much. */
static int
copy(const struct settings *s, struct draft *d, struct input *in)
{
	struct lines	l;
	struct field	f;
	struct buf	out;
	size_t		used;
	int		more;

	buf_init(&out, 4 * READ_SIZE);
	lines_init(&l, 0, (size_t)s->smtp.line_length);
	while ((more = next_chunk(in, &f)) == 1) {
		buf_reset(&out);
		(void)lines_add(&l, f.value, &used, &out);
		if (!buf_ok(&out) || draft_write(d, out.p, out.n) == -1)
			return -1;
		if (d->size > s->smtp.message_size) {
			errno = EMSGSIZE;
			return -1;
		}
	}
	if (more == -1)
		return -1;
	buf_reset(&out);
	lines_end(&l, &out);
	if (!buf_ok(&out) || draft_write(d, out.p, out.n) == -1)
		return -1;
	buf_free(&out);
	return 0;
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

/*
 * The caller may have set up anything. A signal of the terminal is meant for
 * sendmail; when that dies, the input ends early and the draft is removed.
 */
static void
settle(void)
{
	static const int	ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGVTALRM, SIGPROF,
		SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ, SIGTSTP, SIGTTIN, SIGTTOU
	};
	size_t		i;

	client_open_std();
	closefrom(3);
	if (clearenv() != 0)
		errx(EX_OSERR, "environment");
	for (i = 0; i < nitems(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

/* Its directory is opened, and what it wrote there cannot be read again. */
static void
enter(const struct settings *s, struct spool_in *spool)
{
	static const struct sandbox_path places[] = { { ".", SANDBOX_WRITE } };
	bool			strict = strcmp(s->durability, "strict") == 0;
	struct diag		why;

	if (chdir(s->spool) == -1 || chdir("drop") == -1)
		err(EX_TEMPFAIL, "%s/drop", s->spool);
	if (spool_in_open(spool, AT_FDCWD,
	    durable_for_path("new", strict)) == -1)
		err(EX_TEMPFAIL, "spool");
	if (priv_harden(true) == -1)
		err(EX_OSERR, "harden");
	if (sandbox_enter(SANDBOX_TOOL, places, nitems(places), &why) == -1)
		errx(EX_OSERR, "%s", why.text);
}

static _Noreturn void
give_up(const struct settings *s)
{
	if (errno == EMSGSIZE)
		errx(EX_DATAERR, "message larger than %lld bytes "
		    "(smtp.message-size)", s->smtp.message_size);
	if (errno == EBADMSG)
		errx(EX_IOERR, "the message broke off");
	/* EFBIG is the caller's own limit on files: tried again without it, it works. */
	err(EX_TEMPFAIL, "spool");
}

int
main(int argc, char *argv[])
{
	struct settings	*s;
	struct spool_in	 spool;
	struct envelope	 env;
	struct input	 in;
	struct draft	 d;

	settle();
	if (argc > 2)
		errx(EX_USAGE, "it is run by sendmail(8)");
	s = load(argc == 2 ? argv[1] : CLIENT_CONF);
	enter(s, &spool);
	make_envelope(s, &in, &env);
	if (draft_begin(&spool, &d, &env) == -1)
		err(EX_TEMPFAIL, "spool");
	if (copy(s, &d, &in) == -1) {
		draft_abort(&spool, &d);
		give_up(s);
	}
	if (draft_commit(&spool, &d) == -1)
		give_up(s);
	poke(env.id);
	return EX_OK;
}

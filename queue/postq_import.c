/*
 * queue/postq_import.c - the verb import. This process finds and opens the
 * files of the other system, as root must; it hands them to one that has
 * become ph-queue and there reads them and writes ours. Nothing is removed
 * before that one says that it is safe.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/sandbox.h"
#include "common/store/foreign.h"
#include "queue/import.h"
#include "queue/postq.h"

#define WRITE_TIMEOUT	300000	/* ms; a slow disk and a large message */
#define LEVELS		3u	/* of hashed directories */

#define TAG_KIND	'K'
#define TAG_HELD	'H'
#define TAG_DRY		'D'
#define TAG_END		'E'	/* enum import_end, as a letter */
#define TAG_ID		'I'
#define TAG_WHY		'W'

/* ---- the half that reads and writes */

static void
answer(int fd, const struct import *im, enum import_end end)
{
	struct buf	rec;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, TAG_END, end == IMPORT_DONE ? "d" :
	    end == IMPORT_EMPTY ? "e" : "w");
	record_puts(&rec, TAG_ID, im->env.id);
	record_puts(&rec, TAG_WHY, im->why.text);
	if (!buf_ok(&rec) || msg_send(fd, &rec, NULL) == -1)
		_exit(EX_OSERR);
	buf_free(&rec);
}

static _Noreturn void
serve(int fd, const struct spool *s, const char *path)
{
	const struct sandbox_path	ours = { path, SANDBOX_READ |
					    SANDBOX_WRITE };
	struct import	im;
	struct msg_fds	fds;
	struct buf	rec;
	struct str	v;
	struct diag	why;

	if ((priv_is_root() && priv_enter("ph-queue", NULL, &why) == -1) ||
	    priv_harden(true) == -1 ||
	    sandbox_enter(SANDBOX_QUEUE, &ours, 1, &why) == -1)
		_exit(EX_NOPERM);
	buf_init(&rec, MSG_MAX);
	while (msg_recv(fd, &rec, &fds) == 1) {
		import_init(&im, s, record_get(buf_view(&rec), TAG_DRY, &v));
		im.held = record_get(buf_view(&rec), TAG_HELD, &v);
		if (!record_get(buf_view(&rec), TAG_KIND, &v))
			_exit(EX_SOFTWARE);
		answer(fd, &im, import_one(&im, str_eq(v, STR("exim")) ?
		    IMPORT_EXIM : IMPORT_POSTFIX, fds.fd, fds.n));
		import_free(&im);
		msg_close_fds(&fds);
	}
	_exit(EX_OK);
}

/* ---- the half that finds and opens */

struct finding {
	struct postq	*o;
	const char	*kind;
	int		 worker;	/* its socket */
	bool		 held;		/* what is found now */
	unsigned long	 done, empty, wrong, unfinished;
};

static void
start_worker(struct finding *f, const struct spool *s, pid_t *pid)
{
	int	pair[2];

	if (msg_pair(pair) == -1 || (*pid = fork()) == -1)
		err(EX_OSERR, "start a process");
	if (*pid == 0) {
		close(pair[0]);
		serve(pair[1], s, f->o->settings->spool);
	}
	fdio_close(&pair[1]);
	f->worker = pair[0];
}

static void
complain(struct finding *f, const char *name, const char *why)
{
	f->wrong++;
	fflush(stdout);
	/* The name is theirs, and so are the addresses that may be in why. */
	postq_warn_safe(name, why);
}

/* 'd', 'e', 'w', and the id or why. */
static char
hand_over(struct finding *f, const struct msg_fds *fds, char id[ID_SIZE],
    struct diag *why)
{
	struct buf	ask, got;
	char		end[2] = "w";

	buf_init(&ask, MSG_MAX);
	buf_init(&got, MSG_MAX);
	record_puts(&ask, TAG_KIND, f->kind);
	if (f->held)
		record_puts(&ask, TAG_HELD, "1");
	if (f->o->dry)
		record_puts(&ask, TAG_DRY, "1");
	if (!buf_ok(&ask) || msg_call(f->worker, &ask, fds, &got, NULL,
	    WRITE_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "the process that writes");
	if (!record_gets(buf_view(&got), TAG_END, end, sizeof(end)) ||
	    !record_gets(buf_view(&got), TAG_ID, id, ID_SIZE) ||
	    !record_gets(buf_view(&got), TAG_WHY, why->text,
	    sizeof(why->text)))
		errx(EX_SOFTWARE, "the process that writes makes no sense");
	buf_free(&ask);
	buf_free(&got);
	return end[0];
}

/* True: it is safe in our spool, and may go from theirs. */
static bool
one_message(struct finding *f, const struct msg_fds *fds, const char *name)
{
	struct diag	why = { "" };
	char		id[ID_SIZE] = "";

	switch (hand_over(f, fds, id, &why)) {
	case 'd':
		f->done++;
		if (f->o->dry)
			printf("%s: would be imported\n", name);
		else if (!f->o->quiet)
			printf("%s: is %s now\n", name, id);
		fflush(stdout);
		return !f->o->dry;
	case 'e':
		f->empty++;
		if (!f->o->quiet)
			printf("%s: everybody has got it\n", name);
		return false;
	}
	complain(f, name, why.text);
	return false;
}

static void
forget(struct finding *f, int dir, const char *name, int fd)
{
	if (f->o->remove && foreign_remove(dir, name, fd) == -1)
		complain(f, name, strerror(errno));
}

/* ---- Postfix: names are of digits and letters, what is not finished is not executable */

static int
found_postfix(void *arg, int dir, const char *name)
{
	struct finding	*f = arg;
	struct msg_fds	 fds = { .n = 1 };
	struct stat	 st;
	size_t		 n = strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz");

	if (name[n] != '\0') {
		complain(f, name, "that is no name of a message");
		return 0;
	}
	if ((fds.fd[0] = foreign_open(dir, name)) == -1) {
		complain(f, name, strerror(errno));
		return 0;
	}
	if (fstat(fds.fd[0], &st) == 0 && (st.st_mode & S_IXUSR) == 0) {
		f->unfinished++;
		printf("%s: was never finished, left out\n", name);
	} else if (one_message(f, &fds, name))
		forget(f, dir, name, fds.fd[0]);
	msg_close_fds(&fds);
	return 0;
}

/* It would go on with what we take. */
static void
refuse_running(const struct postq *o, int dir)
{
	int	fd = openat(dir, "pid/master.pid", O_RDONLY | O_CLOEXEC);

	if (fd != -1 && !o->dry && foreign_is_locked(fd))
		errx(EX_TEMPFAIL, "Postfix is running there: stop it first");
	fdio_close(&fd);
}

static int
import_from_postfix(struct finding *f, int dir)
{
	static const char *const	queues[] = {
		"hold", "deferred", "active", "incoming", "maildrop"
	};
	size_t	i;
	int	fd, r, found = 0;

	refuse_running(f->o, dir);
	for (i = 0; i < nitems(queues); i++) {
		if ((fd = fdio_opendir(dir, queues[i])) == -1) {
			if (errno == ENOENT)
				continue;
			return -1;
		}
		found++;
		f->held = i == 0;
		r = foreign_walk(fd, LEVELS, found_postfix, f);
		fdio_close(&fd);
		if (r == -1)
			return -1;
	}
	errno = ENOENT;
	return found == 0 ? -1 : 0;
}

/* ---- Exim: NAME-H, NAME-D, and NAME-J if a delivery was broken off */

static const char	exim_parts[] = "HDJ";

/* -D first: who has locked that one changes the others. name[n] is the letter. */
static bool
open_exim(struct finding *f, int dir, char *name, size_t n, int fd[3])
{
	static const size_t	order[] = { 1, 0, 2 };
	size_t			i, which;

	for (i = 0; i < nitems(order); i++) {
		which = order[i];
		name[n] = exim_parts[which];
		fd[which] = foreign_open(dir, name);
		if (fd[which] == -1 && (which != 2 || errno != ENOENT)) {
			complain(f, name, strerror(errno));
			return false;
		}
		if (which == 1 && !f->o->dry && !foreign_lock(fd[which])) {
			name[n - 1] = '\0';
			complain(f, name, "Exim is working on it");
			return false;
		}
	}
	name[n - 1] = '\0';
	return true;
}

static void
take_exim(struct finding *f, int dir, char *name, size_t n)
{
	struct msg_fds	fds = { .n = 0 };
	int		fd[3] = { -1, -1, -1 };
	size_t		i;
	bool		ok = open_exim(f, dir, name, n, fd);

	for (i = 0; i < nitems(fd); i++)
		if (fd[i] != -1)
			fds.fd[fds.n++] = fd[i];
	if (ok && one_message(f, &fds, name))
		for (i = 0; i < fds.n; i++) {
			name[n - 1] = '-';
			name[n] = exim_parts[i];
			forget(f, dir, name, fds.fd[i]);
		}
	/* Only now may Exim have it. */
	msg_close_fds(&fds);
}

static int
found_exim(void *arg, int dir, const char *name)
{
	struct finding	*f = arg;
	struct stat	 st;
	char		 text[64];
	size_t		 n = strlen(name);

	if (n < 3 || n >= sizeof(text) || name[n - 2] != '-' ||
	    strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz-") != n) {
		complain(f, name, "that is no name of a message");
		return 0;
	}
	strlcpy(text, name, sizeof(text));
	if (name[n - 1] == 'H')
		take_exim(f, dir, text, n - 1);
	else if (name[n - 1] == 'D') {
		text[n - 1] = 'H';
		/* With --remove the -H file went first. */
		if (fstatat(dir, text, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
		    errno == ENOENT && fstatat(dir, name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0)
			complain(f, name, "has no -H file");
	}
	return 0;
}

static int
import_from_exim(struct finding *f, int dir)
{
	int	fd, r;

	if ((fd = fdio_opendir(dir, "input")) == -1)
		return -1;
	r = foreign_walk(fd, 1, found_exim, f);
	fdio_close(&fd);
	return r;
}

static int
import_from(struct finding *f, const char *path)
{
	int	dir, r;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		err(EX_NOINPUT, "%s", path);
	r = strcmp(f->kind, "exim") == 0 ? import_from_exim(f, dir) :
	    import_from_postfix(f, dir);
	if (r == -1)
		err(EX_NOINPUT, "%s: no spool of %s", path, f->kind);
	fdio_close(&dir);
	return f->wrong == 0 ? EX_OK : EX_DATAERR;
}

int
postq_import(struct postq *o, const char *verb, int argc, char *argv[])
{
	struct finding	f = { .o = o, .worker = -1 };
	struct spool	s;
	pid_t		pid;
	int		dir, status;

	(void)verb;
	if (argc != 2 || !filter_is_empty(&o->filter) ||
	    (strcmp(argv[0], "postfix") != 0 && strcmp(argv[0], "exim") != 0))
		return EX_USAGE;
	f.kind = argv[0];
	if (postq_spool(o, &s, &dir, true) == -1)
		return errno == EACCES || errno == EPERM ? EX_NOPERM :
		    EX_NOINPUT;
	s.how = durable_for(dir,
	    strcmp(o->settings->durability, "strict") == 0);
	/* No fsck meanwhile; if posthouse is running, its lock does it. */
	(void)flock(dir, LOCK_SH | LOCK_NB);
	start_worker(&f, &s, &pid);
	status = import_from(&f, argv[1]);
	fdio_close(&f.worker);
	waitpid(pid, NULL, 0);
	printf("%lu message%s %s, %lu with nobody left, %lu could not be "
	    "taken\n", f.done, f.done == 1 ? "" : "s", o->dry ?
	    "would be imported" : "imported", f.empty, f.wrong);
	spool_close(&s);
	fdio_close(&dir);
	return status;
}

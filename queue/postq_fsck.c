/*
 * queue/postq_fsck.c - the verb fsck. As root owners and modes are put right
 * by what the directories say alone; then this becomes ph-queue, and reads and
 * moves messages as that. The lock on the spool keeps posthouse(8) away.
 */
#include <sys/file.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/proc/priv.h"
#include "common/store/spool_check.h"
#include "queue/client.h"
#include "queue/postq.h"

/* fsck(8) */
#define CORRECTED	1
#define LEFT		4
#define FAILED		8
#define USAGE		16

#define LATE_MS		(3600 * 1000LL)

struct counts {
	bool		quiet, repair;
	unsigned long	done, left;
};

static void
say(void *arg, const char *path, const char *what, const char *done)
{
	struct counts	*n = arg;

	if (done == NULL)
		n->left++;
	else
		n->done++;
	if (done != NULL && n->quiet)
		return;
	postq_put_safe(str_from(path));
	printf(": ");
	postq_put_safe(str_from(what));
	printf("%s%s\n", done == NULL ? "" : n->repair ? ": " : ": would be ",
	    done == NULL ? "" : done);
}

static void
say_directory(void *arg, const char *path, const char *what)
{
	say(arg, path, what, "put right");
}

/* Held as long as this runs: posthouse(8) does not start meanwhile. */
static int
lock(const struct postq *o)
{
	const char	*path = o->settings->spool;
	int		 dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int		 queue = client_connect(o->settings);
	bool		 alone = queue == -1;

	fdio_close(&queue);
	if (dir == -1) {
		warn("%s", path);
		return -1;
	}
	errno = EWOULDBLOCK;
	if (alone && flock(dir, LOCK_EX | LOCK_NB) == 0)
		return dir;
	if (errno != EWOULDBLOCK)
		warn("%s", path);
	else if (o->dry) {
		warnx("posthouse is running: what is under way may look "
		    "wrong");
		return dir;
	} else
		warnx("posthouse is running: stop it first, or say -n");
	fdio_close(&dir);
	return -1;
}

static int
find_users(struct spool_check *c)
{
	struct passwd	*pw;
	struct group	*gr;

	c->queue_uid = geteuid();
	c->queue_gid = c->drop_gid = getegid();
	if (!priv_is_root())
		return 0;
	if ((pw = getpwnam("ph-queue")) == NULL) {
		warnx("there is no user ph-queue");
		return -1;
	}
	c->queue_uid = pw->pw_uid;
	c->queue_gid = pw->pw_gid;
	if ((gr = getgrnam("ph-drop")) == NULL) {
		warnx("there is no group ph-drop");
		return -1;
	}
	c->drop_gid = gr->gr_gid;
	return 0;
}

static int
check_tree(const struct postq *o, int dir, struct counts *n)
{
	struct diag	why;

	if (spool_layout_check(dir, say_directory, n, &why) == -1 ||
	    (n->repair && n->done > 0 &&
	    spool_layout(o->settings->spool, &why) == -1)) {
		warnx("%s", why.text);
		return -1;
	}
	return 0;
}

static int
check(const struct postq *o, int dir, struct spool_check *c)
{
	struct counts	*n = c->arg;
	struct spool	 s;
	struct diag	 why = { "" };

	if (find_users(c) == -1 || check_tree(o, dir, n) == -1)
		return -1;
	if (spool_open(&s, dir, durable_for(dir, strcmp(
	    o->settings->durability, "strict") == 0), &why) == -1) {
		warnx("%s", why.text);
		return -1;
	}
	spool_check_owners(&s, c);
	if (priv_is_root() && priv_enter("ph-queue", NULL, &why) == -1) {
		warnx("%s", why.text);
		return -1;
	}
	spool_check_files(&s, c);
	spool_close(&s);
	return 0;
}

int
postq_fsck(struct postq *o, const char *verb, int argc, char *argv[])
{
	struct counts		n = { .quiet = o->quiet, .repair = !o->dry };
	struct spool_check	c = { .repair = !o->dry, .say = say,
				    .arg = &n, .now_ms = now_real_ms() };
	int			dir, r;

	(void)argv;
	if (argc > 0 || !filter_is_empty(&o->filter)) {
		warnx("%s has no arguments", verb);
		return USAGE;
	}
	c.latest_ms = c.now_ms + o->settings->queue.retry_max / 10 * 11 +
	    LATE_MS;
	if ((dir = lock(o)) == -1)
		return FAILED;
	r = check(o, dir, &c);
	fdio_close(&dir);
	if (!o->quiet)
		printf("%lu %s, %lu left\n", n.done, o->dry ?
		    "would be put right" : "put right", n.left);
	if (r == -1)
		return FAILED;
	return (n.done > 0 && !o->dry ? CORRECTED : 0) |
	    (n.left > 0 || (n.done > 0 && o->dry) ? LEFT : 0);
}

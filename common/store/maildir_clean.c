/* common/store/maildir_clean.c - what is left in tmp of a Maildir by programs that died: as other servers do it, after 36 hours. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/maildir.h"

#define AGE		(36 * 3600)	/* seconds */
#define EVERY		(8 * 3600)	/* seconds: tmp says by its time of access when it was last looked at */
#define MOST		10000		/* in one go: a session waits for it */

struct cleaning {
	int64_t	before;
	int	removed;
};

/* Only the time of change is nobody's to set: that of modification may be a message's. */
static int
clean(void *arg, int dir, const char *name)
{
	struct cleaning	*c = arg;
	struct stat	 st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_ctim.tv_sec >= c->before)
		return 0;
	if (unlinkat(dir, name, 0) == 0)
		c->removed++;
	return c->removed >= MOST;
}

/* A time that is yet to come tells nothing. */
static bool
is_due(const struct maildir *m, int64_t now)
{
	struct stat	st;

	return fstatat(m->root, "tmp", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_atim.tv_sec > now || st.st_atim.tv_sec <= now - EVERY);
}

void
maildir_clean(const struct maildir *m, int64_t now)
{
	const struct timespec	looked[2] = { { now, 0 }, { 0, UTIME_OMIT } };
	struct cleaning		c = { now - AGE, 0 };
	int			saved = errno, tmp = -1;

	if (is_due(m, now))
		tmp = inside_open(m->root, "tmp", O_RDONLY | O_DIRECTORY);
	/* where it cannot be noted it is looked at again the next time */
	if (tmp != -1 && fdio_each_in(tmp, clean, &c) == 0)
		(void)futimens(tmp, looked);
	fdio_close(&tmp);
	errno = saved;
}

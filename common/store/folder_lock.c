/* common/store/folder_lock.c - a lock that nobody who is dead can hold. */
#include "common/store/folder_lock.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/mode.h"

#define LOCK_WAIT	60000		/* ms: many sessions may each change all of a large folder */
#define LOCK_STEP	1000000L	/* ns */
#define LOCK_STEPS	4		/* at most so many at once */

static int
wait_for(int fd)
{
	struct timespec	step = { 0, LOCK_STEP };
	int64_t		until = now_ms() + LOCK_WAIT;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -1;
		if (now_ms() >= until) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&step, NULL);
		if (step.tv_nsec < LOCK_STEPS * LOCK_STEP)
			step.tv_nsec += LOCK_STEP;
	}
	return 0;
}

int
folder_lock(int dir)
{
	int	fd;

	fd = openat(dir, FOLDER_LOCK, O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd != -1 && (mode_share(dir, fd) == -1 || wait_for(fd) == -1))
		fdio_close(&fd);
	return fd;
}

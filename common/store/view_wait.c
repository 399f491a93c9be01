/* common/store/view_wait.c - the kernel tells when something happens in a folder (inotify(7)). A hint: who cannot have it looks from time to time. */
#include <sys/inotify.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/view_impl.h"

#define WATCHED	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
	IN_DELETE_SELF | IN_ONLYDIR)

static int
watch(struct view *v, const char *sub, uint32_t mask)
{
	char	path[PATH_MAX];
	int	n;

	n = snprintf(path, sizeof(path), "%s%s%s%s", store_path(v->store),
	    v->folder[0] != '\0' ? "/." : "", v->folder, sub);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return inotify_add_watch(v->wait, path, mask);
}

/* In the folder itself only the list and the keywords matter, which come by rename or grow. */
int
view_wait_fd(struct view *v)
{
	if (v->wait != -1)
		return v->wait < 0 ? -1 : v->wait;
	v->wait = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (v->wait != -1 && watch(v, "/new", WATCHED) != -1 &&
	    watch(v, "/cur", WATCHED) != -1)
		return v->wait;
	if (v->wait != -1)
		fdio_close(&v->wait);
	v->wait = -2;
	return -1;
}

void
view_wait_clear(struct view *v)
{
	char	events[4096];
	ssize_t	n;

	if (v->wait < 0)
		return;
	do {
		n = read(v->wait, events, sizeof(events));
	} while (n > 0 || (n == -1 && errno == EINTR));
}

int64_t
view_unsure(const struct view *v)
{
	int64_t	due = v->x.head.cur_dir.due, now = now_real_ms();

	if (due == 0)
		return 0;
	return due > now ? due - now : 1;
}

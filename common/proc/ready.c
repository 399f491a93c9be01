/*
 * common/proc/ready.c - tells the service manager that we are up: one
 * datagram, as sd_notify(3) describes it. Run by the master only.
 */
#include "common/proc/ready.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/str.h"

int
ready_notify(const char *text)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	const char		*path = getenv("NOTIFY_SOCKET");
	size_t			 n, len = strlen(text);
	ssize_t			 sent;
	int			 fd;

	if (path == NULL || *path == '\0')
		return 0;
	n = strlen(path);
	if ((*path != '/' && *path != '@') || n < 2 ||
	    n >= sizeof(sun.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(sun.sun_path, path, n);
	/* An abstract name begins with a NUL and has no other end than its length. */
	if (*path == '@')
		sun.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	sent = sendto(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	fdio_close(&fd);
	return sent == (ssize_t)len ? 0 : -1;
}

int64_t
ready_watchdog_ms(void)
{
	const char		*usec = getenv("WATCHDOG_USEC");
	const char		*pid = getenv("WATCHDOG_PID");
	unsigned long long	 us, who;

	if (usec == NULL ||
	    str_number(str_from(usec), INT64_MAX, &us) == -1)
		return 0;
	if (pid != NULL && (str_number(str_from(pid), INT64_MAX, &who) == -1 ||
	    who != (unsigned long long)getpid()))
		return 0;
	/* A tiny time-out must not turn into "none". */
	return us == 0 ? 0 : us < 2000 ? 1 : (int64_t)(us / 2000);
}

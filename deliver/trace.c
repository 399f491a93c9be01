/*
 * deliver/trace.c - one datagram to syslogd, facility mail. syslog(3) would
 * wait for a daemon that hangs, and reads the time zone.
 */
#include "deliver/trace.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/fdio.h"

#define LINE_MAX_BYTES	2048

void
trace(const char *fmt, ...)
{
	static const struct sockaddr_un	to = {
		.sun_family = AF_UNIX, .sun_path = "/dev/log"
	};
	int	saved = errno, fd, n, r;
	char	line[LINE_MAX_BYTES];
	va_list	ap;

	n = snprintf(line, sizeof(line), "<%d>deliver[%d]: ",
	    LOG_MAIL | LOG_INFO, (int)getpid());
	va_start(ap, fmt);
	r = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r >= 0 && fd != -1) {
		n += r;
		if ((size_t)n >= sizeof(line))
			n = sizeof(line) - 1;
		/* Nobody there, or too busy: the caller has the exit status. */
		(void)!sendto(fd, line, (size_t)n, MSG_NOSIGNAL,
		    (const struct sockaddr *)&to, sizeof(to));
	}
	fdio_close(&fd);
	errno = saved;
}

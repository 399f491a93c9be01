/*
 * common/base/log.c - one line per fact. The sink is one of the two mutable
 * globals of the project. Nothing here allocates, nothing waits for long: a
 * logger that hangs must not hold up mail. Any thread may write; where lines
 * go and which is settled before there are threads.
 */
#include "common/base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/now.h"

#define LOG_WAIT_MS	100
#define PROGRAM_MAX	32

static struct {
	int		fd;
	char		program[PROGRAM_MAX];
	enum log_level	level;
	atomic_ulong	lost;
} sink = { -1, "posthouse", LOG_LEVEL_INFO, 0 };

static const char *const level_name[] = { "error", "warn", "info", "debug" };

void
log_open(int fd, const char *program)
{
	sink.fd = fd;
	snprintf(sink.program, sizeof(sink.program), "%s", program);
}

void
log_set_level(enum log_level level)
{
	sink.level = level;
}

bool
log_wants(enum log_level level)
{
	return level <= sink.level;
}

static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 127 && c != '"' && c != '\\' && c != '=';
}

static bool
needs_quotes(struct str v)
{
	size_t	i;

	for (i = 0; i < v.n; i++)
		if (!is_plain((unsigned char)v.p[i]))
			return true;
	return v.n == 0;
}

/*
 * Characters that are not seen, but change how the rest of the line looks or
 * end it for some viewers: U+061C, U+200B-F, U+2028-E, U+2060-F, U+FEFF.
 */
static bool
is_deceptive(const unsigned char *p, size_t n)
{
	if (n == 2)
		return p[0] == 0xd8 && p[1] == 0x9c;
	if (n != 3 || p[0] != 0xe2)
		return n == 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
	return (p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) ||
	    (p[2] >= 0xa8 && p[2] <= 0xae))) ||
	    (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf);
}

/* Length of a well-formed UTF-8 sequence of two or more bytes at p that may be shown, or 0. */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
	size_t	i, len;

	if (p[0] >= 0xc3 && p[0] < 0xe0)	/* 0xc2 0x80-0x9f are controls */
		len = 2;
	else if (p[0] > 0xe0 && p[0] < 0xf0 && p[0] != 0xed)
		len = 3;
	else if (p[0] > 0xf0 && p[0] < 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	for (i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return is_deceptive(p, len) ? 0 : len;
}

size_t
log_shown(struct str v, size_t at)
{
	const unsigned char	*p = (const unsigned char *)v.p + at;

	return *p >= ' ' && *p < 127 ? 1 : utf8_length(p, v.n - at);
}

void
log_add_shown(struct buf *out, struct str s)
{
	size_t	i, n;

	for (i = 0; i < s.n; i += n)
		if ((n = log_shown(s, i)) > 0)
			buf_add(out, s.p + i, n);
		else {
			buf_addc(out, '?');
			n = 1;
		}
}

/* One character in its safe form into out (5 bytes at most); bytes taken. */
static size_t
escape(struct str v, size_t at, char out[8], size_t *outlen)
{
	const unsigned char	*p = (const unsigned char *)v.p + at;
	size_t			 len;

	if (*p == '"' || *p == '\\') {
		out[0] = '\\';
		out[1] = (char)*p;
		*outlen = 2;
		return 1;
	}
	if (*p >= ' ' && *p < 127) {
		out[0] = (char)*p;
		*outlen = 1;
		return 1;
	}
	if ((len = utf8_length(p, v.n - at)) > 0) {
		memcpy(out, p, len);
		*outlen = len;
		return len;
	}
	*outlen = (size_t)snprintf(out, 8, "\\x%02X", *p);
	return 1;
}

const char *
log_safe(char *dst, size_t size, struct str v)
{
	size_t	i = 0, n = 0, len, took;
	char	one[8];

	if (size < 8) {
		if (size > 0)
			dst[0] = '\0';
		return dst;
	}
	if (!needs_quotes(v) && v.n < size) {
		memcpy(dst, v.p, v.n);
		dst[v.n] = '\0';
		return dst;
	}
	dst[n++] = '"';
	while (i < v.n) {
		took = escape(v, i, one, &len);
		if (n + len + 5 > size) {	/* room for ..." and NUL */
			memcpy(dst + n, "...", 3);
			n += 3;
			break;
		}
		memcpy(dst + n, one, len);
		n += len;
		i += took;
	}
	dst[n++] = '"';
	dst[n] = '\0';
	return dst;
}

size_t
log_format(char *dst, size_t size, const char *program, int pid,
    enum log_level level, struct str text)
{
	struct timespec	ts = now_real();
	struct tm	tm;
	size_t		i, n;
	int		r;

	gmtime_r(&ts.tv_sec, &tm);
	r = snprintf(dst, size,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s[%d] %s: ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000, program, pid,
	    level_name[level]);
	if (r < 0 || (size_t)r + 2 > size)
		return 0;
	n = (size_t)r;
	for (i = 0; i < text.n && n + 6 < size; i++) {
		if ((unsigned char)text.p[i] >= ' ' && text.p[i] != 127)
			dst[n++] = text.p[i];
		else
			n += (size_t)snprintf(dst + n, size - n, "\\x%02X",
			    (unsigned char)text.p[i]);
	}
	dst[n++] = '\n';
	return n;
}

/* One packet; waits a moment for a full channel, then gives up. */
static bool
sink_send(const char *packet, size_t n)
{
	struct pollfd	p = { .fd = sink.fd, .events = POLLOUT };
	bool		waited = false;

	for (;;) {
		if (send(sink.fd, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
			return true;
		if (errno == EINTR)
			continue;
		if ((errno != EAGAIN && errno != ENOBUFS) || waited)
			return false;
		waited = true;
		poll(&p, 1, LOG_WAIT_MS);
	}
}

static size_t
packet_head(char *packet, size_t size, enum log_level level)
{
	int	n = snprintf(packet, size, "%d%s", (int)level, sink.program);

	return (size_t)n + 1;	/* the NUL belongs to it */
}

/* Those that another thread loses in between are told later. */
static void
tell_lost(char *packet, size_t size)
{
	unsigned long	lost = atomic_exchange(&sink.lost, 0);
	size_t		head = packet_head(packet, size, LOG_LEVEL_WARN);
	int		r;

	if (lost == 0)
		return;
	r = snprintf(packet + head, size - head, "log-lost lines=%lu", lost);
	if (!sink_send(packet, head + (size_t)r))
		atomic_fetch_add(&sink.lost, lost);
}

static void
put_line(enum log_level level, const char *text, size_t n)
{
	char	packet[LOG_LINE_MAX + PROGRAM_MAX + 64];
	size_t	head;

	if (sink.fd == -1) {
		head = log_format(packet, sizeof(packet), sink.program,
		    (int)getpid(), level, (struct str){ text, n });
		if (write(STDERR_FILENO, packet, head) == -1)
			atomic_fetch_add(&sink.lost, 1);
		return;
	}
	if (atomic_load(&sink.lost) > 0)
		tell_lost(packet, sizeof(packet));
	head = packet_head(packet, sizeof(packet), level);
	memcpy(packet + head, text, n);
	if (!sink_send(packet, head + n))
		atomic_fetch_add(&sink.lost, 1);
}

static void log_v(enum log_level, const char *, va_list) printf_like(2, 0);

static void
log_v(enum log_level level, const char *fmt, va_list ap)
{
	int	saved = errno;
	char	text[LOG_LINE_MAX];
	int	n;

	if (log_wants(level) && (n = vsnprintf(text, sizeof(text), fmt, ap)) > 0) {
		if ((size_t)n >= sizeof(text)) {
			n = sizeof(text) - 1;
			memcpy(text + n - 3, "...", 3);
		}
		put_line(level, text, (size_t)n);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level)		\
void						\
name(const char *fmt, ...)			\
{						\
	va_list	ap;				\
						\
	va_start(ap, fmt);			\
	log_v(level, fmt, ap);			\
	va_end(ap);				\
}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

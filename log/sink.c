/*
 * log/sink.c - writes lines. A log that cannot be written must not stop the
 * mail: lines are counted as lost, and the count is written when it can be.
 */
#include "log/sink.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/proc/priv.h"

#define GATHER_MAX	65536u
#define LINE_ROOM	(LOG_LINE_MAX * 5 + 128)	/* every byte may become \xNN */
#define CHECK_MS	1000
#define FILE_MODE	0640

enum kind { TO_FILE, TO_SYSLOG, TO_STDERR };

struct sink {
	enum kind		 kind;
	char			*dir, *base;
	int			 dirfd, fd;
	struct buf		 lines;
	unsigned long long	 nlines, lost;
	int64_t			 checked;
};

static int
split_path(struct sink *s, const char *path, struct diag *why)
{
	const char	*slash = strrchr(path, '/');

	if (path[0] != '/' || slash[1] == '\0')
		return diag_set(why, "log file %s is no absolute path", path);
	s->dir = slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
	s->base = strdup(slash + 1);
	if (s->dir == NULL || s->base == NULL)
		return diag_errno(why, "log");
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dirfd == -1 ? diag_errno(why, "%s", s->dir) : 0;
}

static int
open_file(struct sink *s)
{
	return openat(s->dirfd, s->base, O_WRONLY | O_APPEND | O_CREAT |
	    O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, FILE_MODE);
}

/* In a directory of root's nobody can have laid a trap. */
static int
open_as_root(struct sink *s, const char *user, struct diag *why)
{
	struct stat	 st;
	struct passwd	*pw;

	if (!priv_is_root() || fstat(s->dirfd, &st) == -1 || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	if ((pw = getpwnam(user)) == NULL)
		return diag_set(why, "no user %s", user);
	if ((s->fd = open_file(s)) == -1 || fstat(s->fd, &st) == -1)
		return diag_errno(why, "%s/%s", s->dir, s->base);
	/* The group is the administrator's choice once the file is there. */
	if (st.st_uid != pw->pw_uid &&
	    fchown(s->fd, pw->pw_uid, st.st_size == 0 ? pw->pw_gid :
	    (gid_t)-1) == -1)
		return diag_errno(why, "%s/%s: change owner", s->dir, s->base);
	return 0;
}

int
sink_new(struct sink **out, const char *setting, const char *user,
    struct diag *why)
{
	struct sink	*s;
	int		 r = 0;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "log");
	s->dirfd = s->fd = -1;
	buf_init(&s->lines, GATHER_MAX + LINE_ROOM);
	if (strcmp(setting, "syslog") == 0) {
		s->kind = TO_SYSLOG;
		openlog("posthouse", LOG_NDELAY, LOG_MAIL);
	} else if (strcmp(setting, "stderr") == 0) {
		s->kind = TO_STDERR;
		s->fd = STDERR_FILENO;
	} else if (strncmp(setting, "file:", 5) == 0) {
		s->kind = TO_FILE;
		r = split_path(s, setting + 5, why);
		if (r == 0)
			r = open_as_root(s, user, why);
	} else
		r = diag_set(why, "log %s: expected file:PATH, syslog or "
		    "stderr", setting);
	if (r == -1)
		sink_free(&s);
	*out = s;
	return r;
}

const char *
sink_dir(const struct sink *s)
{
	return s->dir;
}

int
sink_start(struct sink *s, struct diag *why)
{
	if (s->kind == TO_FILE && s->fd == -1 && (s->fd = open_file(s)) == -1)
		return diag_errno(why, "%s/%s", s->dir, s->base);
	return 0;
}

static int
priority(enum log_level level)
{
	static const int	table[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARN] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG
	};

	return table[level];
}

/* The time is syslogd's; what is between it and the level is ours. */
static void
put_syslog(const char *program, pid_t pid, enum log_level level,
    const char *line, size_t n)
{
	const char	*text = memchr(line, ':', n), *p;
	char		 mark[64];
	int		 m;

	m = snprintf(mark, sizeof(mark), "%s[%d] ", program, (int)pid);
	p = memmem(line, n, mark, (size_t)m);
	if (p != NULL)
		text = p;
	if (text != NULL)
		syslog(priority(level), "%.*s",
		    (int)(line + n - text) - 1, text);
}

void
sink_put(struct sink *s, const char *program, pid_t pid, enum log_level level,
    struct str text)
{
	size_t	n;

	if (buf_reserve(&s->lines, LINE_ROOM) == -1) {
		s->lost++;
		return;
	}
	n = log_format(s->lines.p + s->lines.n, LINE_ROOM, program, (int)pid,
	    level, text);
	if (s->kind == TO_SYSLOG) {
		put_syslog(program, pid, level, s->lines.p + s->lines.n, n);
		return;
	}
	s->lines.n += n;
	s->nlines++;
	if (s->lines.n >= GATHER_MAX)
		sink_flush(s);
}

/* It stays until it could be said. */
static void
tell_lost(struct sink *s)
{
	char	text[64], line[256];
	size_t	n;

	snprintf(text, sizeof(text), "log-lost lines=%llu", s->lost);
	n = log_format(line, sizeof(line), "log", (int)getpid(),
	    LOG_LEVEL_WARN, str_from(text));
	if (fdio_write(s->fd, line, n) == 0)
		s->lost = 0;
}

void
sink_flush(struct sink *s)
{
	if (s->lines.n == 0)
		return;
	if (fdio_write(s->fd, s->lines.p, s->lines.n) == -1)
		s->lost += s->nlines;
	else if (s->lost > 0)
		tell_lost(s);
	s->nlines = 0;
	buf_reset(&s->lines);
}

void
sink_reopen(struct sink *s)
{
	char	line[192];
	int	fd;

	if (s->kind != TO_FILE)
		return;
	if ((fd = open_file(s)) == -1) {
		snprintf(line, sizeof(line), "reopen why=\"%s\"",
		    strerror(errno));
		sink_put(s, "log", getpid(), LOG_LEVEL_ERROR, str_from(line));
		return;
	}
	sink_flush(s);
	fdio_close(&s->fd);
	s->fd = fd;
}

/* A rotation that nobody told us of. */
void
sink_check(struct sink *s)
{
	struct stat	here, there;
	int64_t		now = now_ms();

	if (s->kind != TO_FILE || now - s->checked < CHECK_MS)
		return;
	s->checked = now;
	if (fstat(s->fd, &here) == -1)
		return;
	if (fstatat(s->dirfd, s->base, &there, AT_SYMLINK_NOFOLLOW) == -1 ||
	    here.st_ino != there.st_ino || here.st_dev != there.st_dev)
		sink_reopen(s);
}

void
sink_free(struct sink **sp)
{
	struct sink	*s = *sp;

	if (s == NULL)
		return;
	sink_flush(s);
	if (s->kind == TO_FILE)
		fdio_close(&s->fd);
	fdio_close(&s->dirfd);
	buf_free(&s->lines);
	free(s->dir);
	free(s->base);
	free(s);
	*sp = NULL;
}

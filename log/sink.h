/* log/sink.h - where lines go: a file, syslog(3), standard error. */
#ifndef LOG_SINK_H
#define LOG_SINK_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/base/log.h"
#include "common/base/str.h"

struct sink;	/* opaque */

/*
 * setting is "file:/path", "syslog" or "stderr". As root, in a directory that only root can write
 * to, the file is made and given to user; else it is opened by sink_start, as that user.
 */
int	sink_new(struct sink **, const char *setting, const char *user, struct diag *) must_check;
/* The directory of the file, or NULL if there is none. */
const char *sink_dir(const struct sink *);
/* After the rights were given up. */
int	sink_start(struct sink *, struct diag *) must_check;
/* One line of a program; gathered until sink_flush. */
void	sink_put(struct sink *, const char *program, pid_t, enum log_level, struct str);
/* Everything is written, or counted as lost and said so in the next line that can be. */
void	sink_flush(struct sink *);
/* Opens the file again under its name: at once, or when another file has the name (looked up once a second). */
void	sink_reopen(struct sink *);
void	sink_check(struct sink *);
void	sink_free(struct sink **);

#endif

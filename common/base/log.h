/*
 * common/base/log.h - one line per fact, logfmt: "event key=value ...".
 * Values that came from outside go through log_safe() so that they can
 * neither break the line nor forge a key.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#define LOG_LINE_MAX	2048	/* longer lines are cut, with "..." */
#define LOG_SAFE_MAX	512	/* room for one quoted value */

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * fd: SEQPACKET end of the log channel, or -1 for stderr (text). Each packet is
 * "<level digit><program>\0<line>"; the reader knows the pid from the kernel.
 */
void	log_open(int, const char *);
void	log_set_level(enum log_level);
bool	log_wants(enum log_level);
void	log_error(const char *, ...) printf_like(1, 2);
void	log_warn(const char *, ...) printf_like(1, 2);
void	log_info(const char *, ...) printf_like(1, 2);
void	log_debug(const char *, ...) printf_like(1, 2);
/*
 * A value fit for the line, written to dst (size n): as it is if it is plain,
 * else in double quotes with \" \\ and \xNN for control and non-UTF-8 bytes and
 * for characters that turn or hide what is beside them; cut with "..." if too
 * long. Returns dst.
 */
const char *log_safe(char *, size_t, struct str);
/*
 * Length of the character at this place if a terminal may be given it as it is, else 0: a control character, broken
 * UTF-8, or one that turns or hides what is beside it.
 */
size_t	log_shown(struct str, size_t at);
/* Appends the text with ? for what log_shown forbids. */
void	log_add_shown(struct buf *, struct str);
/* One finished line "2026-11-24T06:55:03.123Z program[pid] level: text\n"; used by the log program and stderr. Control characters in text become \xNN. */
size_t	log_format(char *, size_t, const char *, int, enum log_level, struct str);

#endif

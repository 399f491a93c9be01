/*
 * common/fmt/logline.h - lines of posthouse-log(8), read back: "time program[pid] level: event key=value ...".
 * Pure; views into the line.
 */
#ifndef FMT_LOGLINE_H
#define FMT_LOGLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

struct logline {
	int64_t		at_ms;		/* since 1970 */
	struct str	program, level, event;
	struct str	rest;		/* the keys, for logline_next and logline_get */
};

/* A line without its end; false: it is none of ours. */
bool	logline_parse(struct str, struct logline *);
/* The next key of rest and its value as it stands there, with its quotes; false at the end or at what is no key. */
bool	logline_next(struct cur *, struct str *key, struct str *value);
/* The first value of that key, as it stands there. */
bool	logline_get(const struct logline *, const char *key, struct str *value);
/* The same as a number up to the maximum. */
bool	logline_getu(const struct logline *, const char *key, uint64_t max, uint64_t *);
/* A value without its quotes and escapes, added to the buffer. */
void	logline_plain(struct str value, struct buf *);

#endif

/*
 * common/fmt/line.h - lines of SMTP, LMTP, POP3: ended by CRLF and by nothing
 * else. Bare CR, bare LF and NUL in a command line are told apart before any
 * grammar runs (smuggling ends here).
 */
#ifndef FMT_LINE_H
#define FMT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

enum line_status {
	LINE_OK,	/* *line is set (no CRLF), *used bytes were taken */
	LINE_MORE,	/* no end yet: read more */
	LINE_LONG,	/* more than max bytes (CRLF included); *used = all that can be thrown away, *line begins as it does */
	LINE_BARE_LF,	/* ended by LF alone: *line and *used set */
	LINE_BARE_CR,	/* CR inside the line: *line and *used set */
	LINE_NUL	/* NUL inside the line: *line and *used set */
};

enum line_status line_scan(struct str, size_t, struct str *, size_t *);

#endif

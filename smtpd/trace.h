/* smtpd/trace.h - the Received field (RFC 5321 4.4). */
#ifndef SMTPD_TRACE_H
#define SMTPD_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/fmt/date.h"

#define PROTOCOL_SIZE	16

struct session;

/* "ESMTPSA" and the like (RFC 3848), of the present transaction. */
const char *trace_protocol(const struct session *, char[PROTOCOL_SIZE]);
/* Version and cipher; false: there is no TLS. */
bool	trace_tls(const struct session *, struct str *version, struct str *cipher);
/* The local time, as of date_format; "" if there is no such date. */
void	trace_date(int64_t at_ms, char[DATE_SIZE]);
/* The whole field with its line ends. */
void	trace_make(const struct session *, const char *id, int64_t at_ms, struct buf *);

#endif

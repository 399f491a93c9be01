/* deliver/trace.h - a line for the system's log: a hint for people, never waited for, never an error. */
#ifndef DELIVER_TRACE_H
#define DELIVER_TRACE_H

#include "common/base/attr.h"

/* Values from outside through log_safe(). */
void	trace(const char *, ...) printf_like(1, 2);

#endif

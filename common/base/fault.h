/*
 * common/base/fault.h - the only classifier of errors: temporary or not. Its
 * default is temporary, so that an unknown error never loses mail.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

bool	errno_is_temp(int);
/* sysexits(3) status for an errno: 75 if temporary, else 65, 67, 73, 77, ... */
int	errno_sysexit(int);
/* Does this exit status mean "try again"? All but 0 and the permanent ones of sysexits(3). */
bool	exit_is_temp(int);
/* Enhanced status code (RFC 3463) of an errno, e.g. "4.3.1" for ENOSPC, "4.2.2" for EDQUOT. */
const char *errno_status(int);
/* Enhanced status code for a sysexits status, "4.3.0" for anything unlisted. */
const char *exit_status(int);
/* sysexits(3) status for an enhanced status code: 0, 75 or a permanent one. */
int	status_exit(const char *);

#endif

/* common/fmt/date.h - date-time of RFC 5322 3.3, both ways; no time zone database. */
#ifndef FMT_DATE_H
#define FMT_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"

#define DATE_SIZE	40

/* "Tue, 24 Nov 2026 06:55:03 +0100"; offset in minutes east of UTC. -1 ERANGE outside the years 0..9999. */
int	date_format(int64_t, int, char[DATE_SIZE]);
/* asctime form of mbox From_ lines, UTC: "Tue Nov 24 06:55:03 2026". */
int	date_format_mbox(int64_t, char[DATE_SIZE]);
/* date-time of IMAP without its quotes (RFC 3501 9): "24-Nov-2026 06:55:03 +0100", the day in two columns. */
int	date_format_imap(int64_t, int, char[DATE_SIZE]);
/* Days since 1970 of a date; false: there is no such day. Month by its English name of three letters. */
bool	date_days(int64_t year, struct str month, int day, int64_t *);
/*
 * RFC 5322 date with the obsolete forms of 4.3; seconds since 1970 UTC and the offset as written (minutes). What is around the day may
 * be wrong (RFC 5256 2.2): a zone that is invalid or missing is +0000, such a time 00:00:00 +0000, and the name of the weekday is anything.
 */
bool	date_parse(struct cur *, int64_t *, int *);

#endif

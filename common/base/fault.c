/* common/base/fault.c - temporary or not; the default is temporary. */
#include "common/base/fault.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/attr.h"

/* Only errors that will be the same tomorrow are listed. */
static const struct {
	int		 err;
	int		 exit;
	const char	*status;
} permanent[] = {
	{ EINVAL,	EX_DATAERR,	"5.6.0" },
	{ EILSEQ,	EX_DATAERR,	"5.6.0" },
	{ EBADMSG,	EX_DATAERR,	"5.6.0" },
	{ EMSGSIZE,	EX_DATAERR,	"5.3.4" },
	{ EFBIG,	EX_CANTCREAT,	"5.3.4" },
	{ ELOOP,	EX_CANTCREAT,	"5.4.6" },
	{ ENAMETOOLONG,	EX_CANTCREAT,	"5.1.3" },
};

static const struct {
	int		 err;
	const char	*status;
} temporary[] = {
	{ ENOSPC,	"4.3.1" },
	{ EDQUOT,	"4.2.2" },
	{ EROFS,	"4.3.1" },
	{ EIO,		"4.3.0" },
	{ ENOMEM,	"4.3.0" },
	{ EACCES,	"4.2.0" },
	{ EPERM,	"4.2.0" },
	{ ETIMEDOUT,	"4.4.1" },
};

static const struct {
	int		 exit;
	const char	*status;
} exits[] = {
	{ EX_OK,	"2.0.0" },
	{ EX_USAGE,	"5.3.5" },
	{ EX_DATAERR,	"5.6.0" },
	{ EX_NOINPUT,	"5.3.0" },
	{ EX_NOUSER,	"5.1.1" },
	{ EX_NOHOST,	"5.1.2" },
	{ EX_UNAVAILABLE, "5.3.0" },
	{ EX_SOFTWARE,	"5.3.0" },
	{ EX_CANTCREAT,	"5.2.0" },
	{ EX_PROTOCOL,	"5.5.0" },
	{ EX_NOPERM,	"5.7.0" },
	{ EX_CONFIG,	"5.3.5" },
};

/* The first whose beginning fits. */
static const struct {
	const char	*status;
	int		 exit;
} statuses[] = {
	{ "2.",		EX_OK },
	{ "5.1.2",	EX_NOHOST },
	{ "5.1.",	EX_NOUSER },
	{ "5.2.",	EX_CANTCREAT },
	{ "5.3.4",	EX_DATAERR },
	{ "5.3.5",	EX_CONFIG },
	{ "5.5.",	EX_PROTOCOL },
	{ "5.6.",	EX_DATAERR },
	{ "5.7.",	EX_NOPERM },
	{ "5.",		EX_UNAVAILABLE },
};

bool
errno_is_temp(int err)
{
	size_t	i;

	for (i = 0; i < nitems(permanent); i++)
		if (permanent[i].err == err)
			return false;
	return true;
}

int
errno_sysexit(int err)
{
	size_t	i;

	for (i = 0; i < nitems(permanent); i++)
		if (permanent[i].err == err)
			return permanent[i].exit;
	return EX_TEMPFAIL;
}

bool
exit_is_temp(int status)
{
	size_t	i;

	for (i = 0; i < nitems(exits); i++)
		if (exits[i].exit == status)
			return false;
	return true;
}

const char *
errno_status(int err)
{
	size_t	i;

	for (i = 0; i < nitems(permanent); i++)
		if (permanent[i].err == err)
			return permanent[i].status;
	for (i = 0; i < nitems(temporary); i++)
		if (temporary[i].err == err)
			return temporary[i].status;
	return "4.3.0";
}

const char *
exit_status(int status)
{
	size_t	i;

	for (i = 0; i < nitems(exits); i++)
		if (exits[i].exit == status)
			return exits[i].status;
	return "4.3.0";
}

int
status_exit(const char *status)
{
	size_t	i;

	for (i = 0; i < nitems(statuses); i++)
		if (strncmp(status, statuses[i].status,
		    strlen(statuses[i].status)) == 0)
			return statuses[i].exit;
	return EX_TEMPFAIL;
}

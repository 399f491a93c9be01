/*
 * deliver/opts.c - the command line of deliver(1). What comes from a message by
 * way of a mail system's macros (addresses, folders) is looked at closely.
 */
#include "deliver/opts.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/conf.h"
#include "common/store/maildir.h"

#define TEXT_MAX	1000

/* It becomes a header field, and a variable of the environment. */
static int
text(const char **to, char option, const char *value, struct diag *why)
{
	const char	*p;

	if (strlen(value) > TEXT_MAX)
		return diag_set(why, "-%c: longer than %d bytes", option,
		    TEXT_MAX);
	for (p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			return diag_set(why, "-%c: control character",
			    option);
	*to = value;
	return 0;
}

static int
folder(struct opts *o, const char *value, struct diag *why)
{
	o->folder = NULL;
	if (*value == '\0' || strcasecmp(value, "INBOX") == 0)
		return 0;
	if (!maildir_folder_ok(value))
		return diag_set(why, "-m: no name for a folder, expected "
		    "one like Work or Work.Lists");
	o->folder = value;
	return 0;
}

static int
size(struct opts *o, const char *value, struct diag *why)
{
	unsigned long long	n;

	if (conf_size(value, &n) == -1 || n > INT64_MAX)
		return diag_set(why, "-s %s: expected a size such as 50M",
		    value);
	o->size = (long long)n;
	return 0;
}

static int
option(struct opts *o, int c, const char *value, struct diag *why)
{
	switch (c) {
	case 'a':
		return text(&o->ext, 'a', value, why);
	case 'c':
		o->conf = value;
		return 0;
	case 'd':
		return text(&o->rcpt, 'd', value, why);
	case 'f':
		return text(&o->sender, 'f', value, why);
	case 'm':
		return folder(o, value, why);
	case 'o':
		o->where = value;
		return 0;
	case 'p':
		o->command = value;
		return 0;
	case 's':
		return size(o, value, why);
	case 't':
		o->soft = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ':':
		return diag_set(why, "-%c: value missing", optopt);
	}
	return diag_set(why, "-%c: unknown option", optopt);
}

static bool
is_empty(const char *s)
{
	return s != NULL && *s == '\0';
}

int
opts_parse(struct opts *o, int argc, char *argv[], struct diag *why)
{
	int	c;

	*o = (struct opts){ .size = -1 };
	while ((c = getopt(argc, argv, "+:a:c:d:f:m:o:p:s:tv")) != -1)
		if (option(o, c, optarg, why) == -1)
			return -1;
	if (argc - optind > 1)
		return diag_set(why, "one user at a time");
	if (optind < argc && text(&o->user, '-', argv[optind], why) == -1)
		return diag_set(why, "this is no name of a user");
	if (is_empty(o->user) || is_empty(o->rcpt) || is_empty(o->where) ||
	    is_empty(o->command) || is_empty(o->conf))
		return diag_set(why, "an empty name, path or command");
	if (o->command != NULL && (o->where != NULL || o->folder != NULL))
		return diag_set(why, "-p goes without -o and -m");
	return 0;
}

/*
 * queue/sendmail_opts.c - options as sendmail has had them since 1983: clustered,
 * their arguments glued to them or not, and many that mean nothing here and
 * must not be taken for a mistake. Pure.
 */
#include "queue/sendmail_opts.h"

#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/base/str.h"
#include "common/fmt/esmtp.h"
#include "common/store/envelope.h"

static int
wrong(struct diag *why, const char *text, const char *arg)
{
	diag_set(why, "%s%s", text, arg);
	return EX_USAGE;
}

static int
opt_mode(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	if (strcmp(arg, "m") == 0)
		o->mode = SENDMAIL_MAIL;
	else if (strcmp(arg, "s") == 0)
		o->mode = SENDMAIL_SMTP;
	else if (strcmp(arg, "p") == 0)
		o->mode = SENDMAIL_LIST;
	else if (strcmp(arg, "i") == 0 || strcmp(arg, "I") == 0)
		o->mode = SENDMAIL_ALIASES;
	else if (strcmp(arg, "d") == 0 || strcmp(arg, "D") == 0 ||
	    strcmp(arg, "l") == 0)
		return wrong(why, "the daemon is posthouse(8): -b", arg);
	else if (strcmp(arg, "v") == 0 || strcmp(arg, "t") == 0)
		return wrong(why, "addresses are explained by route -v: -b",
		    arg);
	else
		return wrong(why, "no such mode: -b", arg);
	return 0;
}

static int
opt_body(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	o->options &= ~(unsigned)ENV_8BITMIME;
	if (strcasecmp(arg, "8BITMIME") == 0)
		o->options |= ENV_8BITMIME;
	else if (strcasecmp(arg, "7BIT") != 0)
		return wrong(why, "expected 7BIT or 8BITMIME: -B ", arg);
	return 0;
}

static int
opt_return(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	o->options &= ~(unsigned)(ENV_RET_FULL | ENV_RET_HDRS);
	if (strcasecmp(arg, "full") == 0)
		o->options |= ENV_RET_FULL;
	else if (strcasecmp(arg, "hdrs") == 0)
		o->options |= ENV_RET_HDRS;
	else
		return wrong(why, "expected full or hdrs: -R ", arg);
	return 0;
}

/* "delay, failure": blanks are usual here, though RFC 3461 has none. */
static int
opt_notify(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	char	text[64];
	size_t	i, n = 0;

	for (i = 0; arg[i] != '\0' && n < sizeof(text); i++)
		if (arg[i] != ' ')
			text[n++] = arg[i];
	if (n == sizeof(text) ||
	    !esmtp_notify((struct str){ text, n }, &o->notify))
		return wrong(why, "expected never, or a list of success, "
		    "failure, delay: -N ", arg);
	return 0;
}

static int
opt_envid(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	size_t	i, n = strlen(arg);

	for (i = 0; i < n; i++)
		if (arg[i] < ' ' || arg[i] > '~')
			break;
	if (n == 0 || n > ENVID_MAX || i < n)
		return wrong(why, "expected at most 100 printable characters: "
		    "-V ", arg);
	o->envid = arg;
	return 0;
}

/* What stands glued to -q: nothing, a time (then it is done once, now), or what to flush. */
static int
opt_flush(struct sendmail_opts *o, const char *arg, struct diag *why)
{
	if (*arg == 'I' && arg[1] != '\0')
		o->flush = arg + 1;
	else if (*arg != '\0' && (*arg < '0' || *arg > '9'))
		return wrong(why, "expected nothing, a time or I and an id: "
		    "-q", arg);
	o->mode = SENDMAIL_FLUSH;
	return 0;
}

static int
opt_plain(struct sendmail_opts *o, char c, struct diag *why)
{
	char	text[2] = { c, '\0' };

	if (c == 't')
		o->extract = true;
	else if (c == 'i')
		o->dots = true;
	else if (c == 'I')
		o->mode = SENDMAIL_ALIASES;
	else if (strchr("GUcmnv", c) == NULL)	/* of no meaning here */
		return wrong(why, "no such option: -", text);
	return 0;
}

static int
opt_value(struct sendmail_opts *o, char c, const char *arg, struct diag *why)
{
	switch (c) {
	case 'B':
		return opt_body(o, arg, why);
	case 'C':
		o->conf = arg;
		return 0;
	case 'F':
		o->name = arg;
		return 0;
	case 'N':
		return opt_notify(o, arg, why);
	case 'R':
		return opt_return(o, arg, why);
	case 'V':
		return opt_envid(o, arg, why);
	case 'b':
		return opt_mode(o, arg, why);
	case 'f':
	case 'r':
		o->sender = arg;
		return 0;
	case 'o':
		o->dots |= *arg == 'i';
		return 0;
	}
	return 0;	/* A L O X d e h p: of no meaning here */
}

/* One argument that begins with a dash. *at is left at the last one used. */
static int
cluster(struct sendmail_opts *o, int argc, char *const argv[], int *at,
    struct diag *why)
{
	const char	*p, *arg;
	char		 text[2] = { 0 };
	int		 r;

	for (p = argv[*at] + 1; *p != '\0'; p++) {
		if (*p == 'q')
			return opt_flush(o, p + 1, why);
		if (*p == 'd')		/* of debugging; may stand alone */
			return 0;
		if (strchr("ABCFLNORVXbefhopr", *p) == NULL) {
			if ((r = opt_plain(o, *p, why)) != 0)
				return r;
			continue;
		}
		if (p[1] != '\0')
			arg = p + 1;
		else if (*at + 1 < argc)
			arg = argv[++*at];
		else {
			text[0] = *p;
			return wrong(why, "it wants an argument: -", text);
		}
		return opt_value(o, *p, arg, why);
	}
	return 0;
}

static enum sendmail_mode
mode_of_name(const char *name)
{
	const char	*base = name == NULL ? NULL : strrchr(name, '/');

	base = base == NULL ? name : base + 1;
	if (base != NULL && strcmp(base, "mailq") == 0)
		return SENDMAIL_LIST;
	if (base != NULL && strcmp(base, "newaliases") == 0)
		return SENDMAIL_ALIASES;
	return SENDMAIL_MAIL;
}

int
sendmail_opts(int argc, char *const argv[], struct sendmail_opts *o,
    struct diag *why)
{
	int	i, r;

	*o = (struct sendmail_opts){ .mode = mode_of_name(argc > 0 ? argv[0] :
	    NULL) };
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			break;
		if ((r = cluster(o, argc, argv, &i, why)) != 0)
			return r;
	}
	o->first = i < argc ? i : argc;
	return 0;
}

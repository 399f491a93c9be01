/*
 * queue/postq_main.c - postq(8): a table of verbs. Run by root, or, as far as
 * queue does the work, by members of ph-queue.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/client.h"
#include "queue/postq.h"

#define COMMON	"f:nqy" FILTER_OPTIONS

static const struct verb {
	const char	*name;
	postq_verb	*run;
	const char	*options;	/* besides the common ones */
	const char	*usage;
} verbs[] = {
	{ "balance",	postq_balance,	"l:",	"[-l log] [--since time]" },
	{ "brake",	postq_order,	"",	"" },
	{ "delete",	postq_order,	"",	"[-nqy] [filter] [id ... | ALL]" },
	{ "drop",	postq_order,	"",	"[-nqy] -u user" },
	{ "expire",	postq_order,	"",	"[-nqy] [filter] [id ... | ALL]" },
	{ "flush",	postq_order,	"",	"[-nq] [filter] [id ... | ALL]" },
	{ "fsck",	postq_fsck,	"",	"[-nq]" },
	{ "hold",	postq_order,	"",	"[-nq] [filter] [id ... | ALL]" },
	{ "import",	postq_import,	"",	"[-nq] [--remove] postfix | exim directory" },
	{ "release",	postq_order,	"",	"[-nq] [filter] [id ... | ALL]" },
	{ "remove",	postq_order,	"",	"[-nqy] [filter] [id ... | ALL]" },
	{ "requeue",	postq_order,	"",	"[-nq] [filter] [id ... | ALL]" },
	{ "show",	postq_show,	"ceh",	"[-ceh] [filter] [id ... | ALL]" },
	{ "stat",	postq_order,	"",	"" },
	{ "trace",	postq_trace,	"l:",	"[-l log] [filter] [id ... | ALL]" },
};

static const struct option	long_options[] = {
	{ "remove",	no_argument,		NULL,	'R' },
	{ "since",	required_argument,	NULL,	'S' },
	{ "yes",	no_argument,		NULL,	'y' },
	{ NULL,		0,			NULL,	0 }
};

static _Noreturn void
usage(const struct verb *v)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (v == NULL || v == &verbs[i])
			fprintf(stderr, "%s postq [-f file] %s%s%s\n",
			    i == 0 || v != NULL ? "usage:" : "      ",
			    verbs[i].name, *verbs[i].usage == '\0' ? "" : " ",
			    verbs[i].usage);
	fprintf(stderr, "filter: [-Hw] [-d domain] [-e text] [-F sender] "
	    "[-o age] [-t recipient] [-u user]\n");
	exit(EX_USAGE);
}

static void
option(struct postq *o, const struct verb *v, int c)
{
	const char	*why;

	switch (c) {
	case 'f':
		o->conf = optarg;
		break;
	case 'n':
		o->dry = true;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'y':
		o->yes = true;
		break;
	case 'c':
		o->content = true;
		break;
	case 'h':
		o->history = true;
		break;
	case 'l':
		o->log = optarg;
		break;
	case 'R':
		o->remove = true;
		break;
	case 'S':
		o->since = optarg;
		break;
	case '?':
		usage(v);
	default:
		if (!filter_option(&o->filter, c, optarg, &why))
			errx(EX_USAGE, "-%c%s%s: %s", c, optarg == NULL ? "" :
			    " ", optarg == NULL ? "" : optarg, why);
	}
}

/* Options stand before the verb or behind it; -e of show is no filter. */
static void
parse(struct postq *o, const struct verb *v, int argc, char *argv[])
{
	bool	show = v != NULL && v->run == postq_show;
	char	text[64];
	int	c;

	snprintf(text, sizeof(text), "%s%s%s", v == NULL ? "+" : "",
	    v == NULL ? "" : v->options, show ? "f:nqyF:Hd:o:t:u:w" : COMMON);
	optind = 0;
	while ((c = getopt_long(argc, argv, text, long_options, NULL)) != -1)
		if (show && c == 'e')
			o->envelope = true;
		else
			option(o, v, c);
}

static const struct verb *
find_verb(const char *name)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (name != NULL && strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	if (name != NULL)
		postq_warn_safe(name, "no such verb");
	usage(NULL);
}

int
main(int argc, char *argv[])
{
	struct postq		 o = { .fd = -1 };
	const struct verb	*v;
	int			 status;

	client_open_std();
	parse(&o, NULL, argc, argv);
	v = find_verb(argv[optind]);
	argc -= optind;
	argv += optind;
	parse(&o, v, argc, argv);
	if ((o.since != NULL && v->run != postq_balance) ||
	    (o.remove && v->run != postq_import))
		usage(v);
	o.settings = client_settings(o.conf);
	status = v->run(&o, v->name, argc - optind, argv + optind);
	if (o.fd != -1)
		close(o.fd);
	settings_free(&o.settings);
	if (status == EX_USAGE)
		usage(v);
	if (ferror(stdout) || fflush(stdout) == EOF)
		return EX_IOERR;
	return status;
}

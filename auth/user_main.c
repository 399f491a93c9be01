/*
 * auth/user_main.c - user(8), called as "posthouse user": makes, changes and
 * tests entries of passwd-files. Run by the administrator. Passwords come from
 * the terminal or from stdin, never from the command line, which others see.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/user.h"
#include "common/proc/priv.h"

#define CONF_DEFAULT	PH_SYSCONFDIR "/posthouse/posthouse.conf"

static const struct verb {
	const char	*name, *options;
	int		 min, max;	/* arguments; max 0: any */
	bool		 settings;
	int		(*run)(struct user_opts *);
} verbs[] = {
	{ "add", "F:c:ins:", 1, 0, true, user_add },
	{ "passwd", "F:c:ins:", 1, 1, true, user_passwd },
	{ "delete", "F:n", 1, 1, true, user_delete },
	{ "app", "F:c:dins:", 2, 3, true, user_app },
	{ "list", "F:", 0, 1, true, user_list },
	{ "test", "a:iS:", 1, 1, true, user_test },
	{ "hash", "c:is:", 0, 0, false, user_hash },
};

static _Noreturn void
usage(void)
{
	fprintf(stderr,
	    "usage: posthouse user add [-in] [-F file] [-s scheme] [-c cost] "
	    "name [field=value ...]\n"
	    "       posthouse user passwd [-in] [-F file] [-s scheme] "
	    "[-c cost] name\n"
	    "       posthouse user delete [-n] [-F file] name\n"
	    "       posthouse user app [-din] [-F file] [-s scheme] [-c cost] "
	    "name app [services]\n"
	    "       posthouse user list [-F file] [name]\n"
	    "       posthouse user test [-i] [-S service] [-a address] name\n"
	    "       posthouse user hash [-i] [-s scheme] [-c cost]\n");
	exit(EX_USAGE);
}

static unsigned long
cost_of(const char *text)
{
	unsigned long long	n;

	if (str_number(str_from(text), UINT32_MAX, &n) == -1 || n == 0)
		errx(EX_USAGE, "cost %s, expected a number from 1 on", text);
	return (unsigned long)n;
}

static const struct scheme *
scheme_of(const char *text)
{
	const struct scheme	*s = scheme_find(str_from(text));
	size_t			 i;

	if (s != NULL && scheme_makes(s))
		return s;
	fprintf(stderr, "user: scheme %s, expected one of", text);
	for (i = 0; (s = scheme_at(i)) != NULL; i++)
		if (scheme_makes(s))
			fprintf(stderr, " %s", scheme_name(s));
	fputc('\n', stderr);
	exit(EX_USAGE);
}

static void
take_option(struct user_opts *o, int c)
{
	switch (c) {
	case 'F':
		o->file = optarg;
		break;
	case 'S':
		o->service = optarg;
		break;
	case 'a':
		o->client = optarg;
		break;
	case 'c':
		o->cost = cost_of(optarg);
		break;
	case 'd':
		o->remove = true;
		break;
	case 'i':
		o->from_stdin = true;
		break;
	case 'n':
		o->no_compile = true;
		break;
	case 's':
		o->scheme = scheme_of(optarg);
		break;
	default:
		usage();
	}
}

static void
parse(struct user_opts *o, const struct verb *v, int argc, char *argv[])
{
	static const struct option	longs[] = {
		{ "stdin", no_argument, NULL, 'i' }, { .name = NULL }
	};
	int	c;

	optind = 1;
	while ((c = getopt_long(argc, argv, v->options, longs, NULL)) != -1)
		take_option(o, c);
	o->args = argv + optind;
	o->nargs = argc - optind;
	if (o->nargs < v->min || (v->max > 0 && o->nargs > v->max) ||
	    (v->run == user_hash && o->nargs > 0))
		usage();
}

int
main(int argc, char *argv[])
{
	struct user_opts	 o = { .conf = CONF_DEFAULT, .service = "",
				    .client = "" };
	struct diag		 why;
	size_t			 i;
	int			 c, status;

	while ((c = getopt(argc, argv, "+f:")) != -1) {
		if (c != 'f')
			usage();
		o.conf = optarg;
	}
	argc -= optind;
	argv += optind;
	for (i = 0; argc > 0 && i < nitems(verbs); i++)
		if (strcmp(argv[0], verbs[i].name) == 0)
			break;
	if (argc == 0 || i == nitems(verbs))
		usage();
	parse(&o, &verbs[i], argc, argv);
	if (priv_harden(false) == -1)
		err(EX_OSERR, "limits");
	if (verbs[i].settings && settings_load(o.conf, &o.settings,
	    &why) == -1 && (o.file == NULL || !o.no_compile))
		errx(EX_CONFIG, "%s", why.text);
	status = verbs[i].run(&o);
	settings_free(&o.settings);
	return status;
}

/*
 * route/main.c - route(8): where does an address go? Without an option the
 * daemon that master runs as ph-route; with one a command: -c compiles the
 * tables (root), -t proves a configuration, -v explains an address.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/proc/child.h"
#include "common/proc/settings.h"
#include "route/compile.h"
#include "route/explain.h"
#include "route/server.h"

#define CONF_DEFAULT	PH_SYSCONFDIR "/posthouse/posthouse.conf"

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: route -c | -t [-f file]\n"
	    "       route -v [-f file] [-i client] [-s sender] [-u user] "
	    "address\n"
	    "       route -v [-f file] -s sender -u user\n");
	exit(EX_USAGE);
}

/* The master's memory file, and not what happens to be open under that number. */
static bool
from_master(void)
{
	return fcntl(FD_CONF, F_GET_SEALS) > 0;
}

static struct settings *
load(const char *path)
{
	struct settings	*s;
	struct diag	 why;
	int		 r;

	if (path == NULL && from_master())
		r = settings_load_fd(FD_CONF, &s, &why);
	else
		r = settings_load(path == NULL ? CONF_DEFAULT : path, &s, &why);
	if (r == -1)
		errx(EX_CONFIG, "%s", why.text);
	return s;
}

static int
run(int mode, const char *conf, struct settings *s, const struct explain *x)
{
	int	status;

	if (mode == 'v')
		status = explain_run(conf == NULL ? CONF_DEFAULT : conf, s, x);
	else if (mode == 't')
		status = compile_test(s);
	else
		status = compile_run(s);
	settings_free(&s);
	return status;
}

/* Only what is explained has more than a mode and a file. */
static bool
makes_sense(int mode, const struct explain *x)
{
	if (mode == 'v')
		return x->address != NULL ||
		    (x->user != NULL && x->sender != NULL);
	return x->address == NULL && x->client == NULL && x->sender == NULL &&
	    x->user == NULL;
}

int
main(int argc, char *argv[])
{
	const char	*conf = NULL;
	struct explain	 x = { .address = NULL };
	int		 c, mode = 0;

	while ((c = getopt(argc, argv, "cf:i:s:tu:v")) != -1)
		switch (c) {
		case 'c':
		case 't':
		case 'v':
			if (mode != 0 && mode != c)
				usage();
			mode = c;
			break;
		case 'f':
			conf = optarg;
			break;
		case 'i':
			x.client = optarg;
			break;
		case 's':
			x.sender = optarg;
			break;
		case 'u':
			x.user = optarg;
			break;
		default:
			usage();
		}
	if (argc - optind == 1)
		x.address = argv[optind];
	if (argc - optind > 1 || !makes_sense(mode, &x))
		usage();
	if (mode != 0)
		return run(mode, conf, load(conf), &x);
	if (conf != NULL || !from_master())
		usage();
	return server_serve(load(NULL));
}

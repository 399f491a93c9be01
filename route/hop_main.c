/*
 * route/hop_main.c - hop(8): where does the mail for this domain go? Without
 * an option the daemon that master runs as ph-hop; with -v the command that
 * route -v uses. Apart from route, because it talks to the network.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/settings.h"
#include "route/hop_answer.h"
#include "route/hop_server.h"

#define CONF_DEFAULT	PH_SYSCONFDIR "/posthouse/posthouse.conf"

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: hop -v [-f file] domain\n");
	exit(EX_USAGE);
}

static int
explain(const char *conf, const char *domain)
{
	struct settings	*s;
	struct diag	 why;
	int		 status;

	if (*domain == '\0' || strlen(domain) > HOP_ASK_MAX)
		errx(EX_USAGE, "expected a domain");
	if (settings_load(conf, &s, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_open(-1, "hop");
	status = hop_explain(s, domain);
	settings_free(&s);
	return status;
}

int
main(int argc, char *argv[])
{
	struct settings	*s;
	struct diag	 why;
	const char	*conf = NULL;
	bool		 verbose = false;
	int		 c;

	while ((c = getopt(argc, argv, "f:v")) != -1)
		if (c == 'v')
			verbose = true;
		else if (c == 'f')
			conf = optarg;
		else
			usage();
	if (verbose && argc - optind == 1)
		return explain(conf == NULL ? CONF_DEFAULT : conf,
		    argv[optind]);
	/* the master's memory file, and not what happens to be open there */
	if (verbose || conf != NULL || argc != optind ||
	    fcntl(FD_CONF, F_GET_SEALS) <= 0)
		usage();
	if (settings_load_fd(FD_CONF, &s, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	return hop_serve(s);
}

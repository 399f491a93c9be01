/*
 * queue/mailq_main.c - mailq(1): what waits in the queue. Asks the daemon; when
 * that is down, root may look into the spool itself.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/client.h"
#include "queue/listing.h"

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: mailq [-Hjsw] [-d domain] [-e text] "
	    "[-F sender] [-f file]\n"
	    "             [-o age] [-t recipient] [-u user]\n");
	exit(EX_USAGE);
}

int
main(int argc, char *argv[])
{
	struct listing_opts	 o = { .brief = false };
	struct settings		*s;
	const char		*conf = NULL, *why;
	int			 c, status;

	while ((c = getopt(argc, argv, FILTER_OPTIONS "f:js")) != -1)
		switch (c) {
		case 'f':
			conf = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 's':
			o.brief = true;
			break;
		case '?':
			usage();
		default:
			if (!filter_option(&o.filter, c, optarg, &why))
				errx(EX_USAGE, "-%c%s%s: %s", c,
				    optarg == NULL ? "" : " ",
				    optarg == NULL ? "" : optarg, why);
		}
	if (optind != argc)
		usage();
	s = client_settings(conf);
	status = listing_show(s, &o);
	settings_free(&s);
	return status;
}

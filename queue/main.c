/*
 * queue/main.c - queue(8): takes messages from incoming and drop, has them
 * delivered, and keeps those that must wait. Run by master as ph-queue.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/proc/child.h"
#include "queue/server.h"

int
main(int argc, char *argv[])
{
	struct settings	*settings;
	struct diag	 why;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "queue is started by posthouse(8); "
		    "see mailq(1) and postq(8)\n");
		return EX_USAGE;
	}
	if (settings_load_fd(FD_CONF, &settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	return server_serve(settings);
}

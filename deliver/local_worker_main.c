/* deliver/local_worker_main.c - local-worker: see worker.c. Run by local as the recipient. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/base/log.h"
#include "common/proc/child.h"
#include "common/proc/sig.h"
#include "deliver/worker.h"

int
main(int argc, char *argv[])
{
	struct settings	*set;
	struct diag	 why;
	int		 status;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "local-worker is started by posthouse-local(8)\n");
		return EX_USAGE;
	}
	if (sig_init(0) == -1)
		err(EX_OSERR, "signals");
	if (settings_load_fd(FD_CONF, &set, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_open(FD_LOG, "local");
	log_set_level(settings_log_level(set));
	status = worker_serve(set);
	settings_free(&set);
	return status;
}

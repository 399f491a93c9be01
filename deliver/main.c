/*
 * deliver/main.c - deliver(1): a message from standard input into a mailbox.
 * Run by anybody, from scripts and by other mail systems, as root or as the
 * user. Parses its arguments, becomes the user, and only then looks at the
 * message and at what is his.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/proc/priv.h"
#include "deliver/once.h"
#include "deliver/opts.h"
#include "deliver/target.h"
#include "deliver/trace.h"

static int
usage(const char *why)
{
	fprintf(stderr, "deliver: %s\n"
	    "usage: deliver [-tv] [-a ext] [-c file] [-d recipient] "
	    "[-f sender]\n"
	    "               [-m folder | -p command] [-o place] [-s size] "
	    "[user] < message\n", why);
	return EX_USAGE;
}

/* 0, 1 and 2 are what they seem, or a file of ours would be taken for one of them. */
static int
prepare(struct diag *why)
{
	const struct sigaction	ignore = { .sa_handler = SIG_IGN };
	int			fd;

	if (fcntl(STDIN_FILENO, F_GETFD) == -1)
		return diag_errno(why, "standard input");
	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_WRONLY) == -1)
			return diag_errno(why, "/dev/null");
	/* A file that may not grow is an error of write(2), like a full disk. */
	if (sigaction(SIGPIPE, &ignore, NULL) == -1 ||
	    sigaction(SIGXFSZ, &ignore, NULL) == -1)
		return diag_errno(why, "signals");
	return 0;
}

static int
run(const struct opts *o, struct diag *why)
{
	bool		by_root = priv_is_root();
	struct target	t;
	int		status;

	if ((status = target_find(&t, o, why)) != 0)
		goto done;
	status = EX_TEMPFAIL;
	if (target_become(&t, o, why) == -1)
		goto done;
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "deliver: reading the message from the "
		    "terminal, up to the end of file\n");
	status = once_deliver(o, &t, by_root, why);
done:
	target_free(&t);
	return status;
}

int
main(int argc, char *argv[])
{
	struct opts	o;
	struct diag	why = { "" };
	int		status;

	/* Whoever made it set-user-id would let everybody choose the place. */
	if (getuid() != geteuid() || getgid() != getegid())
		errx(EX_NOPERM, "must not be set-user-id or set-group-id");
	if (opts_parse(&o, argc, argv, &why) == -1)
		return usage(why.text);
	if (priv_is_root() && o.user == NULL && o.rcpt == NULL)
		return usage("root has to name the user");
	status = prepare(&why) == -1 ? EX_TEMPFAIL : run(&o, &why);
	if (status != EX_OK)
		fprintf(stderr, "deliver: %s\n", why.text);
	else if (o.verbose)
		printf("%s\n", why.text);
	return o.soft && status != EX_OK ? EX_TEMPFAIL : status;
}

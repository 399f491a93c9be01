/*
 * master/main.c - posthouse(8): reads the configuration, opens the ports,
 * starts and watches every other program, spawns mailbox sessions. Runs as
 * root; talks to its own programs and to root at run/control, to nobody else.
 */
#include "master/master.h"

#include <sys/stat.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/proc/priv.h"
#include "common/proc/sig.h"
#include "master/sandbox_test.h"

#define CONF_DEFAULT	PH_SYSCONFDIR "/posthouse/posthouse.conf"

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: posthouse [-Fknv] [-f file] "
	    "[status | reload | stop | sandbox-test | version]\n"
	    "       posthouse [-f file] user ...\n");
	exit(EX_USAGE);
}

static void
init(struct master *m, const char *conf)
{
	size_t	i;

	memset(m, 0, sizeof(*m));
	m->conf = conf;
	m->log[0] = m->log[1] = m->signals = m->control = -1;
	m->pidfile = m->spool_lock = m->tell = -1;
	m->reload.said = m->reload.client = m->tables.said = -1;
	for (i = 0; i < MASTER_CLIENTS; i++)
		m->clients[i].fd = -1;
	for (i = 0; i < ID_COUNT; i++) {
		m->programs[i].plan = &plan_programs[i];
		m->programs[i].link = -1;
	}
}

static void
write_pid(const struct master *m)
{
	char	text[16];
	int	n;

	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(m->pidfile, 0) == -1 ||
	    fdio_pwrite(m->pidfile, text, (size_t)n, 0) == -1)
		err(EX_OSERR, "pid file");
}

static int
serve(struct master *m)
{
	struct diag	why;
	int		status;

	if (settings_load(m->conf, &m->settings, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	if (priv_harden(false) == -1)
		err(EX_OSERR, "harden");
	(void)umask(022);
	if (setup_all(m, &why) == -1)
		errx(EX_UNAVAILABLE, "%s", why.text);
	if (!m->foreground && daemon_detach(m, &why) == -1)
		errx(EX_OSERR, "%s", why.text);
	write_pid(m);
	log_open(m->log[1], "posthouse");
	log_set_level(settings_log_level(m->settings));
	if (m->made_certificate)
		certificates_say_made(m->settings);
	m->signals = sig_init(SIG_EV_TERM | SIG_EV_HUP | SIG_EV_CHLD);
	if (m->signals == -1)
		err(EX_OSERR, "signals");
	status = loop_run(m);
	setup_remove(m);
	return status;
}

static int
print_keys(void)
{
	struct buf	text;
	int		r;

	buf_init(&text, 1 << 16);
	r = settings_print_keys(&text);
	fwrite(text.p, 1, text.n, stdout);
	buf_free(&text);
	return r == 0 && fflush(stdout) == 0 ? 0 : EX_IOERR;
}

static bool
asks_master(const char *verb)
{
	return strcmp(verb, "status") == 0 || strcmp(verb, "reload") == 0 ||
	    strcmp(verb, "stop") == 0;
}

static int
command(const char *conf, const char *verb)
{
	if (strcmp(verb, "version") == 0)
		return printf("posthouse %s\n", PH_VERSION) < 0 ? EX_IOERR : 0;
	if (strcmp(verb, "sandbox-test") == 0)
		return sandbox_test();
	if (asks_master(verb))
		return command_send(conf, verb);
	usage();
}

/* What stands behind "user" is that program's. */
static bool
is_user(int argc, char *argv[], const char **conf)
{
	int	c;

	while ((c = getopt(argc, argv, "+f:")) != -1)
		if (c == 'f')
			*conf = optarg;
		else
			break;
	return c == -1 && optind < argc && strcmp(argv[optind], "user") == 0;
}

int
main(int argc, char *argv[])
{
	struct master	 m;
	const char	*name = CONF_DEFAULT;
	char		*conf;
	bool		 foreground = false, check = false;
	int		 c;

	opterr = 0;
	if (is_user(argc, argv, &name))
		return command_user(name, argv + optind);
	name = CONF_DEFAULT;
	opterr = 1;
	optind = 0;	/* from the beginning */
	while ((c = getopt(argc, argv, "Ff:knv")) != -1)
		switch (c) {
		case 'F':
			foreground = true;
			break;
		case 'f':
			name = optarg;
			break;
		case 'k':
			return print_keys();
		case 'n':
			check = true;
			break;
		case 'v':
			return command(name, "version");
		default:
			usage();
		}
	if (argc - optind > 1 || (check && argc > optind))
		usage();
	if (argc > optind && !asks_master(argv[optind]))
		return command(name, argv[optind]);
	if ((conf = realpath(name, NULL)) == NULL)
		err(EX_NOINPUT, "%s", name);
	if (check)
		c = command_check(conf);
	else if (argc > optind)
		c = command(conf, argv[optind]);
	else {
		init(&m, conf);
		m.foreground = foreground;
		c = serve(&m);
	}
	free(conf);
	return c;
}

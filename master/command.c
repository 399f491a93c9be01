/* master/command.c - posthouse status, reload, stop and -n: the administrator's side. */
#include "master/master.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "master/control.h"

#define ANSWER_MS	300000	/* a reload may compile large tables */

/* The run directory may lie deep; the name of a socket must be short. */
static int
connect_control(const struct settings *s)
{
	if (chdir(s->run) == -1)
		return -1;
	return msg_connect("control");
}

/* The answer to stop; then the connection ends when the master has ended. */
static int
wait_for_end(int fd)
{
	struct buf	rec;
	int		r;

	buf_init(&rec, MSG_MAX);
	while ((r = msg_recv(fd, &rec, NULL)) == 1)
		continue;
	buf_free(&rec);
	return r == 0 || errno == ECONNRESET ? 0 : EX_IOERR;
}

static int
talk(int fd, const char *verb)
{
	struct buf	ask, answer;
	struct str	word, text;
	int		status = EX_PROTOCOL;

	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	record_puts(&ask, CONTROL_VERB, verb);
	if (!buf_ok(&ask) ||
	    msg_call(fd, &ask, NULL, &answer, NULL, ANSWER_MS) == -1) {
		warn("%s", verb);
		status = EX_TEMPFAIL;
	} else if (record_get(buf_view(&answer), CONTROL_VERB, &word)) {
		bool ok = str_eq(word, STR("ok"));

		if (record_get(buf_view(&answer), CONTROL_TEXT, &text))
			fprintf(ok || strcmp(verb, "status") == 0 ? stdout :
			    stderr, "%.*s", STR_ARG(text));
		status = ok ? 0 : strcmp(verb, "reload") == 0 ? EX_CONFIG :
		    EX_UNAVAILABLE;
	}
	buf_free(&ask);
	buf_free(&answer);
	return status;
}

/*
 * A mistake in the file must not keep the master that runs from being asked or
 * stopped. What is wrong with a new configuration, it says itself.
 */
static struct settings *
where_it_runs(const char *conf, const char *verb)
{
	struct settings	*s;
	struct diag	 why;

	if (settings_load(conf, &s, &why) == 0)
		return s;
	s = settings_salvage(conf);
	if (s == NULL || strcmp(verb, "reload") != 0)
		warnx("%s", why.text);
	return s;
}

int
command_send(const char *conf, const char *verb)
{
	struct settings	*s;
	int		 fd, status;

	if ((s = where_it_runs(conf, verb)) == NULL)
		return EX_CONFIG;
	if ((fd = connect_control(s)) == -1) {
		warnx("no answer at %s/control: %s%s", s->run, strerror(errno),
		    errno == ENOENT || errno == ECONNREFUSED ?
		    " (is posthouse running?)" : "");
		settings_free(&s);
		return EX_UNAVAILABLE;
	}
	status = talk(fd, verb);
	if (status == 0 && strcmp(verb, "stop") == 0)
		status = wait_for_end(fd);
	close(fd);
	settings_free(&s);
	return status;
}

/* 0: it is right. Else *why, or what is wrong has been said already and *why is "". */
static int
prove(const struct settings *s, const char *conf, struct diag *why)
{
	int	status;

	/* route reads the alias files and works out the expect lines. */
	if ((status = reload_route(s, "-t", why)) == -1)
		return -1;
	why->text[0] = '\0';
	if (status != 0 || setup_check_conf(conf, why) == -1 ||
	    files_check(s, why) == -1)
		return -1;
	return certificates_prove(s, why);
}

int
command_check(const char *conf)
{
	struct settings	*s;
	struct buf	 mistakes;
	struct diag	 why;
	int		 n, status;

	buf_init(&mistakes, 1 << 20);
	n = settings_check(conf, &mistakes);
	if (mistakes.n > 0)
		fwrite(mistakes.p, 1, mistakes.n, stderr);
	buf_free(&mistakes);
	if (n > 0)
		return EX_CONFIG;
	if (settings_load(conf, &s, &why) == -1) {
		warnx("%s", why.text);
		return EX_CONFIG;
	}
	if ((status = prove(s, conf, &why)) != 0 && why.text[0] != '\0')
		warnx("%s", why.text);
	settings_free(&s);
	return status == 0 ? 0 : EX_CONFIG;
}

int
command_user(const char *conf, char *const argv[])
{
	struct settings	*s = settings_salvage(conf);
	char		 path[1100], flag[] = "-f", *name;
	char		**args;
	size_t		 n = 0;

	snprintf(path, sizeof(path), "%s/user",
	    s != NULL ? s->libexec : PH_LIBEXECDIR);
	settings_free(&s);
	while (argv[n] != NULL)
		n++;
	if ((args = calloc(n + 3, sizeof(*args))) == NULL ||
	    (name = strdup(conf)) == NULL) {
		warn("user");
		return EX_OSERR;
	}
	args[0] = argv[0];
	args[1] = flag;
	args[2] = name;
	memcpy(args + 3, argv + 1, n * sizeof(*args));
	execv(path, args);
	warn("%s", path);
	return EX_UNAVAILABLE;
}

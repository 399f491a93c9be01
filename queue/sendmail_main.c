/*
 * queue/sendmail_main.c - sendmail(8): what other programs call to send mail.
 * Runs as the user and has no right of its own: drop, which it calls, has the
 * only one that is needed.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/path.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "common/store/envelope.h"
#include "queue/client.h"
#include "queue/listing.h"
#include "queue/sendmail.h"

#define READ_SIZE	65536u
#define ARGS_MAX	(4u << 20)

/* RFC 3461 4: what is not plain becomes +XX. */
static void
put_xtext(const char *s, struct buf *out)
{
	for (; *s != '\0'; s++)
		if (*s > ' ' && *s < 127 && *s != '+' && *s != '=')
			buf_addc(out, *s);
		else
			buf_addf(out, "+%02X", (unsigned char)*s);
}

/* "", "<>", "ann@example.org", "Ann <ann@example.org>"; -1: none of these. */
static int
parse_sender(const char *text, struct buf *out, unsigned *options)
{
	struct str	view = str_trim(str_from(text));
	struct buf	all;
	struct cur	c;
	struct path	p;
	struct str	addr;
	bool		ok;

	if (view.n == 0 || str_eq(view, STR("<>")))
		return 0;
	buf_init(&all, ARGS_MAX);
	compose_addresses(view, &all);
	ok = record_get(buf_view(&all), 'r', &addr);
	if (ok) {
		c = cur_from(addr);
		ok = path_mailbox(&c, PATH_UTF8, true, &p) && cur_done(&c) &&
		    buf_addstr(out, addr) == 0;
		if (ok && p.utf8)
			*options |= ENV_SMTPUTF8;
	}
	buf_free(&all);
	return ok ? 0 : -1;
}

/* The recipients of the command line; their text is in mem. */
static void
take_args(const struct sendmail_opts *o, char *const argv[],
    struct submit_env *env, struct buf *mem)
{
	struct submit_rcpt	r = { .notify = o->notify };
	struct field		f;
	struct cur		c;
	int			i;

	buf_init(mem, ARGS_MAX);
	for (i = o->first; argv[i] != NULL; i++)
		compose_addresses(str_from(argv[i]), mem);
	if (!buf_ok(mem))
		errx(EX_TEMPFAIL, "too many recipients");
	c = cur_from(buf_view(mem));
	while (record_next(&c, &f)) {
		r.addr = f.value;
		if (submit_add_rcpt(env, r) == -1)
			err(EX_TEMPFAIL, "recipients");
	}
}

/* True: all of it was read, as far as it is the message. */
static bool
feed(struct submit *s)
{
	struct diag	why;
	char		*mem;
	ssize_t		n;
	size_t		used;
	int		r = 0;

	if ((mem = malloc(READ_SIZE)) == NULL) {
		warn("standard input");
		return false;
	}
	while (r == 0 && (n = read(STDIN_FILENO, mem, READ_SIZE)) != 0) {
		if (n > 0)
			r = submit_add(s, (struct str){ mem, (size_t)n },
			    &used, &why);
		else if (errno != EINTR) {
			warn("standard input");
			s->status = EX_IOERR;
			free(mem);
			return false;
		}
	}
	if (r == -1 && why.text[0] != '\0')
		warnx("%s", why.text);
	free(mem);
	return r != -1;
}

static int
send_message(struct sendmail *m, char *const argv[])
{
	const struct sendmail_opts *o = m->o;
	struct submit_env	env = { .options = o->options };
	struct submit		s;
	struct buf		sender, envid, args;
	struct diag		why;
	const char		*from;
	int			status;
	bool			whole;

	buf_init(&sender, ADDR_MAX);
	buf_init(&envid, 4 * 100 + 1);
	if (sendmail_user(m) == -1 && o->sender == NULL)
		errx(EX_NOUSER, "user %u has no name: -f or LOGNAME must tell "
		    "the sender", (unsigned)getuid());
	from = o->sender != NULL ? o->sender : buf_cstr(&m->user.login);
	if (parse_sender(from, &sender, &env.options) == -1)
		errx(EX_USAGE, "sender \"%s\" is no address", from);
	if (o->envid != NULL)
		put_xtext(o->envid, &envid);
	take_args(o, argv, &env, &args);
	if (env.nrcpts == 0 && !o->extract)
		errx(EX_USAGE, "recipients must be named as arguments or, "
		    "with -t, in the header");
	if (submit_check_rcpts(&env, &why) == -1)
		errx(EX_DATAERR, "%s", why.text);
	env.sender = buf_view(&sender);
	env.envid = buf_view(&envid);
	submit_init(&s, m->set, &env, o->dots ? 0 : LINES_DOT);
	s.conf = o->conf;
	s.notify = o->notify;
	if (sendmail_compose(m, env.sender, &s.compose) == -1)
		errx(EX_TEMPFAIL, "out of memory");
	s.compose.extract = o->extract;
	whole = feed(&s);
	status = submit_end(&s, whole, &why);
	if (why.text[0] != '\0')
		warnx("%s", why.text);
	free(env.rcpts);
	buf_free(&sender);
	buf_free(&envid);
	buf_free(&args);
	return status;
}

/* Once, now: postq flush. */
static int
flush_queue(const struct settings *set, const char *id)
{
	struct buf	ask, answer;
	struct str	verb, text = STR("");
	int		fd, status;

	if ((fd = client_connect(set)) == -1)
		client_fail(set);
	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, "flush", id == NULL ? "ALL" : id);
	if (!buf_ok(&ask) || msg_call(fd, &ask, NULL, &answer, NULL,
	    CLIENT_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "queue");
	close(fd);
	status = record_get(buf_view(&answer), QUEUE_VERB, &verb) &&
	    str_eq(verb, STR("ok")) ? EX_OK : EX_DATAERR;
	if (status != EX_OK &&
	    record_get(buf_view(&answer), QUEUE_TEXT, &text))
		warnx("%.*s", STR_ARG(text));
	buf_free(&ask);
	buf_free(&answer);
	return status;
}

static _Noreturn void
compile_aliases(const struct settings *set, const char *conf)
{
	char	 path[4096], name[] = "route", c[] = "-c", f[] = "-f";
	char	*argv[] = { name, c, NULL, NULL, NULL };

	if ((size_t)snprintf(path, sizeof(path), "%s/route", set->libexec) >=
	    sizeof(path))
		errx(EX_CONFIG, "libexec is too long");
	if (conf != NULL) {
		argv[2] = f;
		if ((argv[3] = strdup(conf)) == NULL)
			err(EX_TEMPFAIL, "%s", path);
	}
	(void)signal(SIGPIPE, SIG_DFL);
	execv(path, argv);
	err(EX_OSERR, "%s", path);
}

static int
run(struct sendmail *m, char *const argv[])
{
	struct listing_opts	list = { .brief = false };

	switch (m->o->mode) {
	case SENDMAIL_MAIL:
		return send_message(m, argv);
	case SENDMAIL_SMTP:
		return sendmail_smtp(m);
	case SENDMAIL_LIST:
		return listing_show(m->set, &list);
	case SENDMAIL_ALIASES:
		compile_aliases(m->set, m->o->conf);
	case SENDMAIL_FLUSH:
		return flush_queue(m->set, m->o->flush);
	}
	return EX_SOFTWARE;
}

int
main(int argc, char *argv[])
{
	struct sendmail_opts	 o;
	struct settings		*set;
	struct sendmail		 m = { .o = &o };
	struct diag		 why;
	int			 status;

	client_open_std();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);	/* drop has to be waited for */
	if ((status = sendmail_opts(argc, argv, &o, &why)) != 0)
		errx(status, "%s", why.text);
	m.set = set = client_settings(o.conf);
	status = run(&m, argv);
	sendmail_user_free(&m.user);
	settings_free(&set);
	return status;
}

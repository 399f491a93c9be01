/*
 * queue/sendmail_smtp.c - sendmail -bs: SMTP on standard input and output, for
 * mail programs that speak nothing else. It is the user's own process and
 * protects nobody but him: it serves one client, checks no recipient, and
 * gives each message to drop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/sendmail_smtp_impl.h"

#define READ_SIZE	65536u
#define COMMAND_MAX	4096u
#define ERRORS_MAX	100u
#define MEM_MAX		(64u << 20)

void
sendmail_reply(struct smtp *s, unsigned code, const char *text)
{
	if (code >= 500)
		s->errors++;
	printf("%u %s\r\n", code, text);
}

void
sendmail_reset(struct smtp *s)
{
	free(s->env.rcpts);
	s->env = (struct submit_env){ .sender = STR("") };
	arena_free(&s->mem);
	arena_init(&s->mem, MEM_MAX);
}

/* False: there is no more. */
static bool
read_more(struct smtp *s)
{
	ssize_t	n;

	if (buf_reserve(&s->in, READ_SIZE) == -1 || fflush(stdout) == EOF)
		return false;
	while ((n = read(STDIN_FILENO, s->in.p + s->in.n, READ_SIZE)) == -1 &&
	    errno == EINTR)
		continue;
	if (n > 0)
		s->in.n += (size_t)n;
	return n > 0;
}

/* ---- commands; in stands behind the verb */

static enum state
cmd_helo(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reset(s);
	printf("250 %s\r\n", s->m->set->hostname);
	return S_IDLE;
}

static enum state
cmd_ehlo(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reset(s);
	printf("250-%s\r\n250-PIPELINING\r\n250-SIZE %lld\r\n250-8BITMIME\r\n"
	    "250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n",
	    s->m->set->hostname, s->m->set->smtp.message_size);
	return S_IDLE;
}

/* True: the dot has come. What drop does not want any more is read all the same. */
static bool
take_data(struct smtp *s, struct submit *sub, struct diag *why)
{
	struct lines	l;
	struct buf	text;
	size_t		used;
	bool		end = false, bad = false;

	lines_init(&l, LINES_DOT | LINES_STUFFED | (s->crlf ? LINES_CRLF : 0),
	    (size_t)s->m->set->smtp.line_length);
	buf_init(&text, 8 * READ_SIZE);
	while (!end && (s->in.n > 0 || read_more(s))) {
		buf_reset(&text);
		end = lines_add(&l, buf_view(&s->in), &used, &text);
		buf_consume(&s->in, used);
		if (!bad && (!buf_ok(&text) || submit_add(sub, buf_view(&text),
		    &used, why) == -1))
			bad = true;
	}
	buf_free(&text);
	return end;
}

static enum state
reply_status(struct smtp *s, int status)
{
	switch (status) {
	case EX_OK:
		sendmail_reply(s, 250, "2.0.0 message accepted");
		break;
	case EX_DATAERR:
		sendmail_reply(s, 554, "5.6.0 message refused: too large, or a header "
		    "that makes no sense");
		break;
	case EX_TEMPFAIL:
	case EX_OSERR:
	case EX_IOERR:
		sendmail_reply(s, 451, "4.3.0 message not accepted now, try again");
		break;
	default:
		sendmail_reply(s, 554, "5.3.0 message not accepted");
	}
	return S_IDLE;
}

static enum state
cmd_data(struct smtp *s, struct cur *in)
{
	struct submit	sub;
	struct diag	why = { "" }, end;
	int		status;
	bool		whole;

	if (!cur_done(in)) {
		sendmail_reply(s, 501, "5.5.4 DATA has no arguments");
		return s->state;
	}
	if (submit_check_rcpts(&s->env, &why) == -1) {
		sendmail_reply(s, 554, "5.1.3 bad recipient");
		return s->state;
	}
	sendmail_reply(s, 354, "go on, end with <CRLF>.<CRLF>");
	submit_init(&sub, s->m->set, &s->env, 0);
	sub.conf = s->m->o->conf;
	whole = sendmail_compose(s->m, s->env.sender, &sub.compose) == 0 &&
	    take_data(s, &sub, &why);
	if (!whole)
		s->state = S_LOST;
	status = submit_end(&sub, whole && why.text[0] == '\0', &end);
	if (why.text[0] == '\0')
		why = end;
	if (why.text[0] != '\0')
		fprintf(stderr, "sendmail: %s\n", why.text);
	sendmail_reset(s);
	return whole ? reply_status(s, status) : S_LOST;
}

static enum state
cmd_rset(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reset(s);
	sendmail_reply(s, 250, "2.0.0 ok");
	return s->state == S_START ? S_START : S_IDLE;
}

static enum state
cmd_noop(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reply(s, 250, "2.0.0 ok");
	return s->state;
}

static enum state
cmd_vrfy(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reply(s, 252, "2.5.0 it is tried when the message is there");
	return s->state;
}

static enum state
cmd_quit(struct smtp *s, struct cur *in)
{
	(void)in;
	sendmail_reply(s, 221, "2.0.0 bye");
	return S_END;
}

static const struct cmd {
	const char	*verb;
	unsigned	 states;
	enum state	(*run)(struct smtp *, struct cur *);
} cmds[] = {
	{ "HELO", S_OPEN,		cmd_helo },
	{ "EHLO", S_OPEN,		cmd_ehlo },
	{ "MAIL", S_START | S_IDLE,	sendmail_mail },
	{ "RCPT", S_MAIL | S_RCPT,	sendmail_rcpt },
	{ "DATA", S_RCPT,		cmd_data },
	{ "RSET", S_OPEN,		cmd_rset },
	{ "NOOP", S_OPEN,		cmd_noop },
	{ "VRFY", S_OPEN,		cmd_vrfy },
	{ "QUIT", S_OPEN,		cmd_quit },
};

static void
command(struct smtp *s, struct str line)
{
	struct cur	in = cur_from(str_trim(line));
	struct str	verb;
	size_t		i;

	if (!cur_span(&in, is_alpha, 16, &verb) ||
	    (!cur_done(&in) && !is_wsp((unsigned char)*in.p)) ||
	    memchr(line.p, '\0', line.n) != NULL)
		verb = STR("");
	for (i = 0; i < nitems(cmds); i++)
		if (str_eq_nocase(verb, str_from(cmds[i].verb)))
			break;
	if (i == nitems(cmds))
		sendmail_reply(s, 500, "5.5.2 command unrecognized");
	else if (!(cmds[i].states & s->state))
		sendmail_reply(s, 503, "5.5.1 bad sequence of commands");
	else
		s->state = cmds[i].run(s, &in);
}

/* The next line, whose copy is in out. False: there is none. */
static bool
next_line(struct smtp *s, struct buf *out)
{
	struct cur	c;
	struct str	line;

	buf_reset(out);
	while (c = cur_from(buf_view(&s->in)), !cur_until(&c, '\n', &line))
		if (s->in.n > COMMAND_MAX || !read_more(s))
			return false;
	if (!s->decided) {
		s->decided = true;
		s->crlf = line.n > 0 && line.p[line.n - 1] == '\r';
	}
	buf_addstr(out, line);
	buf_consume(&s->in, line.n + 1);
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return buf_ok(out);
}

int
sendmail_smtp(struct sendmail *m)
{
	struct smtp	s = { .m = m, .state = S_START };
	struct buf	line;

	sendmail_user(m);
	buf_init(&s.in, 4 * READ_SIZE);
	buf_init(&line, 2 * READ_SIZE);
	arena_init(&s.mem, MEM_MAX);
	sendmail_reset(&s);
	printf("220 %s ESMTP for the users of this host\r\n",
	    m->set->hostname);
	while (s.state != S_END && s.state != S_LOST &&
	    next_line(&s, &line)) {
		command(&s, buf_view(&line));
		if (s.errors > ERRORS_MAX) {
			sendmail_reply(&s, 421, "4.7.0 too many errors");
			break;
		}
	}
	sendmail_reset(&s);
	buf_free(&s.in);
	buf_free(&line);
	if (fflush(stdout) == EOF || s.state == S_LOST)
		return EX_IOERR;
	return EX_OK;
}

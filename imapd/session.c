/* imapd/session.c - what a session says. */
#include "imapd/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"

#define LINE_SHORT	512

void
say_str(struct session *s, struct str text)
{
	if (s->mute)
		return;
	s->bytes_out += text.n;
	if (conn_put(&s->conn, text) == 0)
		return;
	if (s->end == NULL)
		s->end = errno == ETIMEDOUT ? "the client takes nothing" :
		    errno == ECANCELED ? "the server stops" :
		    "the client has gone";
	s->mute = true;
	buf_reset(&s->conn.out);
}

void
say_no_memory(struct session *s)
{
	if (s->end != NULL)
		return;
	say_str(s, STR("* BYE [UNAVAILABLE] not enough memory\r\n"));
	s->end = "out of memory";
}

void
say_buf(struct session *s, const struct buf *b)
{
	if (buf_ok(b))
		say_str(s, buf_view(b));
	else if (b->why == ENOMEM)
		say_no_memory(s);
	else if (s->end == NULL) {
		say_str(s, STR("* BYE [UNAVAILABLE] a response that is too "
		    "long\r\n"));
		s->end = "a response that is too long";
	}
}

static void	line(struct session *, const char *, const char *, va_list)
		    printf_like(3, 0);
static void	reply(struct command *, int, const char *, const char *,
		    va_list) printf_like(4, 0);

static void
line(struct session *s, const char *before, const char *fmt, va_list ap)
{
	char		text[LINE_SHORT];
	struct buf	out;
	va_list		copy;
	int		n;

	va_copy(copy, ap);
	n = vsnprintf(text, sizeof(text), fmt, copy);
	va_end(copy);
	/* most are short, and said without memory of their own */
	if (n >= 0 && (size_t)n < sizeof(text)) {
		say_str(s, str_from(before));
		say_str(s, (struct str){ text, (size_t)n });
		say_str(s, STR("\r\n"));
		return;
	}
	buf_init(&out, REPLY_MAX);
	buf_adds(&out, before);
	buf_vaddf(&out, fmt, ap);
	buf_adds(&out, "\r\n");
	say_buf(s, &out);
	buf_free(&out);
}

void
say(struct session *s, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	line(s, "* ", fmt, ap);
	va_end(ap);
}

static void
reply(struct command *c, int how, const char *code, const char *fmt,
    va_list ap)
{
	c->reply = how;
	buf_reset(&c->text);
	if (code != NULL)
		buf_addf(&c->text, "[%s] ", code);
	buf_vaddf(&c->text, fmt, ap);
}

void
command_ok(struct command *c, const char *code, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	reply(c, REPLY_OK, code, fmt, ap);
	va_end(ap);
}

void
command_no(struct command *c, const char *code, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	reply(c, REPLY_NO, code, fmt, ap);
	va_end(ap);
}

void
command_bad(struct command *c, const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	reply(c, REPLY_BAD, NULL, fmt, ap);
	va_end(ap);
}

/* RFC 5530, 3. What is not here is a fault of ours or the disk's. */
static const struct {
	int		 error;
	const char	*code, *text;
	bool		 is_ours;	/* and not the client's: the operator hears of it */
} failures[] = {
	{ ENOENT, "NONEXISTENT", "there is no such mailbox", false },
	{ ESTALE, "NONEXISTENT", "the mailbox is no longer there", false },
	{ EEXIST, "ALREADYEXISTS", "there is one of that name", false },
	{ EACCES, "NOPERM", "not permitted", true },
	{ EPERM, "NOPERM", "not permitted", true },
	{ EROFS, "NOPERM", "the mailbox is read-only", true },
	{ EDQUOT, "OVERQUOTA", "over quota", false },
	{ EINVAL, "CANNOT", "that name cannot be used", false },
	{ ENAMETOOLONG, "CANNOT", "that name is too long", false },
	{ EBUSY, "INUSE", "it is in use", false },
	{ ETIMEDOUT, "INUSE", "somebody keeps it locked", true },
	{ ENOSPC, "UNAVAILABLE", "the disk is full", true },
	{ EFBIG, "LIMIT", "more than can be kept", true },
	{ EMSGSIZE, "LIMIT", "too much for one command", false },
	{ ENOMEM, "UNAVAILABLE", "not enough memory", true },
	{ EMFILE, "UNAVAILABLE", "too many open files", true },
	{ ENFILE, "UNAVAILABLE", "too many open files", true },
};

static void
log_failure(const struct session *s, const struct command *c,
    const char *what, int error)
{
	char	user[LOG_SAFE_MAX];

	log_warn("command user=%s name=\"%.*s\" what=\"%s\" why=\"%s\"",
	    log_safe(user, sizeof(user), str_from(s->user)),
	    STR_ARG(c->name), what, strerror(error));
}

void
command_failed(struct session *s, struct command *c, const char *what)
{
	int	error = errno;
	size_t	i;

	for (i = 0; i < nitems(failures); i++)
		if (failures[i].error == error)
			break;
	/* what ends with the session is said at its end */
	if ((i == nitems(failures) || failures[i].is_ours) &&
	    !(error == ECANCELED && s->end != NULL))
		log_failure(s, c, what, error);
	if (i < nitems(failures))
		command_no(c, failures[i].code, "%s", failures[i].text);
	else
		command_no(c, "SERVERBUG", "cannot %s: %s", what,
		    strerror(error));
}

bool
command_end(struct command *c)
{
	if (cur_done(&c->args) && !c->literal_open)
		return true;
	command_bad(c, "wrong arguments");
	return false;
}

bool
session_utf8(const struct session *s)
{
	return session_enabled(s, ENABLED_UTF8 | ENABLED_REV2);
}

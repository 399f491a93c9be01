/*
 * common/proc/login.c - a front's side of a login. Runs in workers that talk
 * to the network; auth is trusted, but may be gone or busy: it holds the
 * answers to a guesser back.
 */
#include "common/proc/login.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

/* Held back twice, a token asked for elsewhere, a session started. */
#define LOGIN_TIMEOUT	150000

void
login_init(struct login *l, const char *path)
{
	*l = (struct login){ .path = path, .fd = -1 };
	buf_init(&l->question, MSG_MAX);
	buf_init(&l->answer, MSG_MAX);
}

void
login_end(struct login *l)
{
	const char	*path = l->path;

	fdio_close(&l->fd);
	buf_wipe(&l->question);
	buf_wipe(&l->answer);
	explicit_bzero(l, sizeof(*l));
	login_init(l, path);
}

static enum login_result
broken(struct login *l)
{
	int	saved = errno;

	fdio_close(&l->fd);
	l->broken = true;
	strlcpy(l->text, "temporary failure", sizeof(l->text));
	errno = saved;
	return LOGIN_TEMP;
}

static enum login_result
take_answer(struct login *l)
{
	struct str	rec = buf_view(&l->answer);
	char		verb[16];

	if (!record_gets(rec, AUTH_VERB, verb, sizeof(verb)))
		verb[0] = '\0';
	l->has_data = record_get(rec, AUTH_DATA, &l->data);
	if (!record_gets(rec, AUTH_KIND, l->kind, sizeof(l->kind)))
		l->kind[0] = '\0';
	if (!record_gets(rec, AUTH_TEXT, l->text, sizeof(l->text)))
		l->text[0] = '\0';
	if (strcmp(verb, "more") == 0)
		return LOGIN_MORE;
	if (strcmp(verb, "ok") == 0) {
		/* the answer to "take" has none */
		if (l->user[0] != '\0' || record_gets(rec, AUTH_USER, l->user,
		    sizeof(l->user)))
			return LOGIN_OK;
	} else if (strcmp(verb, "fail") == 0)
		return LOGIN_FAIL;
	else if (strcmp(verb, "temp") == 0)
		return LOGIN_TEMP;
	errno = EPROTO;
	return broken(l);
}

static enum login_result
ask(struct login *l, const struct msg_fds *fds)
{
	int	r = -1;

	l->broken = false;
	if (!buf_ok(&l->question))
		errno = EMSGSIZE;
	else if (l->fd != -1 || (l->fd = msg_connect(l->path)) != -1)
		r = msg_call(l->fd, &l->question, fds, &l->answer, NULL,
		    LOGIN_TIMEOUT);
	buf_wipe(&l->question);
	return r == -1 ? broken(l) : take_answer(l);
}

/* A fact that there is. */
static void
put(struct buf *rec, char tag, struct str value)
{
	if (value.n > 0)
		record_put(rec, tag, value);
}

/* Each try has a connection of its own: auth may have been restarted since the last one. */
static void
begin(struct login *l, const char *verb, const struct login_facts *f)
{
	struct buf	*q = &l->question;

	fdio_close(&l->fd);
	l->user[0] = '\0';
	record_puts(q, AUTH_VERB, verb);
	record_puts(q, AUTH_SERVICE, f->service);
	record_puts(q, AUTH_CLIENT, f->client);
	put(q, AUTH_LOCAL, str_from(f->local));
	put(q, AUTH_TLS, str_from(f->tls));
	put(q, AUTH_EXPORTER, f->exporter);
	put(q, AUTH_END_POINT, f->end_point);
	put(q, AUTH_CERT, f->certificate);
}

enum login_result
login_password(struct login *l, const struct login_facts *f, struct str user,
    struct str pass)
{
	begin(l, "login", f);
	record_put(&l->question, AUTH_USER, user);
	record_put(&l->question, AUTH_PASS, pass);
	return ask(l, NULL);
}

enum login_result
login_sasl(struct login *l, const struct login_facts *f, struct str mechanism,
    const struct str *initial)
{
	begin(l, "sasl", f);
	record_put(&l->question, AUTH_MECHANISM, mechanism);
	if (initial != NULL)
		record_put(&l->question, AUTH_RESPONSE, *initial);
	return ask(l, NULL);
}

enum login_result
login_step(struct login *l, struct str response)
{
	record_puts(&l->question, AUTH_VERB, "step");
	record_put(&l->question, AUTH_RESPONSE, response);
	return ask(l, NULL);
}

void
login_cancel(struct login *l)
{
	record_puts(&l->question, AUTH_VERB, "cancel");
	(void)ask(l, NULL);
	login_end(l);
}

enum login_result
login_take(struct login *l, int fd, struct str pending)
{
	struct msg_fds	fds = { .fd = { fd }, .n = 1 };

	record_puts(&l->question, AUTH_VERB, "take");
	record_put(&l->question, AUTH_PENDING, pending);
	if (l->note != NULL)
		record_puts(&l->question, AUTH_NOTE, l->note);
	return ask(l, &fds);
}

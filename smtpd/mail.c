/* smtpd/mail.c - MAIL (RFC 5321 4.1.1.2): the beginning of a transaction. */
#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "smtpd/session.h"

/* Is there room for what it says it will send? (RFC 1870 6.1) */
static bool
has_room(struct session *s, unsigned long long size)
{
	struct statvfs	fs;

	if (fstatvfs(s->d->spool.tmp, &fs) == -1)
		return true;	/* the write will tell */
	return size / (fs.f_frsize == 0 ? 1 : fs.f_frsize) < fs.f_bavail;
}

static bool
within_limits(struct session *s, const struct mail_args *m, struct bad *b)
{
	const struct smtp_settings	*set = &s->set->smtp;

	if (m->has_size && m->size > (unsigned long long)set->message_size)
		*b = (struct bad){ 552, "5.3.4",
		    "message is larger than the limit" };
	else if (m->has_size && !has_room(s, m->size))
		*b = (struct bad){ 452, "4.3.1", "insufficient system storage" };
	else if (!server_rate_ok(s->peer->client, 'm',
	    (unsigned)set->client_message_rate))
		*b = (struct bad){ 450, "4.7.1",
		    "too many messages, try again later" };
	else
		return true;
	log_info("refused code=%u status=%s size=%llu client=%s helo=%s "
	    "why=\"%s\"", b->code, b->status, m->size, s->client, s->helo,
	    b->text);
	return false;
}

static int
keep(struct session *s, const struct mail_args *m)
{
	struct buf	text;
	int		r = 0;

	buf_init(&text, ADDR_MAX);
	if (m->from.local.n > 0)
		r = path_format(&m->from, &text);
	if (r == 0)
		r = arena_dup(&s->tx.mem, buf_view(&text), &s->tx.sender);
	if (r == 0)
		r = arena_dup(&s->tx.mem, m->envid, &s->tx.envid);
	buf_free(&text);
	s->tx.options = m->options;
	return r;
}

/* Where nobody can log in, AUTH= is a parameter that does not exist. */
static bool
is_known(const struct session *s, const struct mail_args *m, struct bad *b)
{
	if (!m->has_auth || auth_offered(s))
		return true;
	*b = (struct bad){ 555, "5.5.4", "parameter not recognized" };
	return false;
}

enum state
cmd_mail(struct session *s, struct cur *in)
{
	struct mail_args	m;
	struct bad		b;

	if (auth_missing(s))
		return S_IDLE;
	if (!args_mail(in, &m, &b) || !is_known(s, &m, &b) ||
	    !within_limits(s, &m, &b)) {
		reply(s, b.code, b.status, "%s", b.text);
		return S_IDLE;
	}
	if (keep(s, &m) == -1) {
		log_error("mail why=\"%s\"", strerror(errno));
		reply(s, 451, "4.3.0", "local error in processing");
		return S_IDLE;
	}
	if (!user_owns_sender(s, s->tx.sender) ||
	    !user_take(s, ALLOWANCE_MESSAGES))
		return S_IDLE;
	reply(s, 250, "2.1.0", "sender ok");
	return S_MAIL;
}

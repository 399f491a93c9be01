/*
 * queue/brake_notice.c - the postmaster and the user are told that the user's
 * mail is held, once: why, what of, and what to do. What is shown of messages
 * came from outside and stays on its line.
 */
#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/dsn.h"
#include "common/fmt/header.h"
#include "common/fmt/path.h"
#include "queue/brake.h"
#include "queue/letter.h"

#define ORIGIN		"brake"
#define TEXT_MAX	32768u
#define HEADER_MAX	65536u	/* looked at for a subject */
#define SHOWN_MAX	200u	/* bytes of an address or a subject */

static void
put_line(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, "    %s", name);
	dsn_clean(out, value, true, SHOWN_MAX);
	buf_adds(out, "\r\n");
}

static void
put_subject(int fd, const struct envelope *env, struct buf *out)
{
	struct header_field	f;
	struct buf		head, text;
	ssize_t			got = -1;
	size_t			n = env->content_len < (off_t)HEADER_MAX ?
				    (size_t)env->content_len : HEADER_MAX;

	buf_init(&head, HEADER_MAX + 1);
	buf_init(&text, HEADER_MAX);
	if (buf_reserve(&head, n + 1) == 0)
		got = fdio_pread(fd, head.p, n, env->content_at);
	if (got > 0 && header_find((struct str){ head.p, (size_t)got },
	    "Subject", &f) && header_unfold(f.body, &text) == 0)
		put_line(out, "Subject: ", buf_view(&text));
	buf_free(&head);
	buf_free(&text);
}

/* One that is gone again is no news. */
static void
put_sample(const struct queue *q, struct id id, struct buf *out)
{
	struct envelope	env;
	struct diag	why;
	struct buf	to;
	int		fd;

	if ((fd = spool_file(&q->spool, SPOOL_HOLD, id, false)) == -1)
		return;
	if (envelope_load(fd, &env, &why) == 0) {
		buf_addf(out, "\r\n    Id:      %s\r\n    Arrived: ", env.id);
		dsn_date(out, env.arrival_ms / 1000);
		buf_adds(out, "\r\n");
		if (env.client.n > 0)
			put_line(out, "Client:  ", env.client);
		put_line(out, "From:    ", env.sender);
		buf_init(&to, 4096);
		buf_addstr(&to, env.rcpts[0].addr);
		if (env.nrcpts > 1)
			buf_addf(&to, ", and %zu more", env.nrcpts - 1);
		put_line(out, "To:      ", buf_view(&to));
		put_subject(fd, &env, out);
		buf_free(&to);
		envelope_free(&env);
	}
	fdio_close(&fd);
}

static void
put_header(const struct queue *q, const struct letter *l, struct str name,
    struct buf *out)
{
	const char	*host = q->settings->hostname;

	buf_addf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
	    "To: <", host);
	dsn_clean(out, l->to, true, ADDR_MAX);
	buf_adds(out, ">\r\nSubject: Mail of ");
	dsn_clean(out, name, false, SHOWN_MAX);
	buf_adds(out, " is held\r\nDate: ");
	dsn_date(out, now_real_ms() / 1000);
	buf_addf(out, "\r\nMessage-ID: <%s@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n", l->id, host);
}

static void
put_why(const struct queue *q, const struct brake_record *r, struct buf *out)
{
	buf_addf(out, "This is the mail system of %s.\r\n\r\nMail of the "
	    "account ", q->settings->hostname);
	dsn_clean(out, r->name, true, SHOWN_MAX);
	buf_adds(out, " is held since\r\n");
	dsn_date(out, r->since / 1000);
	buf_adds(out, ". It had sent\r\n");
	brake_reason(r, out);
	buf_adds(out, ".\r\n\r\nThat is far more than is usual for it, as "
	    "it is when somebody else has got its\r\npassword. What it "
	    "sends now is accepted, and held until the postmaster has had\r\n"
	    "a look.\r\n");
}

static void
put_advice(const struct queue *q, const struct brake_record *r, bool user,
    struct buf *out)
{
	if (user) {
		buf_addf(out, "\r\nIf you have sent it, ask postmaster@%s to "
		    "let it go on. If not, change your\r\npassword now, and "
		    "tell him.\r\n", q->settings->hostname);
		return;
	}
	buf_adds(out, "\r\nIf the mail is right, let it go on, and so much of "
	    "it be usual:\r\n\r\n    postq release -u ");
	dsn_clean(out, r->name, true, SHOWN_MAX);
	buf_adds(out, "\r\n\r\nIf it is not, change the password, then throw "
	    "it away:\r\n\r\n    postq drop -u ");
	dsn_clean(out, r->name, true, SHOWN_MAX);
	buf_adds(out, "\r\n\r\nBoth take the brake off. All of it shows\r\n\r\n"
	    "    mailq -u ");
	dsn_clean(out, r->name, true, SHOWN_MAX);
	buf_adds(out, "\r\n");
}

static int
tell_one(struct queue *q, const struct brake_record *r, struct str to,
    bool user)
{
	struct letter	l = { .origin = ORIGIN, .to = to,
			    .options = ENV_8BITMIME };
	struct buf	text;
	struct str	part;
	char		safe[LOG_SAFE_MAX], of[ID_SIZE];
	size_t		i;
	int		ret = -1;

	letter_id(l.id);
	strlcpy(of, l.id, sizeof(of));
	if (r->nsamples > 0)
		id_format(r->samples[0], of);
	for (i = 0; i < to.n; i++)
		if ((unsigned char)to.p[i] > 127)
			l.options |= ENV_SMTPUTF8;
	buf_init(&text, TEXT_MAX);
	put_header(q, &l, r->name, &text);
	put_why(q, r, &text);
	if (r->nsamples > 0)
		buf_adds(&text, "\r\nThe first of what is held:\r\n");
	for (i = 0; i < r->nsamples; i++)
		put_sample(q, r->samples[i], &text);
	put_advice(q, r, user, &text);
	part = buf_view(&text);
	if (buf_ok(&text) && (ret = letter_send(q, &l, &part, 1)) == 0)
		log_info("report id=%s kind=brake of=%s to=%s nrcpts=1", l.id,
		    of, log_safe(safe, sizeof(safe), to));
	buf_free(&text);
	return ret;
}

/* A local program's number is nobody's address. */
static bool
user_address(const struct queue *q, struct str name, struct buf *out)
{
	const struct setting_list *d = &q->settings->domains;
	struct cur	c;
	struct path	p;

	if (str_starts_nocase(name, STR("uid=")))
		return false;
	buf_addstr(out, name);
	if (memchr(name.p, '@', name.n) == NULL)
		buf_addf(out, "@%s", d->n > 0 ? d->items[0].text :
		    q->settings->hostname);
	c = cur_from(buf_view(out));
	return buf_ok(out) && path_mailbox(&c, PATH_UTF8, false, &p) &&
	    cur_done(&c);
}

int
brake_tell(struct queue *q, const struct brake_record *r)
{
	struct buf	user, postmaster;
	int		ret = -1;

	buf_init(&user, ADDR_MAX);
	buf_init(&postmaster, ADDR_MAX);
	if (letter_postmaster(q->settings, &postmaster) == 0 &&
	    (ret = tell_one(q, r, buf_view(&postmaster), false)) == 0 &&
	    user_address(q, r->name, &user))
		ret = tell_one(q, r, buf_view(&user), true);
	buf_free(&user);
	buf_free(&postmaster);
	return ret;
}

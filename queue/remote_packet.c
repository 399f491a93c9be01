/* queue/remote_packet.c - what queue and remote say to each other; pure. */
#include <string.h>

#include "common/fmt/esmtp.h"
#include "common/fmt/final.h"
#include "common/fmt/record.h"
#include "common/proc/proto_remote.h"
#include "queue/remotes.h"

#define FIELD_MAX	24u	/* tag, length, ends */
#define HOST_MAX	400u
#define TLS_MAX		200u
#define TEXT_MAX	1000u

size_t
remote_packet_size(const struct envelope_rcpt *r, struct str addr)
{
	return addr.n + r->orcpt.n + 5 * FIELD_MAX + sizeof("SUCCESS,FAILURE,"
	    "DELAY");
}

size_t
remote_packet_head(const struct envelope *env, const struct hop *hop)
{
	return hop->rec.n + env->sender.n + env->envid.n + 12 * FIELD_MAX +
	    ID_SIZE + 64;
}

static void
put_notify(unsigned notify, struct buf *out)
{
	static const struct {
		unsigned	 bit;
		const char	*name;
	} names[] = {
		{ NOTIFY_NEVER, "NEVER" }, { NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" }, { NOTIFY_DELAY, "DELAY" }
	};
	char	text[64] = "";
	size_t	i;

	for (i = 0; i < nitems(names); i++) {
		if (!(notify & names[i].bit))
			continue;
		if (text[0] != '\0')
			strlcat(text, ",", sizeof(text));
		strlcat(text, names[i].name, sizeof(text));
	}
	if (text[0] != '\0')
		record_puts(out, RCPT_NOTIFY, text);
}

static void
put_rcpt(const struct task *t, struct buf *out)
{
	const struct envelope_rcpt	*r = &t->m->env.rcpts[t->rcpt];
	struct final			 f;
	struct buf			 rec;

	buf_init(&rec, MSG_MAX);
	record_putu(&rec, RCPT_NUMBER, t->rcpt);
	if (final_decode(t->finals[0], &f))
		record_put(&rec, RCPT_ADDR, f.arg);
	if (r->orcpt.n > 0)
		record_put(&rec, RCPT_ORCPT, r->orcpt);
	put_notify(r->notify, &rec);
	if (buf_ok(&rec))
		record_put(out, REMOTE_RCPT, buf_view(&rec));
	else
		out->bad = true;
	buf_free(&rec);
}

void
remote_packet_put(const struct job *j, struct buf *out)
{
	const struct envelope	*env = &j->m->env;
	const struct task	*t;

	record_puts(out, REMOTE_VERB, "deliver");
	record_puts(out, REMOTE_ID, env->id);
	record_putu(out, REMOTE_OFFSET, (uint64_t)env->content_at);
	record_putu(out, REMOTE_LENGTH, (uint64_t)env->content_len);
	record_put(out, REMOTE_SENDER, env->sender);
	record_puts(out, REMOTE_BODY,
	    env->options & ENV_8BITMIME ? "8bitmime" : "");
	if (env->options & ENV_SMTPUTF8)
		record_puts(out, REMOTE_UTF8, "");
	if (env->options & (ENV_RET_FULL | ENV_RET_HDRS))
		record_puts(out, REMOTE_RET,
		    env->options & ENV_RET_HDRS ? "HDRS" : "FULL");
	if (env->envid.n > 0)
		record_put(out, REMOTE_ENVID, env->envid);
	record_put(out, REMOTE_HOP, j->hop->rec);
	TAILQ_FOREACH(t, &j->tasks, link)
		put_rcpt(t, out);
}

static struct str
get(struct str rec, char tag, size_t max)
{
	struct str	s;

	if (!record_get(rec, tag, &s))
		return STR("");
	if (s.n > max)
		s.n = max;
	return s;
}

bool
remote_packet_result(struct str rec, uint64_t *rcpt, struct verdict *v)
{
	struct str	any;

	*v = (struct verdict){ .remote = true };
	if (!record_getu(rec, REMOTE_NUMBER, ENVELOPE_RCPTS, rcpt) ||
	    !record_gets(rec, REMOTE_STATUS, v->status, sizeof(v->status)) ||
	    (v->status[0] != '2' && v->status[0] != '4' &&
	    v->status[0] != '5'))
		return false;
	v->text = get(rec, REMOTE_TEXT, TEXT_MAX);
	v->host = get(rec, REMOTE_HOST, HOST_MAX);
	v->tls = get(rec, REMOTE_TLS, TLS_MAX);
	v->dsn = record_get(rec, REMOTE_DSN, &any);
	v->said = record_get(rec, REMOTE_SAID, &any);
	return true;
}

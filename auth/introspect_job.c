/*
 * auth/introspect_job.c - RFC 7662 2. Runs as ph-token; auth is trusted with
 * the tokens it sends, the provider with its answers, within bounds.
 */
#include "auth/introspect_job.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "auth/claims.h"
#include "auth/introspect.h"
#include "auth/introspect_cache.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/form.h"
#include "common/fmt/record.h"
#include "common/proc/msg.h"

#define RETRY_MS	200
#define SEND_MS		1000	/* how long auth may take to read */
#define FORM_MAX	(FORM_LEN(INTROSPECT_TOKEN_MAX) + 64u)

struct question {
	TAILQ_ENTRY(question)	 link;
	struct introspect	*all;
	struct http_question	*http;
	uint64_t		 id;
	char			 hex[DIGEST_HEX + 1];
	struct buf		 form;		/* to be asked again after a reload */
};
TAILQ_HEAD(question_list, question);

struct introspect {
	struct event_base		*base;
	const char			*path;
	int				 fd;	/* of auth, -1 */
	struct event			*readable, *retry;
	struct http			*http;
	const struct token_settings	*settings;
	struct cache			*cache;
	struct question_list		 questions;
	size_t				 n;
	struct buf			 rec;
	bool				 complained;
	unsigned long long		 asked, cached, good, refused, failed;
};

static void	answered(void *, long, const char *, struct str);

static void
question_free(struct question *q)
{
	TAILQ_REMOVE(&q->all->questions, q, link);
	q->all->n--;
	if (q->http != NULL)
		http_cancel(&q->http);
	buf_wipe(&q->form);
	explicit_bzero(q, sizeof(*q));
	free(q);
}

/* All that auth wanted to know it will ask again. */
static void
disconnect(struct introspect *in)
{
	struct timeval	 tv = { 0, RETRY_MS * 1000 };
	struct question	*q;

	while ((q = TAILQ_FIRST(&in->questions)) != NULL)
		question_free(q);
	if (in->readable != NULL)
		event_free(in->readable);
	in->readable = NULL;
	fdio_close(&in->fd);
	(void)event_add(in->retry, &tv);
}

static int
send_packet(struct introspect *in, const struct buf *rec)
{
	int	r = -1;

	if (buf_ok(rec) && (r = msg_send(in->fd, rec, NULL)) == -1 &&
	    errno == EAGAIN &&
	    fdio_wait(in->fd, POLLOUT, now_ms() + SEND_MS) == 0)
		r = msg_send(in->fd, rec, NULL);
	if (r == -1)
		disconnect(in);
	return r;
}

static void
begin_answer(struct buf *rec, const char *verb, uint64_t id)
{
	buf_init(rec, MSG_MAX);
	record_puts(rec, INTROSPECT_VERB, verb);
	record_putu(rec, INTROSPECT_NUMBER, id);
}

static void
say_good(struct introspect *in, uint64_t id, const struct claims *c)
{
	struct buf	rec;

	in->good++;
	begin_answer(&rec, "good", id);
	record_puts(&rec, INTROSPECT_USER, c->user);
	if (c->id[0] != '\0')
		record_puts(&rec, INTROSPECT_ID, c->id);
	(void)send_packet(in, &rec);
	buf_free(&rec);
}

static void
say_refused(struct introspect *in, uint64_t id, const struct refusal *r)
{
	struct buf	rec;

	in->refused++;
	begin_answer(&rec, "refused", id);
	record_putu(&rec, INTROSPECT_ERROR, r->error);
	record_puts(&rec, INTROSPECT_WHY, r->why);
	(void)send_packet(in, &rec);
	buf_free(&rec);
}

static void
say_temporary(struct introspect *in, uint64_t id, const char *why)
{
	struct buf	rec;

	in->failed++;
	begin_answer(&rec, "temp", id);
	record_puts(&rec, INTROSPECT_WHY, why);
	(void)send_packet(in, &rec);
	buf_free(&rec);
}

/* Until it expires, and not longer than is configured: it may be revoked before. */
static void
keep(struct introspect *in, const char hex[DIGEST_HEX + 1],
    const struct claims *c, int64_t now)
{
	int64_t	until = now + in->settings->introspection_cache / 1000;

	if (c->expires != 0 && c->expires < until)
		until = c->expires;
	if (until > now)
		cache_put(in->cache, hex, c, until);
}

/* Once, until it works again: each login would say so otherwise. */
static void
complain(struct introspect *in, long status, const char *error)
{
	char	safe[LOG_SAFE_MAX];

	if (in->complained)
		return;
	in->complained = true;
	if (status != 0)
		log_error("introspection status=%ld why=\"%s\"", status,
		    status == 401 || status == 403 ?
		    "the provider does not accept "
		    "auth.introspection-credentials" :
		    "expected status 200, and JSON that says active");
	else
		log_error("introspection why=%s", log_safe(safe, sizeof(safe),
		    str_from(error)));
}

/* The question must be gone before auth is told: that may disconnect. */
static void
answered(void *arg, long status, const char *error, struct str body)
{
	struct question		*q = arg;
	struct introspect	*in = q->all;
	uint64_t		 id = q->id;
	int64_t			 now = now_real().tv_sec;
	struct claims		 c;
	struct refusal		 r;
	char			 hex[DIGEST_HEX + 1];

	memcpy(hex, q->hex, sizeof(hex));
	q->http = NULL;		/* frees itself */
	question_free(q);
	if (status != 200 || !claims_is_answer(body)) {
		complain(in, status, error);
		say_temporary(in, id, status == 0 ?
		    "the provider cannot be asked" :
		    "the provider's answer is none");
		return;
	}
	if (in->complained)
		log_info("introspection why=\"works again\"");
	in->complained = false;
	if (!claims_check(body, CLAIMS_INTROSPECTED, in->settings, now, &c, &r))
		say_refused(in, id, &r);
	else {
		keep(in, hex, &c, now);
		say_good(in, id, &c);
	}
	explicit_bzero(&c, sizeof(c));
}

static void
ask(struct introspect *in, struct question *q)
{
	uint64_t	id = q->id;

	in->asked++;
	q->http = http_post(in->http, buf_view(&q->form), answered, q);
	if (q->http != NULL)
		return;
	question_free(q);
	say_temporary(in, id, "out of memory");
}

static void
new_question(struct introspect *in, uint64_t id, struct str token,
    const char hex[DIGEST_HEX + 1])
{
	struct question	*q;

	if (in->n >= INTROSPECT_ASKED_MAX ||
	    (q = calloc(1, sizeof(*q))) == NULL) {
		say_temporary(in, id, "too many tokens at a time");
		return;
	}
	q->all = in;
	q->id = id;
	memcpy(q->hex, hex, sizeof(q->hex));
	TAILQ_INSERT_TAIL(&in->questions, q, link);
	in->n++;
	/* whole at once: no copy of a smaller buffer stays behind */
	buf_init(&q->form, FORM_MAX);
	if (buf_reserve(&q->form, FORM_LEN(token.n) + 64) == 0) {
		buf_adds(&q->form, "token=");
		form_encode(&q->form, token);
		buf_adds(&q->form, "&token_type_hint=access_token");
	} else
		q->form.bad = true;
	if (buf_ok(&q->form))
		ask(in, q);
	else {
		question_free(q);
		say_temporary(in, id, "out of memory");
	}
}

static void
token(struct introspect *in, uint64_t id, struct str text)
{
	struct claims	c;
	char		hex[DIGEST_HEX + 1];

	if (digest_text(text, hex) == -1)
		say_temporary(in, id, "out of memory");
	else if (cache_get(in->cache, hex, now_real().tv_sec, &c)) {
		in->cached++;
		say_good(in, id, &c);
	} else
		new_question(in, id, text, hex);
}

static void
cancel(struct introspect *in, uint64_t id)
{
	struct question	*q;

	TAILQ_FOREACH(q, &in->questions, link)
		if (q->id == id) {
			question_free(q);
			return;
		}
}

static int
packet(struct introspect *in, struct str rec)
{
	struct str	verb, text;
	uint64_t	id;

	if (!record_ok(rec) || !record_get(rec, INTROSPECT_VERB, &verb) ||
	    !record_getu(rec, INTROSPECT_NUMBER, UINT64_MAX, &id))
		return -1;
	if (str_eq(verb, STR("cancel")))
		cancel(in, id);
	else if (str_eq(verb, STR("token")) &&
	    record_get(rec, INTROSPECT_TOKEN, &text) && text.n > 0 &&
	    text.n <= INTROSPECT_TOKEN_MAX)
		token(in, id, text);
	else
		return -1;
	return 0;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct introspect	*in = arg;
	int			 r;

	(void)what;
	r = msg_recv(fd, &in->rec, NULL);
	if (r == -1 && (errno == EAGAIN || errno == ENOMEM))
		return;
	if (r != 1)
		disconnect(in);
	else if (packet(in, buf_view(&in->rec)) == -1) {
		log_error("auth why=\"malformed packet\"");
		disconnect(in);
	}
	if (in->rec.p != NULL)
		explicit_bzero(in->rec.p, in->rec.cap);
}

static void
connect_now(evutil_socket_t none, short what, void *arg)
{
	struct introspect	*in = arg;
	struct timeval		 tv = { 0, RETRY_MS * 1000 };
	struct buf		 rec;

	(void)none;
	(void)what;
	if ((in->fd = msg_connect_now(in->path)) != -1)
		in->readable = event_new(in->base, in->fd,
		    EV_READ | EV_PERSIST, readable, in);
	if (in->readable == NULL || event_add(in->readable, NULL) == -1) {
		fdio_close(&in->fd);
		(void)event_add(in->retry, &tv);
		return;
	}
	buf_init(&rec, 64);
	record_puts(&rec, INTROSPECT_VERB, "hello");
	(void)send_packet(in, &rec);
	buf_free(&rec);
}

int
introspect_new(struct introspect **out, struct event_base *base,
    const char *path, struct diag *why)
{
	static const struct timeval	 now = { 0, 0 };
	struct introspect		*in;

	if ((in = *out = calloc(1, sizeof(*in))) == NULL)
		return diag_errno(why, "questions");
	in->fd = -1;
	in->base = base;
	in->path = path;
	TAILQ_INIT(&in->questions);
	buf_init(&in->rec, MSG_MAX);
	in->cache = cache_new();
	in->retry = evtimer_new(base, connect_now, in);
	/* at once: it is wiped after each packet */
	if (in->cache == NULL || in->retry == NULL ||
	    buf_reserve(&in->rec, MSG_MAX) == -1 ||
	    event_add(in->retry, &now) == -1) {
		introspect_free(out);
		return diag_set(why, "questions: out of memory");
	}
	return 0;
}

static struct question *
not_asked(const struct introspect *in)
{
	struct question	*q;

	TAILQ_FOREACH(q, &in->questions, link)
		if (q->http == NULL)
			break;
	return q;
}

/* A question that cannot be asked is gone, and may take all others along. */
void
introspect_use(struct introspect *in, struct http *http,
    const struct token_settings *settings)
{
	struct question	*q;

	TAILQ_FOREACH(q, &in->questions, link)
		if (q->http != NULL)
			http_cancel(&q->http);
	in->http = http;
	in->settings = settings;
	in->complained = false;
	cache_clear(in->cache);
	while ((q = not_asked(in)) != NULL)
		ask(in, q);
}

void
introspect_free(struct introspect **ip)
{
	struct introspect	*in = *ip;

	if (in == NULL)
		return;
	if (in->retry != NULL) {
		disconnect(in);
		event_free(in->retry);
	}
	cache_free(&in->cache);
	buf_wipe(&in->rec);
	free(in);
	*ip = NULL;
}

void
introspect_status(const struct introspect *in, char *dst, size_t size)
{
	snprintf(dst, size, "waiting=%zu asked=%llu cached=%llu good=%llu "
	    "refused=%llu temporary=%llu", in->n, in->asked, in->cached,
	    in->good, in->refused, in->failed);
}


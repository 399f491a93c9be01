/*
 * auth/token_link.c - auth's side of its talk with introspect, which talks to
 * the network: what it says is read as carefully as what a front says.
 */
#include <string.h>

#include "auth/token_impl.h"
#include "common/base/log.h"
#include "common/fmt/cur.h"
#include "common/fmt/record.h"
#include "common/proc/service.h"

#define PEERS_MAX	4	/* one, and those before it that have not gone yet */

static int
send_packet(struct tokens *t, const char *verb, const struct token_check *c)
{
	struct buf	rec;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, INTROSPECT_VERB, verb);
	record_putu(&rec, INTROSPECT_NUMBER, c->id);
	if (c->token.n > 0)
		record_put(&rec, INTROSPECT_TOKEN, buf_view(&c->token));
	if (buf_ok(&rec))
		r = peer_send(t->introspect, &rec);
	buf_wipe(&rec);
	return r;
}

/* Whoever does not read is dropped, which gone() hears of. */
static void
lost(struct tokens *t)
{
	struct peer	*p = t->introspect;

	t->introspect = NULL;
	peer_drop(p);
}

void
token_link_ask(struct token_check *c)
{
	c->state = CHECK_WAITING;
	if (c->all->introspect == NULL)
		return;
	if (send_packet(c->all, "token", c) == -1)
		lost(c->all);
	else
		c->state = CHECK_ASKED;
}

void
token_link_cancel(const struct token_check *c)
{
	struct buf	rec;

	if (c->all->introspect == NULL)
		return;
	buf_init(&rec, 64);
	record_puts(&rec, INTROSPECT_VERB, "cancel");
	record_putu(&rec, INTROSPECT_NUMBER, c->id);
	if (!buf_ok(&rec) || peer_send(c->all->introspect, &rec) == -1)
		lost(c->all);
	buf_free(&rec);
}

/* A new one: the questions of the one before are asked again. */
static void
hello(struct tokens *t, struct peer *p)
{
	struct token_check	*c;

	t->introspect = p;
	TAILQ_FOREACH(c, &t->checks, link)
		if (c->state != CHECK_SETTLED)
			token_link_ask(c);
}

/* Its words go to the log. */
static void
take_why(struct token_check *c, struct str rec)
{
	size_t	i;

	if (!record_gets(rec, INTROSPECT_WHY, c->why, sizeof(c->why)))
		c->why[0] = '\0';
	for (i = 0; c->why[i] != '\0'; i++)
		if ((!is_vchar((unsigned char)c->why[i]) && c->why[i] != ' ') ||
		    c->why[i] == '"' || c->why[i] == '\\')
			c->why[i] = '?';
}

static int
good(struct token_check *c, struct str rec)
{
	char	user[TOKEN_USER_MAX + 1], id[CLAIMS_ID_MAX + 1];
	size_t	i;

	if (!record_gets(rec, INTROSPECT_USER, user, sizeof(user)))
		return -1;
	for (i = 0; user[i] != '\0'; i++)
		if ((unsigned char)user[i] < ' ' || user[i] == 0x7f)
			return -1;
	if (!record_gets(rec, INTROSPECT_ID, id, sizeof(id)))
		id[0] = '\0';
	for (i = 0; id[i] != '\0'; i++)
		if (!is_vchar((unsigned char)id[i]))
			return -1;
	token_settle_good(c, user, id);
	return 0;
}

static int
answered(struct token_check *c, struct str verb, struct str rec)
{
	uint64_t	error;

	take_why(c, rec);
	if (str_eq(verb, STR("good")))
		return good(c, rec);
	if (str_eq(verb, STR("refused"))) {
		if (!record_getu(rec, INTROSPECT_ERROR, OAUTH_INSUFFICIENT_SCOPE,
		    &error))
			return -1;
		token_settle_refused(c, (enum oauth_error)error, c->why);
		return 0;
	}
	if (!str_eq(verb, STR("temp")))
		return -1;
	token_settle_temporary(c, c->why);
	return 0;
}

static int
packet(void *arg, struct peer *p, struct buf *rec, struct msg_fds *fds)
{
	struct tokens		*t = arg;
	struct token_check	*c;
	struct str		 verb, in = buf_view(rec);
	uint64_t		 id;

	(void)fds;
	if (!record_ok(in) || !record_get(in, INTROSPECT_VERB, &verb))
		return -1;
	if (str_eq(verb, STR("hello"))) {
		hello(t, p);
		return 0;
	}
	if (p != t->introspect ||
	    !record_getu(in, INTROSPECT_NUMBER, UINT64_MAX, &id))
		return -1;
	TAILQ_FOREACH(c, &t->checks, link)
		if (c->id == id)
			break;
	/* one that nobody waits for any more */
	if (c == NULL || c->state != CHECK_ASKED)
		return 0;
	return answered(c, verb, in);
}

static void
gone(void *arg, struct peer *p)
{
	struct tokens		*t = arg;
	struct token_check	*c;

	if (t->introspect != p && t->introspect != NULL)
		return;
	t->introspect = NULL;
	TAILQ_FOREACH(c, &t->checks, link)
		if (c->state == CHECK_ASKED)
			c->state = CHECK_WAITING;
}

int
token_link_start(struct tokens *t, struct diag *why)
{
	static const struct peers_ops	ops = { packet, gone };

	if (peers_new(&t->peers, t->base, PEERS_MAX, &ops, t) == -1)
		return diag_set(why, "event loop");
	return service_listen(t->peers, "auth@introspect", 0, why);
}

void
token_link_stop(struct tokens *t)
{
	peers_free(&t->peers);
}

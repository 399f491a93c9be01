/*
 * auth/token.c - which tokens are checked how, and whose they are. A check
 * costs one or two tenths of a millisecond: it is made in the event loop, where a
 * password, a hundred times as dear, would be given to a worker. Tokens are not logged.
 */
#include "auth/token_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/bounded_json.h"
#include "auth/jwt.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/store/digest.h"

#define CHECKS_MAX	INTROSPECT_ASKED_MAX
#define MARK_HEX	8	/* digits of the token's SHA-256: to compare, not to guess from */

static void
check_free(struct token_check *c)
{
	TAILQ_REMOVE(&c->all->checks, c, link);
	c->all->n--;
	if (c->timer != NULL)
		event_free(c->timer);
	buf_wipe(&c->token);
	buf_free(&c->json);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void
count(struct tokens *t, enum token_result r)
{
	switch (r) {
	case TOKEN_GOOD:
		t->good++;
		break;
	case TOKEN_REFUSED:
		t->refused++;
		break;
	case TOKEN_TEMPORARY:
		t->temporary++;
		break;
	}
}

/* Settled: tell. Else introspect has not answered in time. */
static void
timed(evutil_socket_t fd, short what, void *arg)
{
	struct token_check	*c = arg;

	(void)fd;
	(void)what;
	if (c->state == CHECK_ASKED) {
		token_link_cancel(c);
		token_settle_temporary(c, "the provider does not answer");
	} else if (c->state == CHECK_WAITING)
		token_settle_temporary(c, "introspect is not there");
	count(c->all, c->answer.result);
	c->done(c->arg, &c->answer);
	check_free(c);
}

static void
settle(struct token_check *c, enum token_result result, const char *why)
{
	static const struct timeval	now = { 0, 0 };

	c->state = CHECK_SETTLED;
	c->answer.result = result;
	c->answer.why = why;
	buf_wipe(&c->token);
	if (event_add(c->timer, &now) == -1)	/* out of memory; it has another time already */
		log_error("tokens why=\"timer\"");
}

void
token_settle_refused(struct token_check *c, enum oauth_error error,
    const char *why)
{
	const struct token_settings	*st = &c->all->settings->token;

	buf_reset(&c->json);
	if (oauth_error_json(&c->json, c->form, error, st->scopes.n > 0 ?
	    st->scopes.items[0].text : "", st->discovery) == -1)
		buf_reset(&c->json);
	c->answer.json = buf_view(&c->json);
	settle(c, TOKEN_REFUSED, why);
}

void
token_settle_temporary(struct token_check *c, const char *why)
{
	settle(c, TOKEN_TEMPORARY, why);
}

/* Without the domain if it is one of ours. */
static struct str
local_name(const struct settings *s, const char *name)
{
	struct str	 whole = str_from(name);
	const char	*at = strrchr(name, '@');
	size_t		 i;
	bool		 ours;

	if (at == NULL)
		return whole;
	ours = strcasecmp(at + 1, s->hostname) == 0;
	for (i = 0; i < s->domains.n && !ours; i++)
		ours = strcasecmp(at + 1, s->domains.items[i].text) == 0;
	if (ours)
		whole.n = (size_t)(at - name);
	return whole;
}

void
token_settle_good(struct token_check *c, const char *user, const char *id)
{
	const struct settings	*s = c->all->settings;
	struct str		 name = local_name(s, user);

	if (*id != '\0')
		snprintf(c->answer.mark, sizeof(c->answer.mark), "jti=%s", id);
	if (name.n == 0)
		token_settle_refused(c, OAUTH_INVALID_TOKEN,
		    "the claim that names the user is no name");
	else if (c->named[0] != '\0' &&
	    !str_eq_nocase(local_name(s, c->named), name))
		token_settle_refused(c, OAUTH_INVALID_TOKEN,
		    "of another user than the client says");
	else if (str_copy(c->answer.user, sizeof(c->answer.user),
	    str_from(user)) == -1)
		token_settle_refused(c, OAUTH_INVALID_TOKEN,
		    "the claim that names the user is too long");
	else
		settle(c, TOKEN_GOOD, "");
}

static void
check_signed(struct token_check *c, struct str token)
{
	struct tokens		*t = c->all;
	const struct jwks	*keys = jwks_file_keys(t->file, now_ms());
	struct claims		 claims;
	struct refusal		 r;

	if (keys == NULL) {
		token_settle_temporary(c, "no keys to check it with");
		return;
	}
	if (jwt_check(token, keys, &t->settings->token, now_real().tv_sec,
	    &claims, &r))
		token_settle_good(c, claims.user, claims.id);
	else {
		if (claims.id[0] != '\0')
			snprintf(c->answer.mark, sizeof(c->answer.mark),
			    "jti=%s", claims.id);
		token_settle_refused(c, r.error, r.why);
	}
	explicit_bzero(&claims, sizeof(claims));
}

static void
check_asking(struct token_check *c, struct str token)
{
	struct timeval	tv;
	long long	ms;

	ms = c->all->settings->token.introspection_timeout +
	    INTROSPECT_GRACE_MS;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (token.n > INTROSPECT_TOKEN_MAX)
		token_settle_refused(c, OAUTH_INVALID_TOKEN, "too long");
	else if (buf_addstr(&c->token, token) == -1 ||
	    event_add(c->timer, &tv) == -1)
		token_settle_temporary(c, "out of memory");
	else
		token_link_ask(c);
}

static void
begin(struct token_check *c, struct str token)
{
	const struct tokens	*t = c->all;

	if (token.n == 0)
		token_settle_refused(c, OAUTH_INVALID_TOKEN,
		    "none: the client asks what it would need");
	else if (t->file != NULL && (jwt_is(token) || !t->asks))
		check_signed(c, token);
	else if (t->asks)
		check_asking(c, token);
	else
		token_settle_refused(c, OAUTH_INVALID_TOKEN,
		    "no tokens are accepted here");
}

/* "token=1a2b3c4d", until it is known by a better name. */
static int
mark(struct token_check *c, struct str token)
{
	char	hex[DIGEST_HEX + 1];

	if (digest_text(token, hex) == -1)
		return -1;
	snprintf(c->answer.mark, sizeof(c->answer.mark), "token=%.*s",
	    MARK_HEX, hex);
	explicit_bzero(hex, sizeof(hex));
	return 0;
}

struct token_check *
token_ask(struct tokens *t, const struct token_question *q, token_done *done,
    void *arg)
{
	struct token_check	*c;

	if (t->n >= CHECKS_MAX || (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->all = t;
	c->done = done;
	c->arg = arg;
	c->id = ++t->next_id;
	c->form = q->form;
	buf_init(&c->token, INTROSPECT_TOKEN_MAX);
	buf_init(&c->json, TOKEN_JSON_MAX);
	TAILQ_INSERT_TAIL(&t->checks, c, link);
	t->n++;
	if ((c->timer = evtimer_new(t->base, timed, c)) == NULL ||
	    mark(c, q->token) == -1) {
		check_free(c);
		return NULL;
	}
	if (str_copy(c->named, sizeof(c->named), q->user) == -1)
		token_settle_refused(c, OAUTH_INVALID_REQUEST,
		    "a user that is no name");
	else
		begin(c, q->token);
	return c;
}

void
token_cancel(struct token_check **cp)
{
	if ((*cp)->state == CHECK_ASKED)
		token_link_cancel(*cp);
	check_free(*cp);
	*cp = NULL;
}

int
token_open(struct tokens **out, const struct settings *s, struct diag *why)
{
	struct tokens	*t;

	if ((t = *out = calloc(1, sizeof(*t))) == NULL)
		return diag_errno(why, "tokens");
	bounded_json_seed();
	TAILQ_INIT(&t->checks);
	t->settings = s;
	t->asks = s->token.introspection_url[0] != '\0';
	if (s->token.keys[0] != '\0' &&
	    jwks_file_open(&t->file, s->token.keys, why) == -1) {
		token_free(out);
		return -1;
	}
	return 0;
}

bool
token_path(const struct tokens *t, struct sandbox_path *out)
{
	if (t->file == NULL)
		return false;
	out->path = NULL;
	out->rights = SANDBOX_READ | SANDBOX_FD(jwks_file_dir(t->file));
	return true;
}

int
token_start(struct tokens *t, struct event_base *base, struct diag *why)
{
	t->base = base;
	if (t->file != NULL)
		(void)jwks_file_keys(t->file, now_ms());
	return t->asks ? token_link_start(t, why) : 0;
}

int
token_reload(struct tokens *t, const struct settings *s)
{
	const char	*old = t->settings->token.keys;

	if (strcmp(old, s->token.keys) != 0 ||
	    t->asks != (s->token.introspection_url[0] != '\0'))
		return -1;
	if (t->file != NULL)
		jwks_file_path(t->file, s->token.keys);
	t->settings = s;
	return 0;
}

bool
token_offered(const struct tokens *t)
{
	return t->file != NULL || t->asks;
}

void
token_status(const struct tokens *t, char *dst, size_t size)
{
	size_t	n = strnlen(dst, size);

	if (token_offered(t))
		snprintf(dst + n, size - n, " tokens=%llu tokens-refused=%llu "
		    "tokens-temporary=%llu", t->good, t->refused, t->temporary);
}

void
token_free(struct tokens **tp)
{
	struct tokens		*t = *tp;
	struct token_check	*c;

	if (t == NULL)
		return;
	while ((c = TAILQ_FIRST(&t->checks)) != NULL)
		check_free(c);
	token_link_stop(t);
	jwks_file_close(&t->file);
	free(t);
	*tp = NULL;
}

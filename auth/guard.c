/* auth/guard.c - against guessing: what auth.deny, auth.allow and the failures so far say of a login. */
#include "auth/guard.h"

#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "common/base/log.h"
#include "common/base/now.h"

#define HELD_FROM	3	/* so many failures of a client: its next tries wait */
#define STRANGERS_FROM	100	/* so many failures with a name: strangers wait */
#define PAIR_MAX	(ADDR_TEXT_SIZE + AUTH_USER_MAX + 2)

/* The user as it is known here, else as it was said. */
static const char *
name_of(const struct job *j)
{
	return j->known ? j->user.name : j->sasl.user;
}

static struct str
user_of(const struct job *j, char out[AUTH_USER_MAX + 1])
{
	if (str_lower(out, AUTH_USER_MAX + 1, str_from(name_of(j))) == -1)
		out[0] = '\0';
	return str_from(out);
}

static struct str
pair_of(const struct job *j, char out[PAIR_MAX])
{
	char	user[AUTH_USER_MAX + 1];

	(void)user_of(j, user);
	snprintf(out, PAIR_MAX, "%s\n%s", j->facts.unit, user);
	return str_from(out);
}

static struct backoff_limits
limits(const struct job *j, enum backoff_kind kind)
{
	const struct settings	*s = j->auth->settings;

	struct backoff_limits	 lim = { 0, s->auth_block_time };

	if (kind == BACKOFF_PAIR)
		lim.failures = s->auth_failures;
	else if (kind == BACKOFF_CLIENT)
		lim.failures = s->auth_client_failures;
	return lim;
}

static unsigned
failures(const struct job *j, enum backoff_kind kind, struct str key)
{
	struct backoff_limits	lim = limits(j, kind);

	return backoff_failures(&j->auth->backoff, kind, key, &lim, now_ms());
}

/* True if one of the pairs "network service" is about this client; *any: one is about the service. */
static bool
listed(const struct setting_list *l, const struct job *j, bool *any)
{
	struct network	n;
	bool		found = false;
	size_t		i;

	*any = false;
	for (i = 0; i < l->n; i++) {
		if (strcmp(l->items[i].more, "*") != 0 &&
		    strcmp(l->items[i].more, j->facts.service) != 0)
			continue;
		*any = true;
		found |= network_parse(str_from(l->items[i].text), &n) == 0 &&
		    network_has(&n, &j->facts.addr);
	}
	return found;
}

const char *
guard_client(const struct job *j, const char **why)
{
	const struct settings	*s = j->auth->settings;
	bool			 any;

	*why = "auth.deny";
	if (listed(&s->auth_deny, j, &any))
		return AUTH_DENIED;
	*why = "auth.allow";
	if (!listed(&s->auth_allow, j, &any) && any)
		return AUTH_DENIED;
	*why = "the client is blocked";
	return backoff_blocked(&j->auth->backoff, BACKOFF_CLIENT,
	    str_from(j->facts.unit), now_ms()) ? AUTH_BLOCKED : NULL;
}

const char *
guard_user(const struct job *j, const char **why)
{
	char	pair[PAIR_MAX];

	*why = "the client is blocked for this user";
	return backoff_blocked(&j->auth->backoff, BACKOFF_PAIR,
	    pair_of(j, pair), now_ms()) ? AUTH_BLOCKED : NULL;
}

/*
 * A stranger who fails with somebody's name everywhere makes strangers wait,
 * and one who fails with all names those beside him; but nobody from where he
 * has logged in before.
 */
int64_t
guard_hold(const struct job *j)
{
	const struct settings	*s = j->auth->settings;
	char			 pair[PAIR_MAX], user[AUTH_USER_MAX + 1];
	unsigned		 n;

	if (backoff_is_known(&j->auth->backoff, pair_of(j, pair), now_ms()))
		return 0;
	if (s->auth_client_failures > 0 && s->auth_delay > 0 &&
	    failures(j, BACKOFF_USER, user_of(j, user)) >= STRANGERS_FROM)
		return BACKOFF_MAX;
	n = failures(j, BACKOFF_CLIENT, str_from(j->facts.unit));
	return n < HELD_FROM ? 0 :
	    backoff_delay(n - HELD_FROM + 1, s->auth_delay);
}

bool
guard_is_full(const struct job *j)
{
	long long		 most = j->auth->settings->auth_client_failures;
	long long		 left, n = 0;
	const struct job	*other;

	if (most == 0)
		return false;
	left = most - failures(j, BACKOFF_CLIENT, str_from(j->facts.unit));
	TAILQ_FOREACH(other, &j->auth->jobs, link)
		n += other != j && job_is_checked(other) &&
		    strcmp(other->facts.unit, j->facts.unit) == 0;
	return n >= (left > 1 ? left : 1);
}

static bool
count(const struct job *j, enum backoff_kind kind, struct str key, int64_t now)
{
	struct backoff_limits	lim = limits(j, kind);

	return backoff_failed(&j->auth->backoff, kind, key, &lim, now);
}

int64_t
guard_failed(const struct job *j, int64_t now)
{
	char		pair[PAIR_MAX], user[AUTH_USER_MAX + 1];
	char		client[LOG_SAFE_MAX], shown[LOG_SAFE_MAX];
	struct str	unit = str_from(j->facts.unit);
	unsigned	n, m;

	if (count(j, BACKOFF_CLIENT, unit, now))
		log_warn("blocked client=%s",
		    log_safe(client, sizeof(client), unit));
	if (count(j, BACKOFF_PAIR, pair_of(j, pair), now))
		log_warn("blocked client=%s user=%s",
		    log_safe(client, sizeof(client), unit),
		    job_shown_user(j, shown));
	(void)count(j, BACKOFF_USER, user_of(j, user), now);
	n = failures(j, BACKOFF_CLIENT, unit);
	m = failures(j, BACKOFF_PAIR, pair_of(j, pair));
	return backoff_delay(n > m ? n : m, j->auth->settings->auth_delay);
}

/*
 * What he failed with his own name is forgiven, also to the client; what the
 * client failed with other names is not: one account would be enough to go on
 * guessing for ever.
 */
void
guard_succeeded(const struct job *j)
{
	struct backoff		*b = &j->auth->backoff;
	struct backoff_limits	 client = limits(j, BACKOFF_CLIENT);
	struct backoff_limits	 both = limits(j, BACKOFF_PAIR);
	int64_t			 now = now_ms();
	char			 pair[PAIR_MAX];
	struct str		 key = pair_of(j, pair);
	unsigned		 n = failures(j, BACKOFF_PAIR, key);

	backoff_forgive(b, BACKOFF_CLIENT, str_from(j->facts.unit), &client, n,
	    now);
	backoff_forgive(b, BACKOFF_PAIR, key, &both, n, now);
	backoff_remember(b, key, now);
}

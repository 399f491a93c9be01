/* auth/job_admit.c - the verdict about a login, and its line in the log. Nobody waits for anybody else's delay. */
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/guard.h"
#include "common/base/now.h"
#include "common/fmt/cur.h"

/*
 * Some type their password where the name belongs. A name that is nobody's is
 * shown if it looks like one: an address, or letters of one kind and digits.
 */
static bool
looks_like_name(struct str s)
{
	bool	capital = false, small = false, digit = false, at = false;
	size_t	i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!is_alnum(c) && (c == '\0' || strchr("._-+@", c) == NULL))
			return false;
		capital |= c >= 'A' && c <= 'Z';
		small |= c >= 'a' && c <= 'z';
		digit |= is_digit(c);
		at |= c == '@' && i > 0 && i + 1 < s.n;
	}
	return s.n > 0 && s.n <= 64 && (at || !(capital && (small || digit)));
}

const char *
job_shown_user(const struct job *j, char out[LOG_SAFE_MAX])
{
	struct str	s = str_from(j->known ? j->user.name : j->sasl.user);

	return j->known || looks_like_name(s) ?
	    log_safe(out, LOG_SAFE_MAX, s) : "?";
}

struct shown {
	char	user[LOG_SAFE_MAX], client[LOG_SAFE_MAX], tls[LOG_SAFE_MAX];
};

static const char *
shown(char out[LOG_SAFE_MAX], const char *text)
{
	return log_safe(out, LOG_SAFE_MAX, str_from(text));
}

static void
log_failure(const struct job *j, const char *why)
{
	struct shown	s;

	log_info("login-failed service=%s user=%s client=%s mechanism=%s "
	    "tls=%s%s%s why=\"%s\"", j->facts.service,
	    job_shown_user(j, s.user),
	    shown(s.client, j->facts.client),
	    mechanism_name(j->sasl.mechanism),
	    j->facts.tls[0] == '\0' ? "none" : shown(s.tls, j->facts.tls),
	    j->mark[0] == '\0' ? "" : " ", j->mark, why);
}

int64_t
job_count_failure(struct job *j, const char *why)
{
	j->auth->failures++;
	explicit_bzero(j->sasl.pass, sizeof(j->sasl.pass));
	account_free(&j->account);
	log_failure(j, why);
	return guard_failed(j, now_ms());
}

/*
 * The answer is held back from when the question came, so that it does not
 * show how long the check took.
 */
void
job_fail(struct job *j, const char *why)
{
	int64_t	ms = job_count_failure(j, why);

	j->kind = AUTH_WRONG;
	if (job_wait(j, JOB_REFUSED, ms - (now_ms() - j->arrived)) == -1)
		job_say_fail(j, j->kind);
}

void
job_refuse(struct job *j, const char *kind, const char *why)
{
	if (strcmp(kind, AUTH_BLOCKED) == 0)
		j->auth->blocked++;
	else
		j->auth->denied++;
	log_failure(j, why);
	job_say_fail(j, kind);
}

/* The verdict of the account's own rules; NULL: he may come in. */
static const char *
admit(struct job *j, const char **why)
{
	if (!account_may(&j->account, j->facts.service, &j->facts.addr, why))
		return AUTH_DENIED;
	return j->sasl.authzid[0] == '\0' ? NULL :
	    check_other(j->auth, j, why);
}

static void
log_login(const struct job *j)
{
	struct shown	s;
	char		more[2 * LOG_SAFE_MAX] = "";

	if (j->by[0] != '\0')
		snprintf(more, sizeof(more), " by=%s", j->by);
	if (j->app[0] != '\0')
		snprintf(more + strlen(more), sizeof(more) - strlen(more),
		    " app=%s", shown(s.user, j->app));
	log_info("login service=%s user=%s client=%s mechanism=%s tls=%s%s%s%s",
	    j->facts.service, j->user.name, shown(s.client, j->facts.client),
	    mechanism_name(j->sasl.mechanism),
	    j->facts.tls[0] == '\0' ? "none" : shown(s.tls, j->facts.tls),
	    more, j->mark[0] == '\0' ? "" : " ", j->mark);
}

/* What he proves with is not needed any more. */
void
job_proven(struct job *j, struct str data)
{
	const char	*kind, *why;

	if ((long long)j->user.uid < j->auth->settings->local.min_uid) {
		/* not even that it was the right password */
		job_fail(j, "its number is below local.min-uid");
		return;
	}
	guard_succeeded(j);
	if ((kind = admit(j, &why)) != NULL) {
		j->auth->denied++;
		log_failure(j, why);
		if (j->account.nologin && j->account.reason.n > 0)
			job_say_fail_text(j, kind, j->account.reason);
		else
			job_say_fail(j, kind);
		return;
	}
	account_free(&j->account);
	j->auth->logins++;
	log_login(j);
	job_say_proven(j, data);
}

bool
job_may_check(struct job *j, void (*go)(struct job *))
{
	const char	*kind, *why;
	bool		 again = j->was_held;

	if ((kind = guard_client(j, &why)) != NULL ||
	    (kind = guard_user(j, &why)) != NULL) {
		job_refuse(j, kind, why);
		return false;
	}
	j->was_held = true;
	return !(!again && job_hold(j, guard_hold(j), go)) &&
	    !(guard_is_full(j) && job_hold(j, AUTH_FULL_MS, go));
}

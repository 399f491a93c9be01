/* auth/check.c - the sources' side of a login: whose account, whose mailbox. Runs as ph-auth. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "auth/auth.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/fmt/record.h"

#define REFRESH_MS	250

static void
refresh(struct auth *a)
{
	struct diag	why = { "" };
	int64_t		now = now_ms();

	if (now - a->refreshed < REFRESH_MS)
		return;
	a->refreshed = now;
	if (sources_refresh(a->sources, &why))
		log_info("tables-changed");
	if (why.text[0] != '\0')
		log_error("tables why=\"%s\"", why.text);
}

/* By the name as it is, then as an address here. 1, 0, -1. */
static int
find(struct auth *a, const char *user, const char *service,
    struct account *out)
{
	const struct setting_list *d = &a->settings->domains;
	char	name[AUTH_USER_MAX + 1];
	size_t	i;
	int	r;

	if (user[0] == '\0')
		return 0;
	if ((r = sources_find(a->sources, str_from(user), service, out)) != 0)
		return r;
	for (i = 0; i <= d->n; i++) {
		request_local_name(user, i < d->n ? d->items[i].text :
		    a->settings->hostname, name, sizeof(name));
		if (name[0] != '\0')
			return sources_find(a->sources, str_from(name),
			    service, out);
	}
	return 0;
}

int
check_prepare(struct auth *a, struct job *j, const char **text)
{
	int	r;

	refresh(a);
	r = find(a, j->sasl.user, j->facts.service, &j->account);
	j->known = r == 1;
	if (r == 0)	/* as much work as for somebody */
		r = sources_nobody(a->sources, &j->account);
	if (r != -1) {
		j->user = j->account.user;
		return 0;
	}
	log_error("login-impossible why=\"table of users: %s\"",
	    strerror(errno));
	*text = "temporary failure";
	return -1;
}

/* A name by which he is known himself is no other. */
static bool
is_himself(struct job *j, const struct account *other)
{
	return strcmp(j->user.name, other->user.name) == 0;
}

const char *
check_other(struct auth *a, struct job *j, const char **why)
{
	struct account	 other;
	const char	*kind = AUTH_DENIED;
	int		 r;

	account_init(&other);
	r = find(a, j->sasl.authzid, j->facts.service, &other);
	*why = "not as another";
	if (r == 1 && is_himself(j, &other))
		kind = NULL;
	else if (j->account.master && j->app[0] == '\0') {
		*why = r == 0 ? "no such user to be" : "a user of the system";
		if (r == 1 && !other.system && account_may(&other,
		    j->facts.service, &j->facts.addr, why)) {
			strlcpy(j->by, j->user.name, sizeof(j->by));
			j->user = other.user;
			kind = NULL;
		}
	}
	account_free(&other);
	return kind;
}

static bool
same_fingerprint(const char *conf, const char *hex)
{
	for (; *conf != '\0'; conf++) {
		if (*conf == ':')
			continue;
		if (tolower((unsigned char)*conf) != *hex++)
			return false;
	}
	return *hex == '\0';
}

const char *
check_certificate(const struct auth *a, const struct job *j)
{
	const struct setting_list *l = &a->settings->auth_certificates;
	size_t	i;

	for (i = 0; i < l->n; i++)
		if (same_fingerprint(l->items[i].text, j->fingerprint) &&
		    (j->sasl.authzid[0] == '\0' ||
		    strcasecmp(j->sasl.authzid, l->items[i].more) == 0))
			return l->items[i].more;
	return NULL;
}

int
check_session(struct auth *a, struct job *j, const struct request *take,
    struct buf *rec, const char **text)
{
	char		mailbox[USER_PATH_MAX + 8];
	const char	*domain;

	*text = "temporary failure";
	domain = a->settings->domains.n > 0 ?
	    a->settings->domains.items[0].text : a->settings->hostname;
	if (users_mailbox_in(&j->user, domain, a->settings->local.mailbox,
	    mailbox, sizeof(mailbox)) == -1) {
		log_error("login-impossible user=%s why=\"mailbox: %s\"",
		    j->user.name, strerror(errno));
		return -1;
	}
	buf_reset(rec);
	record_puts(rec, AUTH_VERB, "session");
	record_putu(rec, AUTH_TAG, j->id);
	record_puts(rec, AUTH_SERVICE, j->facts.service);
	record_puts(rec, AUTH_USER, j->user.name);
	record_putu(rec, AUTH_UID, j->user.uid);
	record_putu(rec, AUTH_GID, j->user.gid);
	record_puts(rec, AUTH_HOME, j->user.home);
	record_puts(rec, AUTH_MAILBOX, mailbox);
	record_putu(rec, AUTH_QUOTA, j->user.quota);
	if (j->by[0] != '\0')
		record_puts(rec, AUTH_BY, j->by);
	record_puts(rec, AUTH_CLIENT, j->facts.client);
	record_puts(rec, AUTH_LOCAL, j->facts.local);
	record_puts(rec, AUTH_TLS, j->facts.tls);
	record_put(rec, AUTH_PENDING, take->pending);
	record_puts(rec, AUTH_NOTE, take->note);
	return buf_ok(rec) ? 0 : -1;
}

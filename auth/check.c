/* auth/check.c - the tables' side of a login: which record, whose mailbox. Runs as ph-auth. */
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
	if (users_refresh(a->users, &why))
		log_info("tables-changed");
	if (why.text[0] != '\0')
		log_error("tables why=\"%s\"", why.text);
}

static int
find(struct auth *a, struct job *j, const char *name)
{
	int	r;

	if ((r = users_find(a->users, str_from(name), &j->user, NULL)) != 1)
		return r;
	return users_password(a->users, str_from(name), &j->record);
}

/* By the name as it is, then as an address here. */
static int
find_any(struct auth *a, struct job *j)
{
	const struct setting_list *d = &a->settings->domains;
	char	name[AUTH_USER_MAX + 1];
	size_t	i;
	int	r;

	if (j->sasl.user[0] == '\0')
		return 0;
	if ((r = find(a, j, j->sasl.user)) != 0)
		return r;
	for (i = 0; i <= d->n; i++) {
		request_local_name(j->sasl.user, i < d->n ? d->items[i].text :
		    a->settings->hostname, name, sizeof(name));
		if (name[0] != '\0')
			return find(a, j, name);
	}
	return 0;
}

int
check_prepare(struct auth *a, struct job *j, const char **text)
{
	int	r;

	if (a->users == NULL) {
		/* Their hashes are for root, and root reads no network. */
		log_error("login-impossible why=\"the passwords of system users "
		    "cannot be read, expected users file\"");
		*text = "logins are not possible for users of this system";
		return -1;
	}
	refresh(a);
	r = find_any(a, j);
	j->known = r == 1;
	if (r == 0)	/* as much work as for somebody */
		r = users_password(a->users, STR(""), &j->record);
	if (r != -1)
		return 0;
	log_error("login-impossible why=\"table of users: %s\"",
	    strerror(errno));
	*text = "temporary failure";
	return -1;
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
	record_puts(rec, AUTH_CLIENT, j->facts.client);
	record_puts(rec, AUTH_LOCAL, j->facts.local);
	record_puts(rec, AUTH_TLS, j->facts.tls);
	record_put(rec, AUTH_PENDING, take->pending);
	record_puts(rec, AUTH_NOTE, take->note);
	return buf_ok(rec) ? 0 : -1;
}

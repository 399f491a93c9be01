/*
 * common/store/users_entry.c - what a source may say of a user, by the names
 * that Dovecot has for it; pure. Lines of files and rows of databases go
 * through here.
 */
#include <string.h>

#include "common/base/conf.h"
#include "common/store/users.h"

#define ID_TOP		4294967294ull	/* (uid_t)-1 means nobody at all */
#define QUOTA_TOP	(UINT64_C(1) << 60)

void
users_entry_init(struct users_entry *e)
{
	const struct str	none = STR("");

	memset(e, 0, sizeof(*e));
	e->uid_name = e->gid_name = e->password = none;
	e->services = e->networks = e->reason = none;
}

/* What may stand in a path, a mail address and a log line. */
bool
users_name_ok(struct str s)
{
	size_t	i;

	if (s.n == 0 || s.n > USER_NAME_MAX || s.p[0] == '-' ||
	    s.p[0] == '.' || str_has_control(s))
		return false;
	for (i = 0; i < s.n; i++)
		if (strchr("/:|\"\\<>() ", s.p[i]) != NULL)
			return false;
	return true;
}

static const char *
set_name(struct users_entry *e, struct str s)
{
	if (users_name_ok(s) && str_lower(e->user.name, sizeof(e->user.name),
	    s) == 0)
		return NULL;
	return "bad user name, expected letters, digits and . - _ @";
}

static bool
ends_with(struct str s, const char *end)
{
	size_t	n = strlen(end);

	return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

static const char *
set_password(struct users_entry *e, struct str s)
{
	if (s.n > USER_PASSWORD_MAX || str_has_control(s))
		return "bad password, expected {SCHEME}text without control "
		    "characters";
	/* libpam-pwdfile's way to say how long it is */
	if (s.n > 0 && s.p[0] != '{' &&
	    (ends_with(s, "[13]") || ends_with(s, "[34]"))) {
		s.n -= 4;
		e->scheme = "CRYPT";
	}
	e->password = s;
	return NULL;
}

/* A number into id, anything else is a name. False: neither. */
static bool
take_id(struct str s, unsigned *id, struct str *name)
{
	unsigned long long	n = 0;
	size_t			i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			break;
	*name = STR("");
	if (i < s.n) {
		*name = s;
		return users_name_ok(s);
	}
	if (s.n > 0 && str_number(s, ID_TOP, &n) == -1)
		return false;
	*id = (unsigned)n;
	return true;
}

static const char *
set_uid(struct users_entry *e, struct str s)
{
	return take_id(s, &e->user.uid, &e->uid_name) ? NULL :
	    "bad user number, expected 1 to 4294967294 or a name";
}

static const char *
set_gid(struct users_entry *e, struct str s)
{
	return take_id(s, &e->user.gid, &e->gid_name) ? NULL :
	    "bad group number, expected 1 to 4294967294 or a name";
}

static const char *
set_home(struct users_entry *e, struct str s)
{
	if (s.n > 0 && s.p[0] == '/' && !str_has_control(s) &&
	    str_copy(e->user.home, sizeof(e->user.home), s) == 0)
		return NULL;
	return "bad home directory, expected an absolute path";
}

/* Every %x is one that users_mailbox_in knows. */
static bool
variables_ok(struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '%' && (++i == s.n ||
		    strchr("undh%", s.p[i]) == NULL))
			return false;
	return true;
}

/* Dovecot's "PATH:INDEX=...:LAYOUT=fs": the path. False: mail would lie elsewhere than in a Maildir++ there. */
static bool
without_options(struct str *path, bool mbox)
{
	struct str	 rest = *path, option;
	const char	*colon;

	if (rest.n == 0 || (colon = memchr(rest.p, ':', rest.n)) == NULL)
		return true;
	path->n = (size_t)(colon - rest.p);
	rest.n -= path->n;
	rest.p = colon;
	while (rest.n > 0) {
		option = (struct str){ rest.p + 1, rest.n - 1 };
		colon = option.n == 0 ? NULL :
		    memchr(option.p, ':', option.n);
		if (colon != NULL)
			option.n = (size_t)(colon - option.p);
		rest.p += option.n + 1;
		rest.n -= option.n + 1;
		if (str_starts_nocase(option, STR("INBOX="))) {
			option.p += 6;
			option.n -= 6;
			if (mbox)
				*path = option;
			else if (!str_eq(option, *path))
				return false;
		} else if (str_starts_nocase(option, STR("LAYOUT=")) &&
		    !str_eq_nocase(option, STR("LAYOUT=maildir++")))
			return false;
	}
	return true;
}

static const char *
set_mail(struct users_entry *e, struct str s)
{
	struct str	path = s;
	bool		mbox = str_starts_nocase(s, STR("mbox:"));
	size_t		kind = mbox ? 5 : 8;

	if (str_has_control(s) ||
	    (!mbox && !str_starts_nocase(s, STR("maildir:"))))
		return "bad mail=, expected maildir:PATH or mbox:PATH with "
		    "PATH from /, ~/ or %h/ on";
	path.p += kind;
	path.n -= kind;
	if (!without_options(&path, mbox))
		return "bad mail=, expected a Maildir++ and its INBOX in it";
	if (!str_starts_nocase(path, STR("/")) &&
	    !str_starts_nocase(path, STR("~/")) &&
	    !str_starts_nocase(path, STR("%h/")))
		return "bad mail=, expected maildir:PATH or mbox:PATH with "
		    "PATH from /, ~/ or %h/ on";
	if (!variables_ok(path))
		return "bad mail=, expected no %x but %u, %n, %d and %h";
	memcpy(e->user.mailbox, mbox ? "mbox:" : "maildir:", kind);
	if (str_copy(e->user.mailbox + kind, sizeof(e->user.mailbox) - kind,
	    path) == 0)
		return NULL;
	return "bad mail=, expected a shorter path";
}

static const char *
set_quota(struct users_entry *e, struct str s)
{
	char			text[32];
	unsigned long long	size;

	if (str_copy(text, sizeof(text), s) == -1 ||
	    conf_size(text, &size) == -1)
		return "bad quota=, expected a size such as 500M";
	e->user.quota = size;
	return NULL;
}

/* "1G", "500000" with a unit that is what they have without a letter. False: percent, negative, nonsense. */
static bool
quota_size(struct str s, unsigned long long unit, uint64_t *out)
{
	static const char	letters[] = "bkmgt";
	unsigned long long	n;
	const char		*at;

	if (s.n > 1 && (s.p[s.n - 1] | 0x20) == 'b' &&
	    strchr("kmgtKMGT", s.p[s.n - 2]) != NULL)
		s.n--;
	at = s.n == 0 ? NULL : memchr(letters, s.p[s.n - 1] | 0x20,
	    sizeof(letters) - 1);
	if (at != NULL) {
		unit = 1ull << 10 * (at - letters);
		s.n--;
	}
	if (str_number(s, QUOTA_TOP / unit, &n) == -1)
		return false;
	*out = n * unit;
	return true;
}

/* "*:storage=1G:messages=1000". Rules for other folders, and numbers of messages, are not ours. */
static const char *
set_quota_rule(struct users_entry *e, struct str s)
{
	const char	*colon;
	struct str	 limit;
	bool		 ok = true;

	if (!str_starts_nocase(s, STR("*:")))
		return NULL;
	while (ok && s.n > 0 && (colon = memchr(s.p, ':', s.n)) != NULL) {
		s.n -= (size_t)(colon + 1 - s.p);
		s.p = colon + 1;
		limit = s;
		if (s.n > 0 && (colon = memchr(s.p, ':', s.n)) != NULL)
			limit.n = (size_t)(colon - s.p);
		if (str_starts_nocase(limit, STR("storage=")))
			ok = quota_size((struct str){ limit.p + 8,
			    limit.n - 8 }, 1024, &e->user.quota);
		else if (str_starts_nocase(limit, STR("bytes=")))
			ok = quota_size((struct str){ limit.p + 6,
			    limit.n - 6 }, 1, &e->user.quota);
	}
	return ok ? NULL : "bad quota_rule=, expected *:storage=1G or the like";
}

static const char *
set_services(struct users_entry *e, struct str s)
{
	static const char *const known[] = {
		"pop3", "imap", "submission", "smtp"
	};
	struct str	rest = s, word;
	size_t		i;

	while (rest.n > 0) {
		word = rest;
		for (word.n = 0; word.n < rest.n && word.p[word.n] != ',';
		    word.n++)
			continue;
		for (i = 0; i < nitems(known); i++)
			if (str_eq(word, str_from(known[i])))
				break;
		if (i == nitems(known))
			return "bad services, expected pop3, imap, submission "
			    "and smtp with commas between them";
		rest.p += word.n + (word.n < rest.n);
		rest.n -= word.n + (word.n < rest.n);
	}
	e->services = s;
	return s.n == 0 ? "no services, expected pop3, imap, submission or "
	    "smtp" : NULL;
}

/* Whether they are networks is for who knows what these are. */
static const char *
set_networks(struct users_entry *e, struct str s)
{
	size_t	i;

	for (i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF.:/,!", s.p[i]) == NULL &&
		    !str_eq(s, STR("local")))
			break;
	if (s.n == 0 || i < s.n || s.n > USER_LIST_MAX)
		return "bad allow_nets=, expected networks such as "
		    "192.0.2.0/24 with commas between them";
	e->networks = s;
	return NULL;
}

/* A word alone, "=y", or 1. */
static bool
is_yes(struct str s)
{
	return s.n == 0 || str_eq_nocase(s, STR("y")) ||
	    str_eq_nocase(s, STR("yes")) || str_eq(s, STR("1"));
}

static const char *
set_master(struct users_entry *e, struct str s)
{
	e->master = is_yes(s);
	return NULL;
}

static const char *
set_any(struct users_entry *e, struct str s)
{
	e->any = is_yes(s);
	return NULL;
}

/* Dovecot looks at nothing but that it is there. */
static const char *
set_nologin(struct users_entry *e, struct str s)
{
	e->nologin = !str_eq(s, STR("0"));
	return NULL;
}

static const char *
set_reason(struct users_entry *e, struct str s)
{
	e->reason = s;
	return str_has_control(s) ? "bad reason=, expected a text" : NULL;
}

static const struct {
	const char	*key;
	const char	*(*set)(struct users_entry *, struct str);
} setters[] = {
	{ "name", set_name }, { "password", set_password },
	{ "uid", set_uid }, { "gid", set_gid }, { "home", set_home },
	{ "mail", set_mail }, { "quota", set_quota },
	{ "quota_rule", set_quota_rule }, { "services", set_services },
	{ "allow_nets", set_networks }, { "master", set_master },
	{ "nopassword", set_any }, { "nologin", set_nologin },
	{ "reason", set_reason },
};

const char *
users_entry_set(struct users_entry *e, struct str key, struct str value,
    bool *known)
{
	size_t	i;

	*known = true;
	for (i = 0; i < nitems(setters); i++)
		if (str_eq(key, str_from(setters[i].key)))
			return setters[i].set(e, value);
	*known = false;
	return NULL;
}

const char *
users_entry_add_app(struct users_entry *e, struct str name,
    struct str services, struct str record)
{
	struct str	 own = e->services;
	const char	*what = NULL;
	size_t		 i;

	if (!users_name_ok(name) || name.n > USER_APP_MAX)
		return "bad name of an application password, expected at most "
		    "32 letters, digits and . - _";
	for (i = 0; i < e->napps; i++)
		if (str_eq_nocase(e->apps[i].name, name))
			return "this application password is there already, "
			    "expected it once";
	if (e->napps == USER_APPS_MAX)
		return "too many application passwords, expected at most 32";
	if (services.n > 0)
		what = set_services(e, services);
	e->services = own;
	if (what == NULL && (record.n == 0 || record.n > USER_PASSWORD_MAX ||
	    str_has_control(record)))
		what = "bad application password, expected "
		    "NAME:SERVICES:{SCHEME}text";
	if (what == NULL)
		e->apps[e->napps++] = (struct users_app){ name, services,
		    record };
	return what;
}

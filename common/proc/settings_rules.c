/* common/proc/settings_rules.c - what a word of posthouse.conf(5) may look like. */
#include "common/proc/settings_impl.h"

#include <string.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "common/net/addr.h"
#include "common/proc/mechanisms.h"

static bool
domain_ok(const char *s)
{
	struct cur	c = cur_from(str_from(s));
	struct str	domain;

	return *s != '[' && path_domain(&c, PATH_UTF8, &domain) && cur_done(&c);
}

static bool
user_ok(const char *s)
{
	const char	*p;

	if (*s == '\0' || *s == '-' || strlen(s) > 128)
		return false;
	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f ||
		    strchr("/:|\"\\<>()", *p) != NULL)
			return false;
	return true;
}

static bool
path_ok(const char *s)
{
	return *s == '/' && strlen(s) < 1024;
}

static bool
network_ok(const char *s)
{
	struct network	net;

	return network_parse(str_from(s), &net) == 0;
}

static bool
listen_ok(const char *s)
{
	struct addr	addr;

	return addr_parse_listen(s, &addr) == 0 && addr.port != 0;
}

static bool
log_ok(const char *s)
{
	return strcmp(s, "syslog") == 0 || strcmp(s, "stderr") == 0 ||
	    (strncmp(s, "file:", 5) == 0 && path_ok(s + 5));
}

static const struct {
	const char	*name;
	enum log_level	 level;
} levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warn", LOG_LEVEL_WARN },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG }
};

static bool
level_ok(const char *s)
{
	size_t	i;

	for (i = 0; i < nitems(levels); i++)
		if (strcmp(s, levels[i].name) == 0)
			return true;
	return false;
}

enum log_level
settings_log_level(const struct settings *s)
{
	size_t	i;

	for (i = 0; i < nitems(levels); i++)
		if (strcmp(s->log_level, levels[i].name) == 0)
			return levels[i].level;
	return LOG_LEVEL_INFO;
}

static bool
durability_ok(const char *s)
{
	return strcmp(s, "auto") == 0 || strcmp(s, "strict") == 0;
}

static bool
mailbox_ok(const char *s)
{
	const char	*at = strchr(s, ':');

	if (strncmp(s, "maildir:", 8) != 0 && strncmp(s, "mbox:", 5) != 0)
		return false;
	at++;
	return *at == '/' || (*at == '~' && at[1] == '/') ||
	    strncmp(at, "%h/", 3) == 0;
}

/* It must not be able to begin a name or to divide an address. */
static bool
separator_ok(const char *s)
{
	return *s == '\0' || (s[1] == '\0' && strchr("+-=_#~.", *s) != NULL);
}

static bool
line_ok(const char *s)
{
	return !str_has_control(str_from(s));
}

static bool
cleartext_ok(const char *s)
{
	return strcmp(s, "yes") == 0 || strcmp(s, "no") == 0 ||
	    strcmp(s, "loopback") == 0;
}

/* RFC 2449, 6.7: days */
static bool
expire_ok(const char *s)
{
	unsigned long long	days;

	return strcmp(s, "never") == 0 ||
	    str_number(str_from(s), 36500, &days) == 0;
}

static bool
mechanism_name_ok(const char *s)
{
	enum mechanism	m;

	return mechanism_find(str_from(s), &m);
}

static bool
senders_ok(const char *s)
{
	return strcmp(s, "own") == 0 || strcmp(s, "table") == 0 ||
	    strcmp(s, "any") == 0;
}

static bool
scheme_ok(const char *s)
{
	size_t	n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n < 32 && s[n] == '\0';
}

/* A number or a name; where it means nobody, none. */
static bool
owner_ok(const char *s)
{
	return *s == '\0' || (user_ok(s) && strcmp(s, "root") != 0 &&
	    strspn(s, "0") != strlen(s));
}

static bool
home_ok(const char *s)
{
	const char	*p;

	if (*s == '\0')
		return true;
	for (p = strchr(s, '%'); p != NULL; p = strchr(p + 2, '%'))
		if (p[1] == '\0' || strchr("und%", p[1]) == NULL)
			return false;
	return path_ok(s) && line_ok(s);
}

static bool
brake_ok(const char *s)
{
	return strcmp(s, "yes") == 0 || strcmp(s, "watch") == 0 ||
	    strcmp(s, "no") == 0;
}

const struct setting_rule rule_domain = { domain_ok, "a domain name" };
const struct setting_rule rule_user = { user_ok, "a user name" };
const struct setting_rule rule_path = { path_ok, "an absolute path" };
const struct setting_rule rule_network = {
	network_ok, "an address or network such as 192.0.2.0/24 or 2001:db8::/32"
};
const struct setting_rule rule_listen = {
	listen_ok, "ADDRESS:PORT such as 127.0.0.1:25, [::1]:25 or *:25"
};
const struct setting_rule rule_log = { log_ok, "file:/PATH, syslog or stderr" };
const struct setting_rule rule_level = {
	level_ok, "error, warn, info or debug"
};
const struct setting_rule rule_durability = { durability_ok, "auto or strict" };
const struct setting_rule rule_mailbox = {
	mailbox_ok, "maildir:PATH or mbox:PATH, with PATH from /, ~/ or %h/ on"
};
const struct setting_rule rule_separator = {
	separator_ok, "one character of + - = _ # ~ . or \"\" for none"
};
const struct setting_rule rule_line = { line_ok, "text without control characters" };
const struct setting_rule rule_cleartext = {
	cleartext_ok, "yes, no or loopback"
};
const struct setting_rule rule_expire = {
	expire_ok, "never, or a number of days up to 36500"
};
const struct setting_rule rule_mechanism = {
	mechanism_name_ok, "PLAIN, LOGIN, SCRAM-SHA-1, SCRAM-SHA-256, "
	"SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS, EXTERNAL, OAUTHBEARER or XOAUTH2"
};
const struct setting_rule rule_brake = { brake_ok, "yes, watch or no" };
const struct setting_rule rule_senders = { senders_ok, "own, table or any" };
const struct setting_rule rule_scheme = {
	scheme_ok, "a scheme of passwords such as SHA512-CRYPT or SSHA256"
};
const struct setting_rule rule_owner = {
	owner_ok, "a name or a number, not root's"
};
const struct setting_rule rule_home = {
	home_ok, "an absolute path, with %u, %n and %d for the name and its parts"
};

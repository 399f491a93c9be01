/* common/proc/settings_remote.c - what a word of posthouse.conf(5) about other hosts may look like. */
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "common/net/addr.h"
#include "common/proc/settings_impl.h"

#define TARGET_LEN	512u	/* of a target, so that it fits in a record many times */

static bool
ip_ok(const char *s)
{
	struct addr	addr;

	return strchr(s, '/') == NULL && addr_parse(str_from(s), &addr) == 0;
}

/* With a port; without one it is 53. */
static bool
server_ok(const char *s)
{
	struct addr	addr;

	return ip_ok(s) || (*s != '*' && addr_parse_listen(s, &addr) == 0 &&
	    addr.port != 0);
}

/* A name, or an address as in a target. Without brackets it would be taken for a name, and match nothing. */
static bool
host_name_ok(const char *s)
{
	char	inner[TARGET_LEN];
	size_t	n = strlen(s);

	if (*s != '[')
		return rule_domain.ok(s) && !ip_ok(s);
	if (n < 3 || n >= sizeof(inner) || s[n - 1] != ']')
		return false;
	strlcpy(inner, s + 1, n - 1);
	return ip_ok(inner);
}

static bool
pattern_ok(const char *s)
{
	if (strcmp(s, "*") == 0)
		return true;
	return rule_domain.ok(*s == '.' ? s + 1 : s);
}

/* What stands behind "smtp:": HOST or HOST:PORT, an address in brackets. */
static bool
host_port_ok(const char *s)
{
	char		 host[TARGET_LEN];
	const char	*colon = strrchr(s, ':');
	long long	 port;
	const char	*bad = NULL;

	if (strlen(s) >= sizeof(host))
		return false;
	strlcpy(host, s, sizeof(host));
	if (colon != NULL && (*s != '[' || colon[-1] == ']')) {
		port = strtonum(colon + 1, 1, 65535, &bad);
		if (bad != NULL || port == 0 || colon == s)
			return false;
		host[colon - s] = '\0';
	}
	return *host == '[' ? host_name_ok(host) : rule_domain.ok(host);
}

static bool
target_ok(const char *s)
{
	if (strcmp(s, "smtp") == 0)
		return true;
	if (strncmp(s, "mx:", 3) == 0)
		return rule_domain.ok(s + 3);
	if (strncmp(s, "smtp:", 5) == 0)
		return host_port_ok(s + 5);
	if (strncmp(s, "smtps:", 6) == 0)
		return host_port_ok(s + 6);
	if (strncmp(s, "lmtp:/", 6) == 0)
		return rule_path.ok(s + 5) && strlen(s) < 108;
	if (strncmp(s, "lmtp:", 5) == 0)
		return host_port_ok(s + 5);
	return strcmp(s, "none") == 0;
}

static bool
tls_ok(const char *s)
{
	return strcmp(s, "off") == 0 || strcmp(s, "opportunistic") == 0 ||
	    strcmp(s, "required") == 0 || strcmp(s, "verified") == 0;
}

static bool
count_ok(const char *s)
{
	const char	*bad = NULL;

	(void)strtonum(s, 1, 1000000, &bad);
	return bad == NULL;
}

static bool
family_ok(const char *s)
{
	return strcmp(s, "both") == 0 || strcmp(s, "ipv4") == 0 ||
	    strcmp(s, "ipv6") == 0;
}

static bool
path_or_none(const char *s)
{
	return *s == '\0' || rule_path.ok(s);
}

static bool
domain_or_none(const char *s)
{
	return *s == '\0' || rule_domain.ok(s);
}

static bool
tls_version_ok(const char *s)
{
	return strcmp(s, "1.2") == 0 || strcmp(s, "1.3") == 0;
}

const struct setting_rule rule_tls_version = { tls_version_ok, "1.2 or 1.3" };
const struct setting_rule rule_server = {
	server_ok, "ADDRESS or ADDRESS:PORT such as 127.0.0.1:53 or [::1]:53"
};
const struct setting_rule rule_host = {
	host_name_ok, "a host name, or an address in brackets such as [192.0.2.1]"
};
const struct setting_rule rule_pattern = {
	pattern_ok, "a domain, .domain for those below it, or *"
};
const struct setting_rule rule_target = {
	target_ok, "smtp, mx:DOMAIN, smtp:HOST[:PORT], smtps:HOST[:PORT], "
	    "lmtp:HOST:PORT, lmtp:/PATH or none"
};
const struct setting_rule rule_tls = {
	tls_ok, "off, opportunistic, required or verified"
};
const struct setting_rule rule_ip = { ip_ok, "an IP address" };
const struct setting_rule rule_count = { count_ok, "a number from 1 to 1000000" };
const struct setting_rule rule_family = { family_ok, "both, ipv4 or ipv6" };
const struct setting_rule rule_path_or_none = {
	path_or_none, "an absolute path or \"\""
};
const struct setting_rule rule_domain_or_none = {
	domain_or_none, "a domain name or \"\""
};

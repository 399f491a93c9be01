/* common/proc/settings_auth.c - what a word of posthouse.conf(5) about logins may look like. */
#include <string.h>

#include "common/base/attr.h"
#include "common/proc/settings_impl.h"

static bool
service_ok(const char *s)
{
	static const char *const names[] = { "*", "pop3", "imap", "submission",
	    "smtp" };
	size_t			 i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(s, names[i]) == 0)
			return true;
	return false;
}

/* A SHA-256 in hexadecimal, with or without colons between the bytes, as openssl x509 -fingerprint shows it. */
static bool
fingerprint_ok(const char *s)
{
	size_t	i, n = 0;

	for (i = 0; s[i] != '\0'; i++) {
		if (strchr("0123456789abcdefABCDEF", s[i]) != NULL)
			n++;
		else if (s[i] != ':' || n == 0 || n % 2 != 0)
			return false;
	}
	return n == 64 && s[i - 1] != ':';
}

/* One that no name has. */
static bool
master_separator_ok(const char *s)
{
	return *s == '\0' || (s[1] == '\0' && strchr("*%!#/:", *s) != NULL);
}

const struct setting_rule rule_master_separator = {
	master_separator_ok, "one character of * % ! # / : or \"\" for none"
};
const struct setting_rule rule_service = {
	service_ok, "pop3, imap, submission, smtp or * for all of them"
};
const struct setting_rule rule_fingerprint = {
	fingerprint_ok, "a certificate's SHA-256 in hexadecimal"
};

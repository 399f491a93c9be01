/* common/proc/settings_imap.c - what the words of posthouse.conf(5) about IMAP may look like, and together. */
#include <string.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/proc/settings_impl.h"

/* RFC 2971, 3.3 */
#define ID_PAIRS	30
#define ID_FIELD	30
#define ID_VALUE	1024
/* RFC 9738 */
#define MESSAGES_LEAST	1000

static bool
separator_ok(const char *s)
{
	return strcmp(s, ".") == 0 || strcmp(s, "/") == 0;
}

static bool
prefix_ok(const char *s)
{
	return *s == '\0' || strcmp(s, "INBOX.") == 0 ||
	    strcmp(s, "INBOX/") == 0;
}

const struct setting_rule rule_imap_separator = { separator_ok, ". or /" };
const struct setting_rule rule_imap_prefix = {
	prefix_ok, "\"\" for none, INBOX. or INBOX/"
};

static const char *
id_mistake(const struct setting_list *id)
{
	size_t	i;

	if (id->n % 2 != 0)
		return "imap.id has a field without a value, expected pairs "
		    "of field and value";
	if (id->n / 2 > ID_PAIRS)
		return "imap.id has too many fields, expected at most 30";
	for (i = 0; i < id->n; i++)
		if (strlen(id->items[i].text) >
		    (i % 2 == 0 ? ID_FIELD : ID_VALUE))
			return "imap.id is too long, expected fields of 30 "
			    "and values of 1024 octets at the most";
	return NULL;
}

void
setting_imap_check(const struct settings *s, struct setting_report *report)
{
	const struct imap_settings	*imap = &s->imap;
	const char			*mistake = id_mistake(&imap->id);
	struct diag			 why = { "" };

	if (mistake != NULL) {
		diag_at(&why, imap->id.items[0].file, imap->id.items[0].line,
		    1, "%s", mistake);
		setting_mistake(report, &why);
	}
	/* RFC 9738, 3 */
	if (imap->message_limit > 0 && imap->message_limit < MESSAGES_LEAST) {
		diag_set(&why, "imap.message-limit %lld is too small, "
		    "expected 0 for none, or at least 1000",
		    imap->message_limit);
		setting_mistake(report, &why);
	}
	if (imap->prefix[0] != '\0' &&
	    imap->prefix[strlen(imap->prefix) - 1] != imap->separator[0]) {
		diag_set(&why, "imap.prefix %s does not end in imap.separator "
		    "%s, expected the same", imap->prefix, imap->separator);
		setting_mistake(report, &why);
	}
}

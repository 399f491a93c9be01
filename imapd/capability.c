/* imapd/capability.c - what is announced. */
#include "imapd/capability.h"

static const char before[] = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE";
static const char after[] = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE UNSELECT CONDSTORE QRESYNC";

int
capability_front(struct buf *out, const struct settings *set,
    const struct mechanism_facts *facts, bool starttls)
{
	(void)set;
	(void)facts;
	return buf_addf(out, "%s%s", before, starttls ? " STARTTLS" : "");
}

int
capability_session(struct buf *out, const struct settings *set,
    bool compressed)
{
	(void)set;
	(void)compressed;
	return buf_adds(out, after);
}

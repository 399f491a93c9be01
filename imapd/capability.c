/*
 * imapd/capability.c - what is announced; one table for both lists. A row
 * comes with the commit by which all of it works. Linked into front and
 * session.
 */
#include "imapd/capability.h"

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/cur.h"

#define FRONT	1u	/* before the login */
#define SESSION	2u	/* after it */
#define BOTH	(FRONT | SESSION)

static const struct {
	const char	*name;
	unsigned	 when;
} table[] = {
	{ "IMAP4rev1", BOTH },
	{ "LITERAL+", BOTH },		/* RFC 7888 */
	{ "ID", BOTH },			/* RFC 2971 */
	{ "ENABLE", BOTH },		/* RFC 5161 */
	{ "SASL-IR", FRONT },		/* RFC 4959 */
	{ "UNSELECT", SESSION },	/* RFC 3691 */
	{ "CONDSTORE", SESSION },	/* RFC 7162 */
	{ "QRESYNC", SESSION },
};

static void
put_rows(struct buf *out, unsigned when)
{
	const char	*blank = "";
	size_t		 i;

	for (i = 0; i < nitems(table); i++)
		if ((table[i].when & when) != 0) {
			buf_addf(out, "%s%s", blank, table[i].name);
			blank = " ";
		}
}

int
capability_front(struct buf *out, const struct settings *set,
    const struct mechanism_facts *facts, bool starttls)
{
	char		names[MECHANISMS_TEXT_SIZE];
	struct cur	in;
	struct str	one;

	put_rows(out, FRONT);
	if (starttls)
		buf_adds(out, " STARTTLS");
	/* RFC 3501, 6.2.3 */
	if (!mechanism_ok(set, facts, MECHANISM_NONE))
		buf_adds(out, " LOGINDISABLED");
	in = cur_from(str_from(mechanisms_text(set, facts, names)));
	while (cur_span(&in, is_vchar, cur_left(&in), &one)) {
		buf_addf(out, " AUTH=%.*s", STR_ARG(one));
		(void)cur_byte(&in, ' ');
	}
	return buf_ok(out) ? 0 : -1;
}

int
capability_session(struct buf *out, const struct settings *set,
    bool compressed)
{
	(void)set, (void)compressed;
	put_rows(out, SESSION);
	return buf_ok(out) ? 0 : -1;
}

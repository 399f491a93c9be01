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
	{ "IMAP4rev1", BOTH },	/* RFC 3501 */
	{ "IMAP4rev2", BOTH },	/* RFC 9051 */
	{ "LITERAL+", BOTH },	/* RFC 7888 */
	{ "ID", BOTH },	/* RFC 2971 */
	{ "ENABLE", BOTH },	/* RFC 5161 */
	{ "SASL-IR", FRONT },	/* RFC 4959 */
	{ "IDLE", SESSION },	/* RFC 2177 */
	{ "NAMESPACE", SESSION },	/* RFC 2342 */
	{ "UIDPLUS", SESSION },	/* RFC 4315 */
	{ "UNSELECT", SESSION },	/* RFC 3691 */
	{ "CHILDREN", SESSION },	/* RFC 3348 */
	{ "MOVE", SESSION },	/* RFC 6851 */
	{ "CONDSTORE", SESSION },	/* RFC 7162 */
	{ "QRESYNC", SESSION },
	{ "ESEARCH", SESSION },	/* RFC 4731 */
	{ "SEARCHRES", SESSION },	/* RFC 5182 */
	{ "SORT", SESSION },	/* RFC 5256 */
	{ "SORT=DISPLAY", SESSION },	/* RFC 5957 */
	{ "ESORT", SESSION },	/* RFC 5267 */
	{ "THREAD=ORDEREDSUBJECT", SESSION },
	{ "THREAD=REFERENCES", SESSION },
	{ "THREAD=REFS", SESSION },
	{ "WITHIN", SESSION },	/* RFC 5032 */
	{ "PARTIAL", SESSION },	/* RFC 9394 */
	{ "CONTEXT=SEARCH", SESSION },
	{ "CONTEXT=SORT", SESSION },
	{ "MULTISEARCH", SESSION },	/* RFC 7377 */
	{ "I18NLEVEL=1", SESSION },	/* RFC 5255 */
	{ "LIST-EXTENDED", SESSION },	/* RFC 5258 */
	{ "LIST-STATUS", SESSION },	/* RFC 5819 */
	{ "LIST-MYRIGHTS", SESSION },	/* RFC 8440 */
	{ "LIST-METADATA", SESSION },	/* RFC 9590 */
	{ "SPECIAL-USE", SESSION },	/* RFC 6154 */
	{ "CREATE-SPECIAL-USE", SESSION },
	{ "STATUS=SIZE", SESSION },	/* RFC 8438 */
	{ "STATUS=DELETED", SESSION },	/* RFC 9051 */
	{ "MULTIAPPEND", SESSION },	/* RFC 3502 */
	{ "CATENATE", SESSION },	/* RFC 4469 */
	{ "URL-PARTIAL", SESSION },	/* RFC 5550 */
	{ "REPLACE", SESSION },	/* RFC 8508 */
	{ "BINARY", SESSION },	/* RFC 3516 */
	{ "QUOTA", SESSION },	/* RFC 9208 */
	{ "QUOTA=RES-STORAGE", SESSION },
	{ "QUOTA=RES-MESSAGE", SESSION },
	{ "METADATA", SESSION },	/* RFC 5464 */
	{ "ACL", SESSION },	/* RFC 4314 */
	{ "RIGHTS=texk", SESSION },
	{ "NOTIFY", SESSION },	/* RFC 5465 */
	{ "OBJECTID", SESSION },	/* RFC 8474 */
	{ "SAVEDATE", SESSION },	/* RFC 8514 */
	{ "PREVIEW", SESSION },	/* RFC 8970 */
	{ "UTF8=ACCEPT", SESSION },	/* RFC 6855 */
	{ "UIDONLY", SESSION },	/* RFC 9586 */
	{ "UIDBATCHES", SESSION },	/* RFC 10022 */
	{ "INPROGRESS", SESSION },	/* RFC 9585 */
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
    const struct capability_facts *facts)
{
	put_rows(out, SESSION);
	buf_addf(out, " APPENDLIMIT=%lld", set->imap.append_limit);
	if (set->imap.message_limit > 0)	/* RFC 9738 3: one of the two */
		buf_addf(out, " MESSAGELIMIT=%lld", set->imap.message_limit);
	else
		buf_addf(out, " SAVELIMIT=%lld", set->imap.save_limit);
	/* RFC 9208, 3.1.3: only to those who may */
	if (facts->by_master)
		buf_adds(out, " QUOTASET");
	/* RFC 4978, 3: no longer offered once it is active */
	if (!facts->compressed)
		buf_adds(out, " COMPRESS=DEFLATE");
	if (facts->may_go_back)	/* RFC 8437 */
		buf_adds(out, " UNAUTHENTICATE");
	return buf_ok(out) ? 0 : -1;
}

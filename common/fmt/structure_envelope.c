/*
 * common/fmt/structure_envelope.c - ENVELOPE of a header (RFC 3501 7.4.2); pure. The RFC does not know fields that are there more than
 * once: all their addresses count, and of the others the last, as with Dovecot.
 */
#include <string.h>

#include "common/fmt/header.h"
#include "common/fmt/structure.h"
#include "common/fmt/structure_impl.h"

enum { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, FIELDS };

static bool
has_addresses(size_t i)
{
	return i >= FROM && i <= BCC;
}

static void
find_fields(struct str header, struct structure_field found[FIELDS])
{
	static const struct str	names[FIELDS] = {
		[DATE] = STR("date"), [SUBJECT] = STR("subject"),
		[FROM] = STR("from"), [SENDER] = STR("sender"),
		[REPLY_TO] = STR("reply-to"), [TO] = STR("to"),
		[CC] = STR("cc"), [BCC] = STR("bcc"),
		[IN_REPLY_TO] = STR("in-reply-to"),
		[MESSAGE_ID] = STR("message-id")
	};
	struct header_field	f;
	struct cur		c = cur_from(header);
	size_t			i;

	memset(found, 0, FIELDS * sizeof(*found));
	while (header_next_any(&c, &f)) {
		for (i = 0; i < FIELDS; i++)
			if (f.name.n == names[i].n &&
			    str_eq_nocase(f.name, names[i]))
				break;
		if (i == FIELDS)
			continue;
		if (has_addresses(i) && found[i].body.p != NULL)
			found[i].again = true;
		else
			found[i] = (struct structure_field){ .name = names[i],
			    .body = header_trim(f.body), .rest = c };
	}
}

/* What was written at from, once more. */
static void
put_again(struct buf *b, size_t from, size_t to)
{
	if (buf_reserve(b, to - from) == 0) {
		memcpy(b->p + b->n, b->p + from, to - from);
		b->n += to - from;
	}
}

/* One that is not there, or says nothing, is as From. */
static void
put_or_from(struct buf *b, const struct structure_field *f, size_t from,
    size_t to)
{
	const size_t	at = b->n;

	structure_put_addresses(b, f);
	if (b->n - at == 3 && memcmp(b->p + at, "NIL", 3) == 0) {
		b->n = at;
		put_again(b, from, to);
	}
}

int
envelope_put(struct buf *b, struct str header)
{
	struct structure_field	f[FIELDS];
	size_t			from, to;

	find_fields(header.n == 0 ? STR("") : header, f);
	buf_addc(b, '(');
	structure_put_nstring(b, f[DATE].body);
	buf_addc(b, ' ');
	if (f[SUBJECT].body.p == NULL)
		buf_adds(b, "NIL");
	else
		structure_put_text(b, f[SUBJECT].body);
	buf_addc(b, ' ');
	from = b->n;
	structure_put_addresses(b, &f[FROM]);
	to = b->n;
	buf_addc(b, ' ');
	put_or_from(b, &f[SENDER], from, to);
	buf_addc(b, ' ');
	put_or_from(b, &f[REPLY_TO], from, to);
	buf_addc(b, ' ');
	structure_put_addresses(b, &f[TO]);
	buf_addc(b, ' ');
	structure_put_addresses(b, &f[CC]);
	buf_addc(b, ' ');
	structure_put_addresses(b, &f[BCC]);
	buf_addc(b, ' ');
	structure_put_nstring(b, f[IN_REPLY_TO].body);
	buf_addc(b, ' ');
	structure_put_nstring(b, f[MESSAGE_ID].body);
	buf_addc(b, ')');
	return buf_ok(b) ? 0 : -1;
}

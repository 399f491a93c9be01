/* common/fmt/structure_envelope.c - ENVELOPE of a header (RFC 3501 7.4.2); pure. Of a field that is there more than once the first counts. */
#include <string.h>

#include "common/fmt/header.h"
#include "common/fmt/structure.h"
#include "common/fmt/structure_impl.h"

enum { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO, MESSAGE_ID, FIELDS };

static void
find_fields(struct str header, struct str found[FIELDS])
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
	while (header_next_any(&c, &f))
		for (i = 0; i < FIELDS; i++)
			if (f.name.n == names[i].n &&
			    str_eq_nocase(f.name, names[i])) {
				if (found[i].p == NULL)
					found[i] = header_trim(f.body);
				break;
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
put_or_from(struct buf *b, struct str body, size_t from, size_t to)
{
	const size_t	at = b->n;

	structure_put_addresses(b, body);
	if (b->n - at == 3 && memcmp(b->p + at, "NIL", 3) == 0) {
		b->n = at;
		put_again(b, from, to);
	}
}

int
envelope_put(struct buf *b, struct str header)
{
	struct str	f[FIELDS];
	size_t		from, to;

	find_fields(header.n == 0 ? STR("") : header, f);
	buf_addc(b, '(');
	structure_put_nstring(b, f[DATE]);
	buf_addc(b, ' ');
	if (f[SUBJECT].p == NULL)
		buf_adds(b, "NIL");
	else
		structure_put_text(b, f[SUBJECT]);
	buf_addc(b, ' ');
	from = b->n;
	structure_put_addresses(b, f[FROM]);
	to = b->n;
	buf_addc(b, ' ');
	put_or_from(b, f[SENDER], from, to);
	buf_addc(b, ' ');
	put_or_from(b, f[REPLY_TO], from, to);
	buf_addc(b, ' ');
	structure_put_addresses(b, f[TO]);
	buf_addc(b, ' ');
	structure_put_addresses(b, f[CC]);
	buf_addc(b, ' ');
	structure_put_addresses(b, f[BCC]);
	buf_addc(b, ' ');
	structure_put_nstring(b, f[IN_REPLY_TO]);
	buf_addc(b, ' ');
	structure_put_nstring(b, f[MESSAGE_ID]);
	buf_addc(b, ')');
	return buf_ok(b) ? 0 : -1;
}

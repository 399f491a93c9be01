/* imapd/identify.c - who is who (RFC 2971). Linked into front and session; what the client says is kept for the log alone. */
#include "imapd/identify.h"

#include "common/fmt/imap.h"

/* RFC 2971, 3.3 */
#define FIELDS_MAX	30
#define FIELD_MAX	30
#define VALUE_MAX	1024

static void
note(struct buf *text, struct str field, struct str value)
{
	size_t	most = text->n >= IDENTIFY_TEXT ? 0 : IDENTIFY_TEXT - text->n;

	if (field.n + value.n + 2 > most)
		return;
	if (text->n > 0)
		buf_addc(text, ' ');
	buf_addf(text, "%.*s=%.*s", STR_ARG(field), STR_ARG(value));
}

bool
identify_take(struct cur *in, struct arena *a, struct buf *text)
{
	struct cur	c = *in;
	struct str	field, value;
	bool		nil;
	size_t		n;

	if (imap_nstring(&c, a, &value, &nil)) {
		if (nil)
			*in = c;
		return nil;
	}
	if (!cur_byte(&c, '('))
		return false;
	for (n = 0; !cur_byte(&c, ')'); n++) {
		if (n == FIELDS_MAX || (n > 0 && !imap_sp(&c)) ||
		    !imap_string(&c, a, &field) || !imap_sp(&c) ||
		    !imap_nstring(&c, a, &value, &nil) ||
		    field.n > FIELD_MAX || (!nil && value.n > VALUE_MAX))
			return false;
		if (!nil)
			note(text, field, value);
	}
	*in = c;
	return true;
}

int
identify_put(struct buf *out, const struct settings *set)
{
	const struct setting_list	*id = &set->imap.id;
	size_t				 i;

	if (id->n == 0)
		return buf_adds(out, "NIL");
	for (i = 0; i < id->n; i++) {
		buf_addc(out, i == 0 ? '(' : ' ');
		if (imap_put_string(out, str_from(id->items[i].text), false) ==
		    -1)
			return -1;
	}
	return buf_addc(out, ')');
}

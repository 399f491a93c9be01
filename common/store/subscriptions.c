/* common/store/subscriptions.c - which folders a user has subscribed to, as text; pure. */
#include "common/store/subscriptions.h"

#include <string.h>

#define HEAD	"V\t2\n\n"
#define INBOX	"INBOX"

enum subscriptions_form
subscriptions_form(struct cur *in)
{
	return cur_word(in, STR(HEAD)) ? SUBSCRIPTIONS_2 : SUBSCRIPTIONS_OLD;
}

/* Dovecot's escapes for what its format needs for itself. */
static bool
unescape(struct cur *c, char *out)
{
	static const char	from[] = "01tnr", to[] = "\0\001\t\n\r";
	const char		*at;

	if (cur_done(c) || (at = memchr(from, *c->p, sizeof(from) - 1)) == NULL)
		return false;
	c->p++;
	*out = to[at - from];
	return true;
}

/* Tabs become dots; a dot within a part cannot be here. */
static bool
take_name(struct str line, enum subscriptions_form form, char *name)
{
	struct cur	c = cur_from(line);
	size_t		n = 0;
	char		b;

	while (!cur_done(&c)) {
		b = *c.p++;
		if (form == SUBSCRIPTIONS_2) {
			if (b == '.' || (b == '\001' && !unescape(&c, &b)))
				return false;
			if (b == '\t' && c.p[-1] == '\t')
				b = '.';
		}
		if (n == MAILDIR_FOLDER_MAX)
			return false;
		name[n++] = b;
	}
	name[n] = '\0';
	return memchr(name, '\0', n) == NULL && maildir_folder_found(name);
}

/* A line of Courier's has "INBOX" in front of everything. */
static bool
drop_inbox(struct str *line)
{
	if (!str_starts_nocase(*line, STR(INBOX ".")))
		return str_eq_nocase(*line, STR(INBOX));
	line->p += sizeof(INBOX);
	line->n -= sizeof(INBOX);
	return true;
}

bool
subscriptions_next(struct cur *in, enum subscriptions_form form,
    struct str *line, char name[MAILDIR_FOLDER_MAX + 1], bool *is_folder)
{
	struct str	rest = cur_rest(in), text;

	if (!str_take_line(&rest, line))
		return false;
	*in = cur_from(rest);
	text = *line;
	name[0] = '\0';
	*is_folder = form != SUBSCRIPTIONS_COURIER || drop_inbox(&text);
	if (!*is_folder || str_eq_nocase(text, STR(INBOX)))
		return true;
	*is_folder = take_name(text, form, name);
	return true;
}

void
subscriptions_put_head(struct buf *out, enum subscriptions_form form)
{
	if (form == SUBSCRIPTIONS_2)
		buf_adds(out, HEAD);
}

void
subscriptions_put(struct buf *out, enum subscriptions_form form,
    const char *name)
{
	if (name[0] == '\0')
		name = INBOX;
	for (; *name != '\0'; name++)
		buf_addc(out, form == SUBSCRIPTIONS_2 && *name == '.' ?
		    '\t' : *name);
	buf_addc(out, '\n');
}

bool
subscriptions_change(struct str text, bool courier, const char *name, bool on,
    struct buf *out)
{
	char			 folder[MAILDIR_FOLDER_MAX + 1];
	struct cur		 in = cur_from(text);
	enum subscriptions_form	 form, to;
	struct str		 line;
	bool			 is_folder, was = false;

	form = courier ? SUBSCRIPTIONS_COURIER : subscriptions_form(&in);
	to = form == SUBSCRIPTIONS_OLD && text.n > 0 ? SUBSCRIPTIONS_OLD :
	    SUBSCRIPTIONS_2;
	subscriptions_put_head(out, to);
	while (subscriptions_next(&in, form, &line, folder, &is_folder)) {
		if (is_folder && strcmp(folder, name) == 0) {
			was = true;
			if (!on)
				continue;
		}
		if (form != to && is_folder)
			subscriptions_put(out, to, folder);
		else if (form == to) {
			/* what means nothing to us may to others */
			buf_addstr(out, line);
			buf_addc(out, '\n');
		}
	}
	if (on && !was)
		subscriptions_put(out, to, name);
	if (was == on)
		buf_reset(out);
	return was != on;
}

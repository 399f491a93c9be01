/* queue/compose.c - header fields of mail that programs send; pure. */
#include "queue/compose.h"

#include "common/fmt/addrlist.h"
#include "common/fmt/header.h"
#include "common/fmt/record.h"

static bool
is_one_of(struct str name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (str_eq_nocase(name, str_from(*list)))
			return true;
	return false;
}

static bool
is_field(struct str line)
{
	struct cur		c = cur_from(line);
	struct header_field	f;

	return header_next(&c, &f);
}

static bool
starts_with(struct str line, struct str word)
{
	return line.n >= word.n &&
	    str_eq((struct str){ line.p, word.n }, word);
}

/* As mailbox files have it, and as some programs that read those pass it on. */
static bool
is_from_line(struct str line)
{
	return starts_with(line, STR("From ")) ||
	    starts_with(line, STR(">From "));
}

bool
compose_scan(struct compose_scan *s, struct str text, bool whole, size_t *skip)
{
	struct cur	c = { text.p + s->at, text.p + text.n };
	struct str	line;

	*skip = 0;
	while (cur_until(&c, '\n', &line)) {
		line.n++;
		if (str_eq(line, STR("\r\n"))) {
			*skip = 2;
			return true;
		}
		if (s->at == s->from && is_from_line(line) && !is_field(line))
			s->from += line.n;
		else if (!(s->at > s->from && is_wsp((unsigned char)*line.p)) &&
		    !is_field(line))
			return true;
		s->at += line.n;
	}
	return whole;
}

void
compose_addresses(struct str list, struct buf *rcpts)
{
	struct cur	c = cur_from(list);
	struct buf	one;

	/* So much fits that none can be passed over. */
	buf_init(&one, list.n * 2 + 2);
	while (addrlist_next(&c, &one))
		record_put(rcpts, 'r', buf_view(&one));
	rcpts->bad |= !buf_ok(&one);
	buf_free(&one);
}

static const char *const	rcpt_fields[] = { "To", "Cc", "Bcc", NULL };
static const char *const	resent_rcpts[] = {
	"Resent-To", "Resent-Cc", "Resent-Bcc", NULL
};

static bool
is_resent(struct str fields)
{
	struct cur		c = cur_from(fields);
	struct header_field	f;
	struct resent		r = { .any = false };

	while (header_next(&c, &f))
		resent_field(&r, f.name);
	return r.any;
}

/* If it is sent again, who is to get it stands in the newest block. */
static void
extract(struct str fields, struct buf *rcpts)
{
	struct cur		c = cur_from(fields);
	struct header_field	f;
	struct resent		r = { .any = false };
	const char *const	*wanted;

	wanted = is_resent(fields) ? resent_rcpts : rcpt_fields;
	while (header_next(&c, &f)) {
		resent_field(&r, f.name);
		if (is_one_of(f.name, wanted) &&
		    (wanted == rcpt_fields || !r.ended))
			compose_addresses(f.body, rcpts);
	}
}

void
compose_fields(const struct compose *o, struct str fields, struct buf *out,
    struct buf *rcpts)
{
	struct submission	s;

	if (o->extract)
		extract(fields, rcpts);
	submission_init(&s, &o->set);
	submission_add(&s, fields, out);
	submission_end(&s, out);
	submission_free(&s);
}

/* ---- the name in a From field */

static bool
is_phrase(struct str name)
{
	size_t	i;

	for (i = 0; i < name.n; i++)
		if (!is_atext((unsigned char)name.p[i]) && name.p[i] != ' ')
			return false;
	return true;
}

static void
put_quoted(struct str name, struct buf *out)
{
	size_t	i;

	buf_addc(out, '"');
	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, name.p[i]);
	}
	buf_addc(out, '"');
}

/* RFC 2047 5 (3): in a phrase few bytes may stand for themselves. */
static void
put_encoded(struct str name, struct buf *out)
{
	static const char	hex[] = "0123456789ABCDEF";
	size_t			i, n = 0;
	unsigned char		b;

	for (i = 0; i < name.n; i++) {
		b = (unsigned char)name.p[i];
		/* no word over 75 characters, none that ends inside a character */
		if (n == 0 || (n > 45 && (b & 0xc0) != 0x80)) {
			buf_adds(out, n == 0 ? "=?UTF-8?Q?" : "?=\r\n =?UTF-8?Q?");
			n = 0;
		}
		if (is_alnum(b)) {
			buf_addc(out, (char)b);
			n++;
		} else {
			buf_addc(out, '=');
			buf_addc(out, hex[b >> 4]);
			buf_addc(out, hex[b & 15]);
			n += 3;
		}
	}
	buf_adds(out, "?=");
}

void
compose_mailbox(struct str name, struct str addr, struct buf *out)
{
	size_t	i;
	bool	odd = false;

	name = str_trim(name);
	if (name.n > 200)
		name.n = 0;
	for (i = 0; i < name.n; i++) {
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 127)
			name.n = 0;	/* that is no name */
		else
			odd |= (unsigned char)name.p[i] > 127;
	}
	if (name.n == 0) {
		buf_addstr(out, addr);
		return;
	}
	if (odd)
		put_encoded(name, out);
	else if (is_phrase(name))
		buf_addstr(out, name);
	else
		put_quoted(name, out);
	buf_addf(out, " <%.*s>", STR_ARG(addr));
}

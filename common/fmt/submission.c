/* common/fmt/submission.c - a message as it is handed in becomes one that can be sent; pure. */
#include "common/fmt/submission.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/complete.h"
#include "common/fmt/cur.h"

#define COMPLETED_MAX	(16 * SUBMISSION_FIELD_MAX)

void
submission_init(struct submission *s, const struct submission_set *set)
{
	*s = (struct submission){ .set = *set, .first = true };
	buf_init(&s->held, SUBMISSION_FIELD_MAX);
}

void
submission_free(struct submission *s)
{
	buf_free(&s->held);
}

static void
give(struct submission *s, struct str text, struct buf *out)
{
	if (text.n == 0)
		return;
	buf_addstr(out, text);
	s->open = text.p[text.n - 1] != '\n';
}

static void
give_held(struct submission *s, struct buf *out)
{
	give(s, buf_view(&s->held), out);
	buf_reset(&s->held);
}

/* ---- what is added */

static void
add(struct submission *s, const char *name, struct str value, struct buf *out)
{
	if (s->open)
		buf_adds(out, "\r\n");
	s->open = false;
	buf_addf(out, "%s: %.*s\r\n", name, STR_ARG(value));
}

static void
add_id(struct submission *s, const char *name, struct buf *out)
{
	if (s->open)
		buf_adds(out, "\r\n");
	s->open = false;
	buf_addf(out, "%s: <%.*s@%.*s>\r\n", name, STR_ARG(s->set.id),
	    STR_ARG(s->set.host));
}

static void
end_block(struct submission *s, struct buf *out)
{
	const struct resent	*r = &s->resent;

	if (!r->any)
		return;
	if (!r->from && s->set.from.n > 0)
		add(s, "Resent-From", s->set.from, out);
	if (!r->date && s->set.date.n > 0)
		add(s, "Resent-Date", s->set.date, out);
	if (!r->id && s->set.id.n > 0)
		add_id(s, "Resent-Message-ID", out);
}

static void
end_header(struct submission *s, struct buf *out)
{
	if (!s->resent.ended)
		end_block(s, out);
	if (!s->from && s->set.from.n > 0)
		add(s, "From", s->set.from, out);
	if (!s->date && s->set.date.n > 0)
		add(s, "Date", s->set.date, out);
	if (!s->id && s->set.id.n > 0)
		add_id(s, "Message-ID", out);
	s->state = SUBMISSION_BODY;
}

/* ---- fields */

static const char *const	dropped[] = { "Bcc", "Resent-Bcc" };
static const char *const	mailbox[] = { "Return-Path", "Content-Length" };
static const char *const	addresses[] = {
	"From", "Sender", "Reply-To", "To", "Cc"
};

static bool
is_one_of(struct str name, const char *const *list, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(name, str_from(list[i])))
			return true;
	return false;
}

static enum submission_what
fate(const struct submission *s, struct str name)
{
	const struct str	resent = STR("Resent-");

	if (is_one_of(name, dropped, nitems(dropped)) ||
	    ((s->set.flags & SUBMISSION_MAILBOX) != 0 &&
	    is_one_of(name, mailbox, nitems(mailbox))))
		return SUBMISSION_DROP;
	if (s->set.domain.n == 0)
		return SUBMISSION_PASS;
	if (str_starts_nocase(name, resent)) {
		name.p += resent.n;
		name.n -= resent.n;
	}
	return is_one_of(name, addresses, nitems(addresses)) ?
	    SUBMISSION_HOLD : SUBMISSION_PASS;
}

static void
end_field(struct submission *s, struct buf *out)
{
	const char	*colon;
	struct str	 body = buf_view(&s->held);
	struct buf	 text;

	if (s->what == SUBMISSION_HOLD) {
		buf_init(&text, COMPLETED_MAX);
		colon = memchr(body.p, ':', body.n);
		body.p = colon + 1;
		body.n -= (size_t)(body.p - s->held.p);
		buf_add(&text, s->held.p, (size_t)(body.p - s->held.p));
		complete_addresses(body, s->set.domain, SUBMISSION_LINE_MAX,
		    &text);
		/* thousands of bare names and a long domain: too much */
		if (buf_ok(&text))
			give(s, buf_view(&text), out);
		else
			give(s, buf_view(&s->held), out);
		buf_free(&text);
		buf_reset(&s->held);
	}
	s->what = SUBMISSION_PASS;
	s->field = false;
}

static void
begin_field(struct submission *s, struct str name, struct buf *out)
{
	if (resent_field(&s->resent, name))
		end_block(s, out);
	s->from |= str_eq_nocase(name, STR("From"));
	s->date |= str_eq_nocase(name, STR("Date"));
	s->id |= str_eq_nocase(name, STR("Message-ID"));
	s->first = false;
	s->field = true;
	s->what = fate(s, name);
	s->state = SUBMISSION_LINE;
	if (s->what == SUBMISSION_PASS)
		give_held(s, out);
	else if (s->what == SUBMISSION_DROP)
		buf_reset(&s->held);
}

/* What is held is no field: the header ended before it. */
static void
no_field(struct submission *s, struct buf *out)
{
	end_header(s, out);
	buf_adds(out, "\r\n");
	give_held(s, out);
}

/* ---- the stream */

static bool
is_ftext(unsigned char b)
{
	return is_vchar(b) && b != ':';
}

/* The name before the colon (RFC 5322 3.6.8, with the blanks of 4.5); false: it is none. */
static bool
get_name(struct str text, struct str *name)
{
	struct cur	c = cur_from(text);

	if (!cur_span(&c, is_ftext, text.n, name))
		return false;
	cur_skip_wsp(&c);
	return cur_done(&c);
}

/* As mailbox files have it in front of a message. */
static bool
is_from_line(const struct submission *s)
{
	struct str	t = buf_view(&s->held);

	if (t.n > 0 && t.p[0] == '>') {
		t.p++;
		t.n--;
	}
	return s->first && t.n >= 5 && memcmp(t.p, "From ", 5) == 0;
}

/* The line is whole, or long enough to see what it is. */
static void
judge(struct submission *s, char last, struct buf *out)
{
	struct str	line = buf_view(&s->held), name;

	if (str_eq(line, STR("\r\n")) || str_eq(line, STR("\n"))) {
		end_header(s, out);
		give_held(s, out);
		return;
	}
	line.n--;
	if (last == ':' && get_name(line, &name))
		begin_field(s, name, out);
	else if (is_from_line(s)) {
		give_held(s, out);
		s->state = last == '\n' ? SUBMISSION_START : SUBMISSION_LINE;
	} else
		no_field(s, out);
}

static void
start_line(struct submission *s, char next, struct buf *out)
{
	if (s->field && is_wsp((unsigned char)next)) {
		s->state = SUBMISSION_LINE;
		return;
	}
	end_field(s, out);
	s->state = SUBMISSION_NAME;
}

static void
add_name(struct submission *s, struct str *in, struct buf *out)
{
	char	last = '\0';

	while (in->n > 0 && last != ':' && last != '\n' &&
	    s->held.n < SUBMISSION_NAME_MAX) {
		last = *in->p++;
		in->n--;
		if (buf_addc(&s->held, last) == -1)
			out->bad = true;
	}
	if (last == ':' || last == '\n' || s->held.n >= SUBMISSION_NAME_MAX)
		judge(s, last, out);
}

static void
add_line(struct submission *s, struct str *in, struct buf *out)
{
	const char	*lf = memchr(in->p, '\n', in->n);
	struct str	 part = *in;

	if (lf != NULL)
		part.n = (size_t)(lf + 1 - in->p);
	in->p += part.n;
	in->n -= part.n;
	if (s->what == SUBMISSION_HOLD &&
	    s->held.n + part.n > SUBMISSION_FIELD_MAX) {
		give_held(s, out);
		s->what = SUBMISSION_PASS;
	}
	if (s->what == SUBMISSION_PASS)
		give(s, part, out);
	else if (s->what == SUBMISSION_HOLD &&
	    buf_addstr(&s->held, part) == -1)
		out->bad = true;
	if (lf != NULL)
		s->state = SUBMISSION_START;
}

void
submission_add(struct submission *s, struct str in, struct buf *out)
{
	while (in.n > 0 && buf_ok(out))
		switch (s->state) {
		case SUBMISSION_START:
			start_line(s, *in.p, out);
			break;
		case SUBMISSION_NAME:
			add_name(s, &in, out);
			break;
		case SUBMISSION_LINE:
			add_line(s, &in, out);
			break;
		case SUBMISSION_BODY:
			buf_addstr(out, in);
			return;
		}
}

void
submission_end(struct submission *s, struct buf *out)
{
	if (s->state == SUBMISSION_BODY)
		return;
	if (s->state == SUBMISSION_NAME && s->held.n > 0 && !is_from_line(s)) {
		no_field(s, out);
		return;
	}
	if (s->state == SUBMISSION_NAME)
		give_held(s, out);
	end_field(s, out);
	end_header(s, out);
}

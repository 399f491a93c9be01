/*
 * imapd/reader.c - lines and literals in. A bare LF ends a line as well, as other servers have it: nothing
 * here is passed on to anybody who could take it for something else.
 */
#include "imapd/reader.h"

#include <errno.h>
#include <string.h>

#include "common/base/now.h"
#include "common/fmt/utf8.h"
#include "imapd/commands.h"

#define LINE_MAX	CONN_IN		/* what the connection's buffer can hold: a line that is there is never too long; others come in pieces */
#define SKIP_MAX	(UINT64_C(1) << 30)	/* of a literal that nobody wants */
#define TAIL_MAX	32		/* bytes: "~{9223372036854775807+}" */

/* The end of a line, where a literal may be announced. */
struct tail {
	char	p[TAIL_MAX];
	size_t	n;
};

void
reader_over(struct session *s)
{
	if (s->end != NULL)
		return;
	if (errno == ENOMEM) {
		say_no_memory(s);
		return;
	}
	s->end = errno == 0 || errno == EPIPE || errno == ECONNRESET ?
	    "the client has gone" :
	    errno == ETIMEDOUT ? "idle for too long" :
	    errno == ECANCELED ? "the server stops" : strerror(errno);
	if (errno == ETIMEDOUT)
		say(s, "BYE [UNAVAILABLE] idle for too long");
	else if (errno == ECANCELED)
		say(s, "BYE [UNAVAILABLE] the server stops, come again");
}

/* "tag BAD why", for what has no command yet. */
static enum reader_status
refuse(struct session *s, struct str text, const char *why)
{
	struct cur	c = cur_from(text);
	struct str	tag;
	struct buf	out;

	if (!imap_tag(&c, &tag))
		tag = STR("*");
	buf_init(&out, 1024);
	buf_addf(&out, "%.*s BAD %s\r\n", STR_ARG(tag), why);
	say_buf(s, &out);
	buf_free(&out);
	s->errors++;
	return READER_BAD;
}

static void
tail_add(struct tail *t, struct str s)
{
	size_t	keep;

	if (s.n > TAIL_MAX) {
		s.p += s.n - TAIL_MAX;
		s.n = TAIL_MAX;
	}
	keep = t->n < TAIL_MAX - s.n ? t->n : TAIL_MAX - s.n;
	memmove(t->p, t->p + (t->n - keep), keep);
	if (s.n > 0)
		memcpy(t->p + keep, s.p, s.n);
	t->n = keep + s.n;
}

/* A line, or what has not come yet of one that is too long. */
static enum reader_status
skip_line(struct session *s, struct tail *t)
{
	struct str	rest;
	enum line_status st;

	do {
		st = conn_line(&s->conn, LINE_MAX,
		    s->set->imap.in.idle_timeout, &rest);
		if (st != LINE_MORE)
			tail_add(t, rest);
	} while (st == LINE_LONG);
	if (st != LINE_MORE)
		return READER_OK;
	reader_over(s);
	return READER_OVER;
}

/*
 * The rest of a command that is refused, from the end of one of its lines on: literals that come unasked, and lines between them. What is in
 * them may be anybody's, a letter for APPEND, and must not be taken for commands.
 */
static enum reader_status
skip_literals(struct session *s, struct tail *t)
{
	struct imap_literal	l;
	struct str		end = { t->p, t->n };

	while (imap_literal_at_end(&end, &l) && l.plus) {
		t->n = 0;
		if (reader_literal_skip(s, l.n) == -1 ||
		    skip_line(s, t) == READER_OVER)
			return READER_OVER;
		end = (struct str){ t->p, t->n };
	}
	return READER_OK;
}

/* text: what has come of the command, whose tag is needed. line: its last line. */
static enum reader_status
refuse_all(struct session *s, struct str text, struct str line,
    const char *why)
{
	struct tail	t = { .n = 0 };
	char		tag[IMAP_TAG_MAX + 2];

	if (text.n > sizeof(tag))
		text.n = sizeof(tag);
	if (text.n > 0)
		memcpy(tag, text.p, text.n);
	text.p = tag;
	tail_add(&t, line);
	if (skip_literals(s, &t) == READER_OVER)
		return READER_OVER;
	return refuse(s, text, why);
}

/* RFC 6855, 3: after ENABLE, UTF-8 and nothing else of what has a high bit. */
static bool
is_allowed(const struct session *s, struct str line)
{
	return !session_utf8(s) || utf8_ok(line);
}

/* What has come of a line, after text, is more than there may be; or the rest of it has yet to come. */
static enum reader_status
refuse_long(struct session *s, struct str text, struct str piece, bool ended)
{
	struct tail	t = { .n = 0 };
	char		tag[IMAP_TAG_MAX + 2];

	/* a literal may be announced in two pieces */
	tail_add(&t, text);
	tail_add(&t, piece);
	if (text.n > sizeof(tag))
		text.n = sizeof(tag);
	memcpy(tag, text.p, text.n);
	text.p = tag;
	if (!ended && skip_line(s, &t) == READER_OVER)
		return READER_OVER;
	return refuse_all(s, text, (struct str){ t.p, t.n },
	    "[LIMIT] the line is too long");
}

/*
 * A line that the connection's buffer does not hold: its pieces, of which the first one is in *line, go behind text, as far as a
 * command may be so long; then *line is there.
 */
static enum reader_status
take_long(struct session *s, struct buf *text, struct str *line)
{
	enum line_status st = LINE_LONG;
	size_t		 before = text->n;
	struct str	 piece = *line;

	for (;;) {
		if (text->n - before + piece.n >
		    (size_t)s->set->imap.command_max ||
		    buf_addstr(text, piece) == -1)
			return refuse_long(s, text->n > 0 ? buf_view(text) :
			    piece, piece, st != LINE_LONG);
		if (st != LINE_LONG)
			break;
		errno = 0;
		st = conn_line(&s->conn, LINE_MAX,
		    s->set->imap.in.idle_timeout, &piece);
		if (st == LINE_MORE) {
			reader_over(s);
			return READER_OVER;
		}
	}
	*line = (struct str){ text->p + before, text->n - before };
	s->bytes_in += line->n + 2;
	if (memchr(line->p, '\0', line->n) != NULL ||
	    memchr(line->p, '\r', line->n) != NULL)
		return refuse_all(s, buf_view(text), *line,
		    "a control character in the command");
	return is_allowed(s, *line) ? READER_OK :
	    refuse_all(s, buf_view(text), *line, "that is no UTF-8");
}

/* One line; a long one goes behind text, if that is not NULL. What is wrong with it is answered in the name of what came before. */
static enum reader_status
take_line(struct session *s, struct str before, struct buf *text,
    struct str *line)
{
	errno = 0;
	switch (conn_line(&s->conn, LINE_MAX, s->set->imap.in.idle_timeout,
	    line)) {
	case LINE_OK:
	case LINE_BARE_LF:
		s->bytes_in += line->n + 2;
		if (is_allowed(s, *line))
			return READER_OK;
		return refuse_all(s, before.n > 0 ? before : *line, *line,
		    "that is no UTF-8");
	case LINE_BARE_CR:
	case LINE_NUL:
		return refuse_all(s, before.n > 0 ? before : *line, *line,
		    "a control character in the command");
	case LINE_LONG:
		return text != NULL ? take_long(s, text, line) :
		    refuse_long(s, before.n > 0 ? before : *line, *line,
		    false);
	case LINE_MORE:
		break;
	}
	reader_over(s);
	return READER_OVER;
}

static int
go_ahead(struct session *s)
{
	say_str(s, STR("+ go ahead\r\n"));
	if (s->end == NULL &&
	    conn_flush(&s->conn, s->set->imap.in.idle_timeout) == 0)
		return 0;
	reader_over(s);
	return -1;
}

int
reader_literal_begin(struct session *s, const struct imap_literal *l)
{
	return l->plus ? 0 : go_ahead(s);
}

int
reader_literal_some(struct session *s, uint64_t *left, struct str *piece)
{
	int	r = 1;

	if (conn_pending(&s->conn).n == 0) {
		errno = 0;
		r = conn_fill(&s->conn, s->set->imap.in.idle_timeout);
	}
	if (r != 1) {
		if (r == 0)
			errno = 0;
		reader_over(s);
		return -1;
	}
	*piece = conn_pending(&s->conn);
	if (piece->n > *left)
		piece->n = (size_t)*left;
	*left -= piece->n;
	s->bytes_in += piece->n;
	conn_consume(&s->conn, piece->n);
	return 0;
}

int
reader_literal_skip(struct session *s, uint64_t left)
{
	struct str	piece;

	if (left > SKIP_MAX) {
		say(s, "BYE [LIMIT] a literal that is too large");
		s->end = "a literal that is too large";
		return -1;
	}
	while (left > 0)
		if (reader_literal_some(s, &left, &piece) == -1)
			return -1;
	return 0;
}

/* A literal into the command's text; it has been announced at its end. */
static enum reader_status
collect(struct session *s, const struct imap_literal *l, struct str line,
    struct buf *text)
{
	uint64_t	left = l->n;
	struct str	piece;

	if (l->n > (uint64_t)s->set->imap.literal_max ||
	    text->n + l->n + 2 > text->max) {
		return refuse_all(s, buf_view(text), line,
		    "[LIMIT] the literal is too large");
	}
	/* first: a command that lost a piece would be another one */
	if (buf_reserve(text, (size_t)l->n + 2) == -1)
		return refuse_all(s, buf_view(text), line,
		    "[UNAVAILABLE] not enough memory");
	if (reader_literal_begin(s, l) == -1)
		return READER_OVER;
	buf_adds(text, "\r\n");
	while (left > 0) {
		if (reader_literal_some(s, &left, &piece) == -1)
			return READER_OVER;
		buf_addstr(text, piece);
	}
	return READER_OK;
}

/* Lines and small literals until a line ends without one; of a command that streams, up to the first one. */
enum reader_status
reader_next(struct session *s, struct buf *text)
{
	enum reader_status	r;
	struct imap_literal	l;
	struct str		line, end, head;
	size_t			before;
	bool			is_there;

	buf_reset(text);
	for (;;) {
		before = text->n;
		r = take_line(s, buf_view(text), text, &line);
		if (r != READER_OK)
			return r;
		is_there = text->n > before;
		if (!is_there && buf_addstr(text, line) == -1)
			return refuse_all(s, text->n > 0 ? buf_view(text) :
			    line, line, errno == EMSGSIZE ?
			    "[LIMIT] the command is too long" :
			    "[UNAVAILABLE] not enough memory");
		text->n = before + imap_blanks(text->p + before, line.n);
		if (is_there)
			line = (struct str){ text->p + before,
			    text->n - before };
		/* not in front of the line: there may be a literal with such an end */
		end = line;
		if (!imap_literal_at_end(&end, &l))
			return READER_OK;
		head = buf_view(text);
		head.n -= line.n - end.n;
		if (command_streams(head))
			return READER_OK;
		if ((r = collect(s, &l, line, text)) != READER_OK)
			return r;
	}
}

enum reader_status
reader_more(struct session *s, struct buf *text)
{
	struct tail	t = { .n = 0 };
	struct str	line;

	buf_reset(text);
	errno = 0;
	switch (conn_line(&s->conn, LINE_MAX, s->set->imap.in.idle_timeout,
	    &line)) {
	case LINE_OK:
	case LINE_BARE_LF:
		s->bytes_in += line.n + 2;
		if (is_allowed(s, line) && buf_addstr(text, line) == 0) {
			text->n = imap_blanks(text->p, text->n);
			return READER_OK;
		}
		tail_add(&t, line);
		break;
	case LINE_BARE_CR:
	case LINE_NUL:
		tail_add(&t, line);
		break;
	case LINE_LONG:
		tail_add(&t, line);
		if (skip_line(s, &t) == READER_OVER)
			return READER_OVER;
		break;
	case LINE_MORE:
		reader_over(s);
		return READER_OVER;
	}
	return skip_literals(s, &t) == READER_OVER ? READER_OVER : READER_BAD;
}

enum reader_status
reader_line(struct session *s, struct str *line)
{
	enum reader_status	r = take_line(s, STR("*"), NULL, line);
	struct tail		t = { .n = 0 };
	struct imap_literal	l;
	struct str		end;

	if (r != READER_OK)
		return r;
	end = *line;
	if (!imap_literal_at_end(&end, &l))
		return READER_OK;
	/* a command where none was expected */
	tail_add(&t, *line);
	return skip_literals(s, &t) == READER_OVER ? READER_OVER : READER_BAD;
}

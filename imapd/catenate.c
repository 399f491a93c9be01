/*
 * imapd/catenate.c - a message that is put together of what the client sends and of parts of messages that are here already
 * (RFC 4469, URL-PARTIAL of RFC 5550).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/imap_url.h"
#include "common/fmt/mutf7.h"
#include "imapd/append.h"
#include "imapd/fetch_wire.h"

#define URL_MAX		2000
#define CHUNK		32768

/* RFC 4469, 5: an empty one cannot stand in a response code, nor some octets, which are written as a URL has them. */
static bool
bad_url(struct append *a, struct str url)
{
	struct buf	code;
	size_t		i;

	buf_init(&code, 3 * URL_MAX + 16);
	buf_adds(&code, "BADURL ");
	for (i = 0; i < url.n; i++)
		if (url.p[i] < ' ' || url.p[i] > '~' || url.p[i] == ']')
			buf_addf(&code, "%%%02X", (unsigned char)url.p[i]);
		else
			buf_addc(&code, url.p[i]);
	command_no(a->c, url.n > 0 ? buf_cstr(&code) : NULL,
	    "there is nothing of this URL");
	buf_free(&code);
	return false;
}

/* The name as this client would write it. */
static bool
find_mailbox(struct append *a, struct str name, struct place *p)
{
	struct buf	wire;
	bool		ok;

	if (session_utf8(a->s))
		return place_find(a->s, a->c, name, RIGHT_READ, p);
	buf_init(&wire, 4 * URL_MAX);
	ok = mutf7_from_utf8(name, &wire) &&
	    place_find(a->s, a->c, buf_view(&wire), RIGHT_READ, p);
	buf_free(&wire);
	return ok;
}

/* The selected mailbox as it is seen, or another one. NULL: there is none. */
static struct view *
open_view(struct append *a, const struct place *p)
{
	struct diag	why;

	if (view_is_of(a->s->view, p->store, p->folder))
		return a->s->view;
	if (view_is_of(a->other, p->store, p->folder))
		return a->other;
	append_catenate_end(a);
	if (view_open(&a->other, p->store, p->folder, true, &why) == -1)
		a->other = NULL;
	return a->other;
}

void
append_catenate_end(struct append *a)
{
	view_close(&a->other);
}

/* Which bytes of the file are meant. */
static bool
find_range(struct view *v, size_t at, const struct imap_url *u, uint64_t *from,
    uint64_t *to)
{
	struct cache_body	 body;
	const struct part	*p;
	size_t			 i = 0;

	if (view_body(v, at, &body) == -1 || body.nparts == 0)
		return false;
	if (u->nnumbers > 0 && !parts_find(body.parts, body.nparts,
	    u->numbers, u->nnumbers, &i))
		return false;
	p = &body.parts[i];
	if (u->nnumbers > 0 && u->text != IMAP_URL_WHOLE &&
	    u->text != IMAP_URL_MIME) {
		if (p->kind != PART_MESSAGE || p->child == 0)
			return false;
		p = &body.parts[p->child];
	}
	*from = u->text == IMAP_URL_TEXT ||
	    (u->text == IMAP_URL_WHOLE && u->nnumbers > 0) ? p->body :
	    p->header;
	*to = u->text == IMAP_URL_WHOLE || u->text == IMAP_URL_TEXT ? p->end :
	    p->body;
	return *from <= *to;
}

/* LF ends become CRLF, because a part of it is counted so (RFC 5092, 6.1.1); *last is the byte before. */
static size_t
to_wire(const char *in, size_t n, char *out, char *last)
{
	size_t	i, k = 0;

	for (i = 0; i < n; i++) {
		if (in[i] == '\n' && *last != '\r')
			out[k++] = '\r';
		out[k++] = *last = in[i];
	}
	return k;
}

/* What of these is within the part that is wanted: offset and length count down. */
static struct str
cut(struct str s, struct imap_url *u)
{
	size_t	skip = u->offset < s.n ? (size_t)u->offset : s.n;

	if (!u->partial)
		return s;
	u->offset -= skip;
	s.p += skip;
	s.n -= skip;
	if (s.n > u->length)
		s.n = (size_t)u->length;
	u->length -= s.n;
	return s;
}

static bool
copy_range(struct append *a, int fd, uint64_t from, uint64_t to,
    struct imap_url *u)
{
	char		*in = malloc(3 * CHUNK), last = '\0';
	struct str	 piece;
	size_t		 want;
	ssize_t		 n;
	bool		 ok = in != NULL;

	while (ok && from < to && !(u->partial && u->length == 0)) {
		want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		if ((n = fdio_pread(fd, in, want, (off_t)from)) <= 0) {
			if (n == 0)	/* shorter than it was when it was parsed */
				errno = EIO;
			ok = false;
			break;
		}
		from += (uint64_t)n;
		piece = (struct str){ in + CHUNK,
		    to_wire(in, (size_t)n, in + CHUNK, &last) };
		piece = cut(piece, u);
		if (piece.n > 0)
			ok = append_room(a, piece.n) && append_bytes(a, piece);
	}
	free(in);
	return ok;
}

/* Of a header only some fields; from .. to begins with a line. */
static bool
copy_fields(struct append *a, int fd, uint64_t from, uint64_t to,
    struct imap_url *u)
{
	struct wire_fields	 w;
	struct buf		 out;
	struct str		 piece;
	char			*in = malloc(CHUNK);
	size_t			 want, took;
	ssize_t			 n;
	bool			 ok = in != NULL;

	names_order(u->names, u->nnames);
	wire_fields_begin(&w, u->names, u->nnames,
	    u->text == IMAP_URL_FIELDS_NOT);
	buf_init(&out, 2 * CHUNK);
	for (; ok && from < to; from += took) {
		want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		if ((n = fdio_pread(fd, in, want, (off_t)from)) <= 0) {
			if (n == 0)
				errno = EIO;
			ok = false;
			break;
		}
		buf_reset(&out);
		piece = (struct str){ in, (size_t)n };
		ok = wire_fields_take(&w, piece, from + (uint64_t)n == to,
		    &out, &took) == 0;
		piece = cut(buf_view(&out), u);
		if (ok && piece.n > 0)
			ok = append_room(a, piece.n) && append_bytes(a, piece);
	}
	buf_free(&out);
	free(in);
	return ok;
}

static bool
copy_message(struct append *a, struct view *v, size_t at, struct imap_url *u,
    bool *found)
{
	uint64_t	from, to;
	int		fd;
	bool		ok;

	*found = find_range(v, at, u, &from, &to);
	if (!*found || (fd = view_open_message(v, at)) == -1) {
		*found = false;
		return false;
	}
	ok = u->nnames > 0 ? copy_fields(a, fd, from, to, u) :
	    copy_range(a, fd, from, to, u);
	fdio_close(&fd);
	if (!ok && a->c->reply == REPLY_NONE)
		command_failed(a->s, a->c, "copy a part of a message");
	return ok;
}

static bool
take_url(struct append *a)
{
	struct imap_url	 u;
	struct place	 p;
	struct view	*v;
	struct str	 url;
	size_t		 at;
	bool		 found = false, ok = false;

	if (!incoming_astring(&a->in, URL_MAX, &url))
		return false;
	if (!imap_url(url, &a->s->memory, &u) ||
	    !find_mailbox(a, u.mailbox, &p) || (v = open_view(a, &p)) == NULL)
		return bad_url(a, url);
	at = view_find(v, u.uid);
	if ((u.validity == 0 || u.validity == view_uidvalidity(v)) &&
	    at < view_count(v) && view_message(v, at)->uid == u.uid)
		ok = copy_message(a, v, at, &u, &found);
	return found ? ok : bad_url(a, url);
}

static bool
part(struct append *a)
{
	struct cur	*in = &a->in.in;

	if (cur_word(in, STR("URL ")))
		return take_url(a);
	if (cur_word(in, STR("UTF8 (")))
		return append_utf8(a);
	if (cur_word(in, STR("TEXT ")) && cur_done(in) && a->in.open)
		return append_literal(a);
	command_bad(a->c, "URL or TEXT was expected");
	return false;
}

bool
append_catenate(struct append *a)
{
	do
		if (!part(a))
			return false;
	while (imap_sp(&a->in.in));
	if (cur_byte(&a->in.in, ')'))
		return true;
	command_bad(a->c, "the end of CATENATE (...) is missing");
	return false;
}

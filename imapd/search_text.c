/*
 * imapd/search_text.c - looking for words in the text of messages. Run by the session; what it reads came from anybody.
 * A message that fits is read whole; of a larger one, the headers and the parts that are text.
 */
#include "imapd/search_text.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fmt/charset.h"
#include "common/fmt/decode.h"
#include "common/fmt/header.h"
#include "common/fmt/parts.h"
#include "common/fmt/words.h"

#define TEXT_FIRST	65536		/* bytes of the first read, which has most messages as a whole */
#define TEXT_WHOLE	1048576		/* larger messages are read in pieces */
#define TEXT_PIECE	65536
#define TEXT_ARENA	PARTS_ARENA_MAX	/* of one message */
#define HEADER_PIECE	16384

int
text_init(struct text *t, struct view *view, size_t n)
{
	memset(t, 0, sizeof(*t));
	t->fd = -1;
	t->view = view;
	buf_init(&t->raw, TEXT_WHOLE + 1);
	buf_init(&t->scratch[0], 4 * TEXT_WHOLE);
	buf_init(&t->scratch[1], 4 * TEXT_WHOLE);
	arena_init(&t->arena, TEXT_ARENA);
	arena_init(&t->one, TEXT_ARENA);
	if (n == 0)
		return 0;
	if ((t->keys = calloc(n, sizeof(*t->keys))) == NULL ||
	    (t->words = calloc(n, sizeof(*t->words))) == NULL) {
		text_free(t);
		return -1;
	}
	t->nkeys = n;
	return 0;
}

int
text_key(struct text *t, size_t i, struct str utf8, bool headers)
{
	t->keys[i].headers = headers;
	if (needle_begin(&t->keys[i].needle, utf8) == -1)
		return -1;
	scan_word(&t->words[i], &t->keys[i].needle);
	return 0;
}

void
text_free(struct text *t)
{
	size_t	i;

	text_next(t);
	for (i = 0; i < t->nkeys; i++)
		needle_free(&t->keys[i].needle);
	free(t->keys);
	free(t->words);
	t->keys = NULL;
	t->words = NULL;
	t->nkeys = 0;
	buf_free(&t->raw);
	buf_free(&t->scratch[0]);
	buf_free(&t->scratch[1]);
}

void
text_next(struct text *t)
{
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
	t->whole = false;
	buf_reset(&t->raw);
	if (t->arena.used > 0)
		arena_free(&t->arena);
}

/* One read more of at most n bytes; *end: there was less. */
static int
read_more(struct text *t, size_t n, bool *end)
{
	ssize_t	got;

	if (buf_reserve(&t->raw, n) == -1)
		return -1;
	do
		got = read(t->fd, t->raw.p + t->raw.n, n);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	t->raw.n += (size_t)got;
	*end = (size_t)got < n;
	return 0;
}

static int
open_message(struct text *t, size_t at)
{
	if (t->fd != -1)
		return 0;
	if ((t->fd = view_open_message(t->view, at)) == -1)
		return -1;
	return read_more(t, TEXT_FIRST, &t->whole);
}

/* All of it, if it is not too large. */
static int
read_whole(struct text *t)
{
	struct stat	st;

	if (t->whole)
		return 0;
	if (fstat(t->fd, &st) == -1)
		return -1;
	if (st.st_size > TEXT_WHOLE)
		return 0;
	while (!t->whole && t->raw.n < TEXT_WHOLE)
		if (read_more(t, TEXT_WHOLE + 1 - t->raw.n, &t->whole) == -1)
			return -1;
	return 0;
}

int
text_header(struct text *t, size_t at, struct str *out)
{
	size_t	n;

	if (open_message(t, at) == -1)
		return -1;
	for (;;) {
		*out = buf_view(&t->raw);
		n = header_length(*out);
		if (n < out->n || t->whole || out->n >= PARTS_HEADER_MAX)
			break;
		if (read_more(t, HEADER_PIECE, &t->whole) == -1)
			return -1;
	}
	out->n = n;
	return 0;
}

/* ---- what is fed to the keys */

static bool
all_found(const struct text *t)
{
	size_t	i;

	for (i = 0; i < t->nkeys; i++)
		if (!t->keys[i].found)
			return false;
	return true;
}

static void
feed_begin(struct text *t)
{
	size_t	i;

	for (i = 0; i < t->nkeys; i++)
		needle_reset(&t->keys[i].needle);
}

static int
feed(struct text *t, struct str utf8, bool is_header)
{
	struct text_key	*key;
	size_t		 i;

	for (i = 0; i < t->nkeys; i++) {
		key = &t->keys[i];
		if (key->found || (is_header && !key->headers))
			continue;
		if (needle_feed(&key->needle, utf8) == -1)
			return -1;
		key->found = key->needle.found;
	}
	return 0;
}

/*
 * Bytes from .. to of the message: as a view if it is here, else as much as fits into the second scratch buffer.
 */
static int
piece(struct text *t, uint64_t from, uint64_t to, size_t max, struct str *out)
{
	struct buf	*b = &t->scratch[1];
	ssize_t		 got;

	if (t->whole) {
		if (to > t->raw.n)
			to = t->raw.n;
		*out = from < to ? (struct str){ t->raw.p + from,
		    (size_t)(to - from) } : STR("");
		return 0;
	}
	buf_reset(b);
	if (to - from < max)
		max = (size_t)(to - from);
	if (buf_reserve(b, max) == -1)
		return -1;
	do
		got = pread(t->fd, b->p, max, (off_t)from);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	b->n = (size_t)got;
	*out = buf_view(b);
	return 0;
}

/* Is anybody looking into headers? BODY does not, as with Dovecot: not even into those of messages within. */
static bool
headers_wanted(const struct text *t)
{
	size_t	i;

	for (i = 0; i < t->nkeys; i++)
		if (t->keys[i].headers && !t->keys[i].found)
			return true;
	return false;
}

static int
feed_line(struct text *t, struct str name, struct str body)
{
	struct buf	*b = &t->scratch[0];

	buf_reset(b);
	buf_addstr(b, name);
	if (name.n > 0)
		buf_adds(b, ": ");
	if (words_decode(body, b) == -1 || !buf_ok(b))
		return -1;
	feed_begin(t);
	return feed(t, buf_view(b), true);
}

/* Lines that are no field are in the header as well. */
static int
feed_header(struct text *t, struct str header)
{
	struct cur		 c = cur_from(header);
	struct header_field	 f;
	struct str		 other;
	bool			 more = true;

	while (more && headers_wanted(t)) {
		other.p = c.p;
		more = header_next_any(&c, &f);
		other.n = (size_t)((more ? f.raw.p : c.p) - other.p);
		other = header_trim(other);
		/* "From ann Mon Jan  1 00:00:00 2001" */
		if (more && memchr(f.name.p, ' ', f.name.n) != NULL) {
			f.body = header_trim(f.raw);
			f.name = STR("");
		}
		if ((other.n > 0 && feed_line(t, STR(""), other) == -1) ||
		    (more && feed_line(t, f.name, f.body) == -1))
			return -1;
	}
	return 0;
}

/* The charset of a part's text. Without one, or with one that is not known, it is taken for UTF-8, as most of it is. */
static const struct charset *
part_charset(struct text *t, const struct part_fields *f)
{
	const struct charset	*set = NULL;
	struct buf		*b = &t->scratch[0];

	buf_reset(b);
	if (f->params != NULL &&
	    words_param(f->params, "charset", b) == 0 && b->n > 0 &&
	    !str_eq_nocase(buf_view(b), STR("us-ascii")))
		set = charset_find(buf_view(b));
	return set != NULL ? set : charset_find(STR("utf-8"));
}

static int
feed_body(struct text *t, const struct part *p, const struct part_fields *f)
{
	struct charset_state	 set;
	struct decode		 decode;
	struct buf		 bytes, *utf8 = &t->scratch[0];
	uint64_t		 at = p->body;
	struct str		 s;
	int			 r = -1;

	charset_begin(&set, part_charset(t, f));
	decode_begin(&decode, (enum mime_encoding)p->encoding);
	buf_init(&bytes, 4 * TEXT_WHOLE);
	feed_begin(t);
	for (; at < p->end && !all_found(t); at += s.n) {
		if (piece(t, at, p->end, TEXT_PIECE, &s) == -1)
			goto out;
		if (s.n == 0)
			break;
		buf_reset(&bytes);
		buf_reset(utf8);
		if (decode_feed(&decode, s, &bytes) == -1 ||
		    charset_feed(&set, buf_view(&bytes), utf8) == -1 ||
		    feed(t, buf_view(utf8), false) == -1)
			goto out;
	}
	buf_reset(&bytes);
	buf_reset(utf8);
	if (decode_end(&decode, &bytes) == 0 &&
	    charset_feed(&set, buf_view(&bytes), utf8) == 0 &&
	    charset_end(&set, utf8) == 0)
		r = feed(t, buf_view(utf8), false);
out:
	buf_free(&bytes);
	return r;
}

/* Is the body of a part looked into? text/..., and message/... that is no message of its own: delivery-status and the like. */
static bool
is_searched(const struct part *p, const struct part_fields *f)
{
	return p->kind == PART_LEAF && (p->is_text ||
	    (f->type.p != NULL && str_eq_nocase(f->type, STR("message"))));
}

/* What the header of a part says, by the parser of parts. NULL: no memory. */
static const struct part_fields *
fields_of(struct text *t, struct str header)
{
	struct parts	*parser = parts_begin(&t->one);

	if (parser == NULL || parts_feed(parser, header) == -1 ||
	    parts_end(parser) == -1)
		return NULL;
	return parts_fields(parser, 0);
}

static int
feed_part(struct text *t, const struct part *list, size_t i,
    const struct parts *parser)
{
	const struct part_fields *f;
	const struct part	*p = &list[i];
	struct str		 header;
	int			 r = -1;

	if (piece(t, p->header, p->body, PARTS_HEADER_MAX, &header) == -1)
		return -1;
	f = parser != NULL ? parts_fields(parser, i) : NULL;
	if (f == NULL)
		f = fields_of(t, header);
	if (f != NULL && (r = feed_header(t, header)) == 0 && is_searched(p, f))
		r = feed_body(t, p, f);
	/* there may be many parts, and what has been known of them is no more of use */
	if (t->one.used > 0)
		arena_free(&t->one);
	return r;
}

/* The parts of a message, from its bytes if they are here. */
static int
parts_of(struct text *t, size_t at, const struct part **list, size_t *n,
    struct parts **parser)
{
	struct cache_body	 body;
	struct part		*copy;

	*parser = NULL;
	if (t->whole) {
		if ((*parser = parts_begin(&t->arena)) == NULL ||
		    parts_feed(*parser, buf_view(&t->raw)) == -1 ||
		    parts_end(*parser) == -1)
			return -1;
		*list = parts_list(*parser, n);
		return 0;
	}
	if (view_body(t->view, at, &body) == -1)
		return -1;
	if ((copy = arena_get(&t->arena, body.nparts * sizeof(*copy))) == NULL)
		return -1;
	memcpy(copy, body.parts, body.nparts * sizeof(*copy));
	*list = copy;
	*n = body.nparts;
	return 0;
}

int
text_find(struct text *t, size_t at)
{
	const struct part	*list;
	struct parts		*parser;
	size_t			 i, n;

	if (open_message(t, at) == -1 || read_whole(t) == -1)
		return -1;
	for (i = 0; i < t->nkeys; i++) {
		needle_reset(&t->keys[i].needle);
		t->keys[i].found = t->keys[i].needle.word.n == 0;
	}
	if (all_found(t) || (t->whole && scan_refutes(t->words, t->nkeys,
	    buf_view(&t->raw), t->scratch)))
		return 0;
	if (parts_of(t, at, &list, &n, &parser) == -1)
		return -1;
	for (i = 0; i < n && !all_found(t); i++)
		if (feed_part(t, list, i, parser) == -1)
			return -1;
	return 0;
}

/* imapd/fetch_text.c - the bytes of a section, from the file to the client. */
#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/decode.h"
#include "imapd/fetch_impl.h"
#include "imapd/fetch_wire.h"

static void
without_nul(char *p, size_t n)
{
	char	*end = p + n;

	while (p < end && (p = memchr(p, '\0', (size_t)(end - p))) != NULL)
		*p++ = (char)0x80;	/* as Dovecot does: a literal may not have NUL */
}

static int
sink_put(struct fetch_sink *k, struct str s)
{
	size_t	n;

	k->count += s.n;
	n = s.n < k->skip ? s.n : (size_t)k->skip;
	k->skip -= n;
	s.p += n;
	s.n -= n;
	if (s.n > k->left)
		s.n = (size_t)k->left;
	k->left -= s.n;
	if (!k->nul && s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		k->nul = true;
	if (k->s == NULL && s.n > FETCH_KEEP_MAX - k->out->n)
		k->full = true;
	if (k->full || s.n == 0)
		return 0;
	if (buf_addstr(k->out, s) == -1)
		return -1;
	if (k->nul && k->plain)
		without_nul(k->out->p + k->out->n - s.n, s.n);
	if (k->s != NULL && k->out->n >= FETCH_OUT_FULL) {
		say_buf(k->s, k->out);
		buf_reset(k->out);
	}
	return 0;
}

/* Nothing more is wanted, or nobody is there to get it. */
static bool
is_done(const struct fetch_sink *k)
{
	return k->left == 0 || (k->s != NULL && k->s->end != NULL);
}

static int
make_raw(struct fetch *f, const struct section_text_of *t,
    struct fetch_sink *k)
{
	struct str	s;
	uint64_t	at = t->from + k->skip;	/* what is before need not be read */

	k->skip = 0;
	for (; !is_done(k); at += s.n) {
		if (fetch_file_some(&f->file, at, t->to, &s) == -1)
			return -1;
		if (s.n == 0)
			break;
		if (sink_put(k, s) == -1)
			return -1;
	}
	return 0;
}

/* The beginning of a text, or what is kept of it that is nearest to where a partial begins. */
static struct partial_memo
resume(const struct fetch *f, const struct section_text_of *t, uint64_t skip,
    bool decoded)
{
	const struct fetch_file	*file = &f->file;
	struct partial_memo	 begin = {
		.device = file->device, .inode = file->inode,
		.size = file->size, .from = t->from,
		.changed = file->changed, .at = t->from, .decoded = decoded
	};

	decode_begin(&begin.decode, t->encoding);
	return partial_resume(&f->s->partials, &begin, skip);
}

/* Where a text is read to make octets from wanted on, and from where. */
struct way {
	struct partial_memo	begin;
	uint64_t		wanted;
	bool			half;	/* has been kept, or is not needed */
};

/* A piece begins. */
static void
pass(struct fetch *f, struct way *w, const struct partial_memo *m)
{
	if (w->half || !partial_is_halfway(m, &w->begin, w->wanted))
		return;
	partial_keep(&f->s->partials, m, &w->begin, w->wanted);
	w->half = true;
}

/* The place of a piece that was made only to be counted is needed once more. */
static void
remember(struct fetch *f, const struct fetch_sink *k, const struct way *w,
    const struct partial_memo *m)
{
	if (!f->file.whole && !k->full)
		partial_keep(&f->s->partials, m, &w->begin, w->wanted);
}

static int
make_range(struct fetch *f, const struct section_text_of *t,
    struct fetch_sink *k)
{
	struct partial_memo	m = resume(f, t, k->skip, false), before = m;
	struct way		w = { m, k->skip, f->file.whole };
	struct str		s;

	if (t->wire == t->to - t->from)
		return make_raw(f, t, k);
	k->skip -= m.made;
	for (; !is_done(k); m.at += s.n) {
		before = m;
		pass(f, &w, &m);
		if (fetch_file_some(&f->file, m.at, t->to, &s) == -1)
			return -1;
		if (s.n == 0)
			break;
		buf_reset(&f->piece);
		if (wire_put(&f->piece, s, &m.last) == -1 ||
		    sink_put(k, buf_view(&f->piece)) == -1)
			return -1;
		m.made += f->piece.n;
	}
	remember(f, k, &w, &before);
	return 0;
}

static int
make_fields(struct fetch *f, const struct fetch_section *want,
    const struct section_text_of *t, struct fetch_sink *k)
{
	struct wire_fields	w;
	struct str		s;
	uint64_t		at = t->from;
	size_t			n;
	bool			last;

	wire_fields_begin(&w, want->names, want->nnames,
	    want->text == SECTION_FIELDS_NOT);
	for (; !is_done(k); at += n) {
		if (fetch_file_most(&f->file, at, t->to, &s, &last) == -1)
			return -1;
		if (s.n == 0)
			break;
		buf_reset(&f->piece);
		if (wire_fields_take(&w, s, last, &f->piece, &n) == -1 ||
		    sink_put(k, buf_view(&f->piece)) == -1)
			return -1;
	}
	return 0;
}

static int
make_decoded(struct fetch *f, const struct section_text_of *t,
    struct fetch_sink *k, bool *malformed)
{
	struct partial_memo	 m = resume(f, t, k->skip, true), before = m;
	struct buf		*to = t->lines ? &f->decoded : &f->piece;
	struct way		 w = { m, k->skip, f->file.whole };
	struct str		 s;

	k->skip -= m.made;
	k->count += m.made;
	for (; !is_done(k); m.at += s.n) {
		before = m;
		pass(f, &w, &m);
		if (fetch_file_some(&f->file, m.at, t->to, &s) == -1)
			return -1;
		buf_reset(&f->piece);
		buf_reset(&f->decoded);
		if ((s.n == 0 ? decode_end(&m.decode, to) :
		    decode_feed(&m.decode, s, to)) == -1 ||
		    (t->lines && wire_put(&f->piece, buf_view(to),
		    &m.last) == -1) || sink_put(k, buf_view(&f->piece)) == -1)
			return -1;
		if (s.n == 0)
			break;
		m.made += f->piece.n;
	}
	remember(f, k, &w, &before);
	*malformed = m.decode.malformed;
	return 0;
}

int
fetch_make(struct fetch *f, const struct fetch_section *want,
    const struct section_text_of *t, struct fetch_sink *k, bool *malformed)
{
	switch (t->how) {
	case TEXT_NONE:
	case TEXT_LEFT_OUT:
		return 0;
	case TEXT_RANGE:
		return make_range(f, t, k);
	case TEXT_KEPT:
		return sink_put(k, (struct str){ f->kept.p + t->kept,
		    (size_t)t->wire });
	case TEXT_FIELDS:
		return make_fields(f, want, t, k);
	case TEXT_DECODED:
		return make_decoded(f, t, k, malformed);
	}
	return 0;
}

/* What was announced has to come, or the client understands nothing any more. */
static int
fill(struct fetch *f, struct fetch_sink *k)
{
	char			some[1024];
	char			safe[LOG_SAFE_MAX], where[LOG_SAFE_MAX];
	struct str		s = { some, sizeof(some) };

	if (k->left == 0 || f->s->end != NULL)
		return 0;
	log_warn("fetch-short user=%s mailbox=%s uid=%lu missing=%llu",
	    log_safe(safe, sizeof(safe), str_from(f->s->user)),
	    log_safe(where, sizeof(where), str_from(
	    view_folder(f->s->view))),
	    (unsigned long)view_message(f->s->view, f->at)->uid,
	    (unsigned long long)k->left);
	memset(some, ' ', sizeof(some));
	while (!is_done(k))
		if (sink_put(k, s) == -1)
			return -1;
	return 0;
}

static int
put_literal(struct fetch *f, const struct fetch_section *want,
    const struct section_text_of *t)
{
	struct fetch_sink	k = { .s = f->s, .out = &f->out };
	uint64_t		n = t->wire;
	bool			binary, malformed;

	if (t->cut)
		k.skip = t->how == TEXT_KEPT ? 0 : want->from;
	else if (want->partial) {
		k.skip = want->from < n ? want->from : n;
		n = want->count < n - k.skip ? want->count : n - k.skip;
	}
	k.left = n;
	/* literal8, only where it must be (RFC 3516 4.3) */
	binary = want->kind == SECTION_BINARY && t->nul;
	k.plain = !binary;
	if (buf_adds(&f->out, binary ? " ~{" : " {") == -1 ||
	    buf_addu(&f->out, n) == -1 ||
	    buf_adds(&f->out, "}\r\n") == -1)
		return -1;
	if (fetch_make(f, want, t, &k, &malformed) == -1)
		fetch_failed(f, errno);	/* what is missing is filled */
	return fill(f, &k);
}

int
fetch_put_section(struct fetch *f, const struct fetch_section *want,
    const struct section_text_of *t)
{
	if (buf_addstr(&f->out, want->label) == -1)
		return -1;
	if (want->kind == SECTION_BINARY_SIZE)
		return buf_addc(&f->out, ' ') == -1 ? -1 :
		    buf_addu(&f->out, t->wire);
	return put_literal(f, want, t);
}

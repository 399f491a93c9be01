/* imapd/fetch_preview.c - the first words of a message (RFC 8970). */
#include <string.h>

#include "common/fmt/decode.h"
#include "common/fmt/imap.h"
#include "common/fmt/utf8.h"
#include "imapd/fetch_impl.h"

#define PREVIEW_CHARACTERS	200
#define PREVIEW_READ		(64u << 10)	/* of a part; markup may be long */
#define PREVIEW_STEP		4096u
#define PREVIEW_PARTS		16	/* that are looked at for one with text */
#define PREVIEW_ARENA	PARTS_ARENA_MAX

struct preview {
	struct decode		 decode;
	struct charset_state	 charset;
	struct untag		 untag;
	bool			 html;
	struct buf		 bytes, utf8, text;
	struct buf		*out;	/* the words */
	size_t			 n;	/* characters in it */
	bool			 blank;	/* one is due */
};

/* Blanks of all kinds are one; what controls is left out. */
static int
squeeze(struct preview *p, struct str s)
{
	size_t	i, n;

	for (i = 0; i < s.n && p->n < PREVIEW_CHARACTERS; i += n) {
		n = utf8_length((struct str){ s.p + i, s.n - i });
		if (n == 0)
			n = 1;
		if (n == 1 && ((unsigned char)s.p[i] <= ' ' ||
		    s.p[i] == 0x7f)) {
			p->blank = true;
			continue;
		}
		if (p->blank && p->n > 0) {
			if (buf_addc(p->out, ' ') == -1)
				return -1;
			if (++p->n == PREVIEW_CHARACTERS)
				break;
		}
		p->blank = false;
		if (buf_add(p->out, s.p + i, n) == -1)
			return -1;
		p->n++;
	}
	return 0;
}

/* bytes, which are decoded, become words. */
static int
take(struct preview *p, bool last)
{
	struct buf	*text = &p->utf8;

	buf_reset(&p->utf8);
	buf_reset(&p->text);
	if (charset_feed(&p->charset, buf_view(&p->bytes), &p->utf8) == -1 ||
	    (last && charset_end(&p->charset, &p->utf8) == -1))
		return -1;
	if (p->html) {
		if (untag_feed(&p->untag, buf_view(&p->utf8), &p->text) == -1)
			return -1;
		text = &p->text;
	}
	return squeeze(p, buf_view(text));
}

static int
read_part(struct fetch *f, struct preview *p, const struct part *part)
{
	struct str	s;
	uint64_t	at = part->body, to = part->end;
	bool		last = false;

	if (to - at > PREVIEW_READ)
		to = at + PREVIEW_READ;
	for (; !last && p->n < PREVIEW_CHARACTERS; at += s.n) {
		if (fetch_file_some(&f->file, at, to, &s) == -1)
			return -1;
		if (s.n > PREVIEW_STEP)
			s.n = PREVIEW_STEP;
		last = s.n == 0;
		buf_reset(&p->bytes);
		if ((last ? decode_end(&p->decode, &p->bytes) :
		    decode_feed(&p->decode, s, &p->bytes)) == -1 ||
		    take(p, last) == -1)
			return -1;
	}
	return 0;
}

/* What its header says. False: nothing that could be shown. */
static bool
begin_part(struct preview *p, const struct part *part, struct str header,
    struct arena *memory)
{
	const struct part_fields	*fields;
	const struct part_param		*param;
	const struct charset		*set = charset_find(STR("utf-8"));
	struct parts			*parts = parts_begin(memory);

	if (parts == NULL || parts_feed(parts, header) == -1 ||
	    parts_end(parts) == -1)
		return false;
	fields = parts_fields(parts, 0);
	p->html = fields->subtype.p != NULL &&
	    str_eq_nocase(fields->subtype, STR("html"));
	if (fields->subtype.p != NULL && !p->html &&
	    !str_eq_nocase(fields->subtype, STR("plain")))
		return false;
	for (param = fields->params; param != NULL; param = param->next)
		if (str_eq_nocase(param->name, STR("charset")))
			set = charset_find(param->value);
	if (set == NULL || (fields->disposition.p != NULL &&
	    str_eq_nocase(fields->disposition, STR("attachment"))))
		return false;
	decode_begin(&p->decode, (enum mime_encoding)part->encoding);
	charset_begin(&p->charset, set);
	untag_begin(&p->untag);
	return part->encoding != MIME_UNKNOWN;
}

/* The first part that has words. */
static int
search(struct fetch *f, struct preview *p, const struct cache_body *body)
{
	const struct part	*part;
	struct arena		 memory;
	struct str		 header;
	size_t			 i, looked = 0;
	int			 r = 0;
	bool			 ok, last;

	for (i = 0; r == 0 && p->n == 0 && i < body->nparts &&
	    looked < PREVIEW_PARTS; i++) {
		part = &body->parts[i];
		if (part->kind != PART_LEAF || !part->is_text ||
		    part->end == part->body)
			continue;
		looked++;
		if (fetch_file_most(&f->file, part->header, part->body,
		    &header, &last) == -1)
			return -1;
		arena_init(&memory, PREVIEW_ARENA);
		ok = begin_part(p, part, header, &memory);
		arena_free(&memory);
		if (ok)
			r = read_part(f, p, part);
	}
	return r;
}

int
fetch_preview(struct fetch *f, struct buf *out)
{
	struct preview		p = { .n = 0 };
	struct cache_body	body;
	struct buf		words;
	int			r = -1;

	if (f->file.fd == -1 &&
	    fetch_file_open(&f->file, &f->s->kept, f->s->view, f->at) == -1)
		return -1;
	buf_init(&p.bytes, 1u << 20);
	buf_init(&p.utf8, 1u << 20);
	buf_init(&p.text, 1u << 20);
	buf_init(&words, PREVIEW_CHARACTERS * 4);
	p.out = &words;
	if (view_body(f->s->view, f->at, &body) == 0 &&
	    search(f, &p, &body) == 0) {
		if (words.n > 0 && words.p[words.n - 1] == ' ')
			words.n--;
		r = imap_put_string(out, buf_view(&words),
		    session_utf8(f->s));
	}
	buf_free(&p.bytes);
	buf_free(&p.utf8);
	buf_free(&p.text);
	buf_free(&words);
	return r;
}

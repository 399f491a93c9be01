/*
 * imapd/fetch_section.c - where the sections of a message are, and how long, before anything of it is said: a message that
 * is gone, or a part that cannot be decoded, can still be left out.
 */
#include <errno.h>

#include "imapd/fetch_impl.h"
#include "imapd/fetch_wire.h"

/* The message's own header: its parts need not be known for it. */
static int
find_header(struct fetch *f)
{
	struct str	s;
	size_t		n;
	char		before = 0;
	bool		last, ended = false;

	if (f->head_known)
		return 0;
	f->head_to = f->head_wire = 0;
	while (!ended) {
		if (fetch_file_most(&f->file, f->head_to, f->file.size, &s,
		    &last) == -1)
			return -1;
		if (s.n == 0)
			break;
		ended = wire_header_end(s, last, &n);
		s.n = n;
		f->head_wire += wire_count(s, &before);
		f->head_to += n;
	}
	f->head_known = true;
	return 0;
}

/* Counted where all of it is at hand, else as it was counted once. */
static void
set_range(const struct fetch *f, struct section_text_of *t, uint64_t from,
    uint64_t to, uint64_t wire)
{
	char	before = 0;

	t->how = TEXT_RANGE;
	t->from = from < f->file.size ? from : f->file.size;
	t->to = to < f->file.size ? to : f->file.size;
	if (t->to < t->from)
		t->to = t->from;
	t->wire = wire;
	if (f->file.whole)
		t->wire = wire_count((struct str){ f->file.piece + t->from,
		    (size_t)(t->to - t->from) }, &before);
}

static int
of_message(struct fetch *f, const struct fetch_section *want,
    struct section_text_of *t)
{
	uint64_t	wire = 0;

	if (want->text != SECTION_ALL && find_header(f) == -1)
		return -1;
	if ((want->text == SECTION_ALL || want->text == SECTION_TEXT) &&
	    !f->file.whole && view_size(f->s->view, f->at, &wire) == -1)
		return -1;
	if (want->text == SECTION_ALL)
		set_range(f, t, 0, f->file.size, wire);
	else if (want->text == SECTION_TEXT)
		set_range(f, t, f->head_to, f->file.size,
		    wire > f->head_wire ? wire - f->head_wire : 0);
	else
		set_range(f, t, 0, f->head_to, f->head_wire);
	return 0;
}

static void
of_part(const struct fetch *f, const struct fetch_section *want,
    const struct cache_body *body, struct section_text_of *t)
{
	const struct part	*p;
	size_t			 i;

	t->how = TEXT_NONE;
	if (!parts_find(body->parts, body->nparts, want->part, want->npart, &i))
		return;
	p = &body->parts[i];
	t->encoding = p->kind == PART_LEAF ? (enum mime_encoding)p->encoding :
	    MIME_8BIT;
	t->lines = p->is_text != 0;
	if (want->text == SECTION_ALL) {
		set_range(f, t, p->body, p->end, p->body_wire);
		return;
	}
	if (want->text != SECTION_MIME) {
		if (p->kind != PART_MESSAGE || p->child == 0)
			return;
		p = &body->parts[p->child];
	}
	if (want->text == SECTION_TEXT)
		set_range(f, t, p->body, p->end, p->body_wire);
	else
		set_range(f, t, p->header, p->body, p->header_wire);
}

/* It has to be made to know how long it is, of a partial of BINARY no more than that; kept if it is small. */
static int
measure(struct fetch *f, const struct fetch_section *want,
    struct section_text_of *t)
{
	struct fetch_sink	k = { .out = &f->kept, .left = UINT64_MAX };
	bool			malformed = false;

	t->cut = want->partial && want->kind == SECTION_BINARY;
	if (t->cut) {
		k.skip = want->from;
		k.left = want->count;
	}
	t->kept = f->kept.n;
	if (fetch_make(f, want, t, &k, &malformed) == -1)
		return -1;
	t->wire = t->cut ? want->count - k.left : k.count;
	t->nul = k.nul;
	if (k.full)
		f->kept.n = t->kept;
	else
		t->how = TEXT_KEPT;
	if (malformed) {
		t->how = TEXT_LEFT_OUT;
		f->unknown_cte = true;
	}
	return 0;
}

static int
find(struct fetch *f, const struct fetch_section *want,
    const struct cache_body *body, struct section_text_of *t)
{
	*t = (struct section_text_of){ .encoding = MIME_8BIT };
	if (want->npart > 0)
		of_part(f, want, body, t);
	else if (of_message(f, want, t) == -1)
		return -1;
	if (t->how != TEXT_RANGE)
		return 0;
	if (want->text == SECTION_FIELDS || want->text == SECTION_FIELDS_NOT) {
		t->how = TEXT_FIELDS;
		return measure(f, want, t);
	}
	if (want->kind == SECTION_BODY)
		return 0;
	switch (t->encoding) {
	case MIME_7BIT:
	case MIME_8BIT:
	case MIME_BINARY:
		break;
	case MIME_QP:
	case MIME_BASE64:
		t->how = TEXT_DECODED;
		break;
	case MIME_UNKNOWN:
		t->how = TEXT_LEFT_OUT;
		f->unknown_cte = true;
		return 0;
	}
	return measure(f, want, t);
}

int
fetch_find_sections(struct fetch *f)
{
	struct cache_body	body = { .nparts = 0 };
	size_t			i;
	bool			parts = false;

	for (i = 0; i < f->r.nsections; i++)
		parts |= f->r.sections[i].npart > 0;
	if (fetch_file_open(&f->file, &f->s->kept, f->s->view, f->at) == -1)
		return -1;
	f->head_known = false;
	buf_reset(&f->kept);
	if (parts && view_body(f->s->view, f->at, &body) == -1)
		return -1;
	for (i = 0; i < f->r.nsections; i++)
		if (find(f, &f->r.sections[i], &body, &f->texts[i]) == -1)
			return -1;
	return 0;
}

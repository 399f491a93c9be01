/* common/fmt/words_subject.c - the base subject (RFC 5256 2.1, grammar in 5), by which messages are sorted and threaded; pure. */
#include "common/fmt/casemap.h"
#include "common/fmt/cur.h"
#include "common/fmt/words.h"

/* Step 1: tabs, folding and runs of blanks are one blank. */
static int
squeeze(struct str s, struct buf *out)
{
	bool	blank = false;
	size_t	i;
	char	c;

	if (buf_reserve(out, s.n) == -1)
		return -1;
	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c == '\t' || c == '\r' || c == '\n')
			c = ' ';
		if (c != ' ' || !blank)
			out->p[out->n++] = c;
		blank = c == ' ';
	}
	return 0;
}

/* Step 2. */
static void
cut_trailers(struct str *s, bool *reply)
{
	const struct str	fwd = STR("(fwd)");

	for (;;) {
		if (s->n > 0 && s->p[s->n - 1] == ' ') {
			s->n--;
		} else if (s->n >= fwd.n && str_eq_nocase(fwd,
		    (struct str){ s->p + s->n - fwd.n, fwd.n })) {
			s->n -= fwd.n;
			*reply = true;
		} else {
			return;
		}
	}
}

static void
skip_blanks(struct cur *c)
{
	while (cur_byte(c, ' '))
		;
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP */
static bool
blob(struct cur *in)
{
	struct cur	c = *in;

	if (!cur_byte(&c, '['))
		return false;
	while (!cur_done(&c) && *c.p != '[' && *c.p != ']')
		c.p++;
	if (!cur_byte(&c, ']'))
		return false;
	skip_blanks(&c);
	*in = c;
	return true;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool
refwd(struct cur *in)
{
	struct cur	c = *in;

	if (!cur_word(&c, STR("re")) && !cur_word(&c, STR("fwd")) &&
	    !cur_word(&c, STR("fw")))
		return false;
	skip_blanks(&c);
	blob(&c);
	if (!cur_byte(&c, ':'))
		return false;
	*in = c;
	return true;
}

/*
 * Steps 3 to 5 for what stands in front: blanks, blobs and "Re:". Blobs that no "Re:" follows go as well, one after the
 * other (step 4), but for the last one if nothing is behind it.
 */
static bool
cut_leader(struct str *s, bool *reply)
{
	struct cur	c = cur_from(*s), from;

	skip_blanks(&c);
	do {
		from = c;
	} while (blob(&c) && !cur_done(&c));
	if (cur_done(&c))
		c = from;	/* nothing but blobs: the last one stays */
	else if (refwd(&c))
		*reply = true;
	if (c.p == s->p)
		return false;
	*s = cur_rest(&c);
	return true;
}

/* Step 6. */
static bool
cut_forward(struct str *s, bool *reply)
{
	const struct str	head = STR("[fwd:");

	if (s->n <= head.n || !str_starts_nocase(*s, head) ||
	    s->p[s->n - 1] != ']')
		return false;
	s->p += head.n;
	s->n -= head.n + 1;
	*reply = true;
	return true;
}

int
words_base_subject(struct str subject, struct buf *out, bool *reply)
{
	struct buf	text;
	struct str	s;
	int		r = -1;

	*reply = false;
	buf_init(&text, subject.n);
	if (squeeze(subject, &text) == 0) {
		s = buf_view(&text);
		do {
			cut_trailers(&s, reply);
			while (cut_leader(&s, reply))
				;
		} while (cut_forward(&s, reply));
		r = casemap_put(out, s);
	}
	buf_free(&text);
	return r;
}

/* imapd/search_answer.c - RETURN options and ESEARCH responses; pure. Run by the session. */
#include "imapd/search_answer.h"

#include <string.h>

#include "common/fmt/imap.h"
#include "imapd/fetch_parse.h"

static const struct {
	const char	*name;
	unsigned	 bit;
} options[] = {
	{ "MIN", RETURN_MIN },
	{ "MAX", RETURN_MAX },
	{ "ALL", RETURN_ALL },
	{ "COUNT", RETURN_COUNT },
	{ "SAVE", RETURN_SAVE },
	{ "PARTIAL", RETURN_PARTIAL },
	{ "UPDATE", RETURN_UPDATE },
	{ "CONTEXT", RETURN_CONTEXT },
};

/* "1:100" or "-1:-100"; the ends may be the other way round, but are told in this one. */
static bool
partial_parse(struct cur *c, struct search_return *r)
{
	uint32_t	a, b;

	if (!imap_sp(c))
		return false;
	r->from_last = cur_byte(c, '-');
	if (!imap_nz_number(c, &a) || !cur_byte(c, ':') ||
	    cur_byte(c, '-') != r->from_last || !imap_nz_number(c, &b))
		return false;
	r->first = a < b ? a : b;
	r->last = a < b ? b : a;
	return true;
}

/* "(UID BODY[HEADER])" behind UPDATE, with a blank or without: the RFC has both. */
static bool
update_parse(struct cur *c, struct arena *a, struct search_return *r,
    const char **why)
{
	struct fetch_request	 atts;
	struct cur		 in = *c;
	const char		*p, *wrong;

	(void)imap_sp(&in);
	if (cur_peek(&in) != '(')
		return true;
	p = in.p;
	if (!fetch_parse_list(&in, a, &atts, &wrong)) {
		*why = wrong;
		return false;
	}
	r->update = (struct str){ p, (size_t)(in.p - p) };
	*c = in;
	return true;
}

static bool
option_parse(struct cur *c, struct arena *a, struct search_return *r,
    const char **why)
{
	struct str	name;
	size_t		i;

	if (!imap_atom(c, &name))
		return false;
	for (i = 0; i < nitems(options); i++)
		if (str_eq_nocase(name, str_from(options[i].name)))
			break;
	if (i == nitems(options) || (options[i].bit == RETURN_PARTIAL &&
	    ((r->want & RETURN_PARTIAL) != 0 || !partial_parse(c, r))))
		return false;
	r->want |= options[i].bit;
	return options[i].bit != RETURN_UPDATE || update_parse(c, a, r, why);
}

bool
search_return_parse(struct cur *in, struct arena *a, struct search_return *r,
    const char **why)
{
	struct cur	c = *in;

	memset(r, 0, sizeof(*r));
	if (!cur_word(&c, STR("RETURN ")))
		return true;
	*why = "RETURN options not understood";
	if (!cur_byte(&c, '('))
		return false;
	r->want = RETURN_GIVEN;
	if (!cur_byte(&c, ')')) {
		do
			if (!option_parse(&c, a, r, why))
				return false;
		while (imap_sp(&c));
		if (!cur_byte(&c, ')'))
			return false;
	}
	/* RFC 4731 3.1; CONTEXT is but a hint, and says nothing of what is wanted (RFC 5267 4.2) */
	if ((r->want & ~(unsigned)RETURN_CONTEXT) == RETURN_GIVEN)
		r->want |= RETURN_ALL;
	if ((r->want & RETURN_ALL) != 0 && (r->want & RETURN_PARTIAL) != 0) {
		*why = "ALL and PARTIAL exclude each other";
		return false;
	}
	*why = "search keys expected behind RETURN";
	if (!imap_sp(&c))
		return false;
	*in = c;
	return true;
}

void
search_partial(const struct search_return *r, size_t n, size_t *from,
    size_t *to)
{
	size_t	low = r->first < r->last ? r->first : r->last;
	size_t	high = r->first < r->last ? r->last : r->first;

	if (low > n) {
		*from = *to = 0;
		return;
	}
	if (high > n)
		high = n;
	*from = r->from_last ? n - high : low - 1;
	*to = r->from_last ? n - low + 1 : high;
}

int
esearch_put_set(struct buf *out, const uint32_t *numbers, size_t n)
{
	size_t	i, j;

	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && numbers[j - 1] != UINT32_MAX &&
		    numbers[j] == numbers[j - 1] + 1; j++)
			continue;
		buf_addf(out, "%s%u", i > 0 ? "," : "", numbers[i]);
		if (j > i + 1)
			buf_addf(out, ":%u", numbers[j - 1]);
	}
	return buf_ok(out) ? 0 : -1;
}

static int
put_partial(struct buf *out, const struct esearch *e)
{
	const char	*sign = e->ret->from_last ? "-" : "";
	size_t		 from, to;

	search_partial(e->ret, e->n, &from, &to);
	buf_addf(out, " PARTIAL (%s%u:%s%u ", sign, e->ret->first, sign,
	    e->ret->last);
	if (from == to)
		buf_adds(out, "NIL");
	else if (esearch_put_set(out, e->numbers + from, to - from) == -1)
		return -1;
	return buf_addc(out, ')');
}

int
esearch_put(struct buf *out, const struct esearch *e)
{
	unsigned	want = e->ret->want;

	buf_addf(out, "* ESEARCH (TAG \"%.*s\"", STR_ARG(e->tag));
	if (e->mailbox != NULL) {
		buf_adds(out, " MAILBOX ");
		buf_addstr(out, buf_view(e->mailbox));
		buf_addf(out, " UIDVALIDITY %u", e->uidvalidity);
	}
	buf_adds(out, e->uid ? ") UID" : ")");
	if ((want & RETURN_MIN) != 0 && e->n > 0)
		buf_addf(out, " MIN %u", e->numbers[0]);
	if ((want & RETURN_MAX) != 0 && e->n > 0)
		buf_addf(out, " MAX %u", e->numbers[e->n - 1]);
	if ((want & RETURN_COUNT) != 0)
		buf_addf(out, " COUNT %zu", e->n);
	if ((want & RETURN_ALL) != 0 && e->n > 0) {
		buf_adds(out, " ALL ");
		if (esearch_put_set(out, e->numbers, e->n) == -1)
			return -1;
	}
	if ((want & RETURN_PARTIAL) != 0 && put_partial(out, e) == -1)
		return -1;
	if (e->modseq != 0)
		buf_addf(out, " MODSEQ %llu", (unsigned long long)e->modseq);
	buf_adds(out, "\r\n");
	return buf_ok(out) ? 0 : -1;
}

/*
 * common/base/conf.c - the configuration's lexer and parser. Run by the
 * master (root) over the administrator's file and by every program over its
 * part; trusts the text to be anything at all.
 */
#include "common/base/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct word {
	struct buf	text;
	unsigned	col;
	bool		quoted;
};

struct parser {
	const char	*p, *end, *bol;		/* bol: start of the line */
	const char	*file;
	unsigned	 line;
	struct word	 words[CONF_WORDS];
	size_t		 nwords;
	unsigned	 start;			/* line of the statement */
	char		 prefix[CONF_KEY_MAX + 1];
	size_t		 prefix_len[CONF_DEPTH];	/* before each block */
	unsigned	 opened[CONF_DEPTH];		/* in which line */
	unsigned	 depth;
	char		*at_file;		/* from a position line, or NULL */
	unsigned	 at_line;
	struct diag	*why;
};

static const char *
place_file(const struct parser *ps)
{
	return ps->at_file != NULL ? ps->at_file : ps->file;
}

static unsigned
place_line(const struct parser *ps, unsigned line)
{
	return ps->at_file != NULL ? ps->at_line + (line - ps->start) : line;
}

static unsigned
column(const struct parser *ps)
{
	size_t	n = (size_t)(ps->p - ps->bol) + 1;

	return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

/* At the reader's place; errno is EINVAL, so that callers can tell a mistake from ENOMEM. */
static int
mistake(const struct parser *ps, const char *what)
{
	errno = EINVAL;
	return diag_at(ps->why, place_file(ps), place_line(ps, ps->line),
	    column(ps), "%s", what);
}

/* At a word of the statement. */
static int
mistake_at(const struct parser *ps, size_t word, const char *what)
{
	errno = EINVAL;
	return diag_at(ps->why, place_file(ps), place_line(ps, ps->start),
	    ps->words[word].col, "%s", what);
}

static int
no_memory(const struct parser *ps)
{
	return diag_errno(ps->why, "%s:%u", place_file(ps),
	    place_line(ps, ps->line));
}

static bool
at_eol(const struct parser *ps)
{
	return ps->p == ps->end || *ps->p == '\n' ||
	    (*ps->p == '\r' && ps->end - ps->p > 1 && ps->p[1] == '\n');
}

/* A backslash as the last byte of a line. */
static bool
at_join(const struct parser *ps)
{
	struct parser	next;

	if (ps->p == ps->end || *ps->p != '\\')
		return false;
	next.p = ps->p + 1;
	next.end = ps->end;
	return next.p < next.end && at_eol(&next);
}

/* Past the end of this line; the last one may lack its newline. */
static void
next_line(struct parser *ps)
{
	while (ps->p < ps->end && *ps->p != '\n')
		ps->p++;
	if (ps->p < ps->end) {
		ps->p++;
		ps->line++;
		ps->bol = ps->p;
	}
}

static void
skip_blanks(struct parser *ps)
{
	for (;;) {
		if (at_join(ps))
			next_line(ps);
		else if (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\t'))
			ps->p++;
		else
			break;
	}
}

static int
add_byte(struct parser *ps, struct word *w, char c)
{
	if (buf_addc(&w->text, c) == 0)
		return 0;
	if (errno == EMSGSIZE)
		return mistake(ps, "this word is too long, expected at most "
		    "4096 bytes");
	return no_memory(ps);
}

static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static int
bad_control(const struct parser *ps)
{
	return mistake(ps, "control character, expected text");
}

static int
quoted_word(struct parser *ps, struct word *w)
{
	static const char	from[] = "\"\\nt", to[] = "\"\\\n\t";
	const char		*at;
	char			 c;

	w->quoted = true;
	for (ps->p++; !at_eol(ps) && *ps->p != '"'; ps->p++) {
		c = *ps->p;
		if (is_control(c))
			return bad_control(ps);
		if (c == '\\') {
			ps->p++;
			if (at_eol(ps) || *ps->p == '\0' ||
			    (at = strchr(from, *ps->p)) == NULL)
				return mistake(ps, "unknown escape, expected "
				    "one of \\\" \\\\ \\n \\t");
			c = to[at - from];
		}
		if (add_byte(ps, w, c) == -1)
			return -1;
	}
	if (at_eol(ps))
		return mistake(ps, "a quoted word does not end, expected \"");
	ps->p++;
	if (!at_eol(ps) && *ps->p != ' ' && *ps->p != '\t')
		return mistake(ps, "text right after a quoted word, "
		    "expected a blank");
	return 0;
}

static int
plain_word(struct parser *ps, struct word *w)
{
	w->quoted = false;
	while (!at_eol(ps) && !at_join(ps) && *ps->p != ' ' && *ps->p != '\t') {
		if (is_control(*ps->p))
			return bad_control(ps);
		if (*ps->p == '"')
			return mistake(ps, "quote inside a word, expected "
			    "it at the beginning");
		if (add_byte(ps, w, *ps->p) == -1)
			return -1;
		ps->p++;
	}
	return 0;
}

/* The words of one statement, past its end of line; none for an empty line. */
static int
read_words(struct parser *ps)
{
	struct word	*w;

	ps->nwords = 0;
	for (;;) {
		skip_blanks(ps);
		if (at_eol(ps) || *ps->p == '#')
			break;
		if (ps->nwords == CONF_WORDS)
			return mistake(ps, "too many words, expected at most "
			    "63 after the key");
		if (ps->nwords == 0)
			ps->start = ps->line;
		w = &ps->words[ps->nwords++];
		buf_reset(&w->text);
		w->col = column(ps);
		if ((*ps->p == '"' ? quoted_word : plain_word)(ps, w) == -1)
			return -1;
	}
	next_line(ps);
	return 0;
}

static bool
is_mark(const struct parser *ps, size_t n, const char *mark)
{
	return n < ps->nwords && !ps->words[n].quoted &&
	    str_eq(buf_view(&ps->words[n].text), str_from(mark));
}

static bool
key_ok(const struct word *w)
{
	static const char	class[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t			i;

	if (w->quoted || w->text.n == 0 || w->text.p[0] < 'a' ||
	    w->text.p[0] > 'z')
		return false;
	for (i = 0; i < w->text.n; i++)
		if (memchr(class, w->text.p[i], sizeof(class) - 1) == NULL)
			return false;
	return w->text.p[i - 1] != '.';
}

/* prefix + first word into key. */
static int
full_key(const struct parser *ps, char key[CONF_KEY_MAX + 1])
{
	const struct buf	*t = &ps->words[0].text;
	size_t			 n = strlen(ps->prefix);

	if (!key_ok(&ps->words[0]))
		return mistake_at(ps, 0, "this is no key, expected a small "
		    "letter, then small letters, digits and \"-\"");
	if (t->n > CONF_KEY_MAX - n)
		return mistake_at(ps, 0, "this key is too long");
	memcpy(key, ps->prefix, n);
	memcpy(key + n, t->p, t->n);
	key[n + t->n] = '\0';
	return 0;
}

static int
open_block(struct parser *ps)
{
	char	key[CONF_KEY_MAX + 1];
	size_t	n;

	if (ps->nwords > 2)
		return mistake_at(ps, 2, "text after \"{\", expected the end "
		    "of the line");
	if (full_key(ps, key) == -1)
		return -1;
	if (ps->depth == CONF_DEPTH)
		return mistake_at(ps, 1, "blocks too deep, expected at most 4");
	if ((n = strlen(key)) == CONF_KEY_MAX)
		return mistake_at(ps, 0, "this key is too long");
	ps->prefix_len[ps->depth] = strlen(ps->prefix);
	ps->opened[ps->depth] = ps->start;
	memcpy(ps->prefix, key, n);
	ps->prefix[n] = '.';
	ps->prefix[n + 1] = '\0';
	ps->depth++;
	return 0;
}

static int
close_block(struct parser *ps)
{
	if (ps->nwords > 1)
		return mistake_at(ps, 1, "text after \"}\", expected the end "
		    "of the line");
	if (ps->depth == 0)
		return mistake_at(ps, 0, "\"}\" without \"{\", expected a key");
	ps->depth--;
	ps->prefix[ps->prefix_len[ps->depth]] = '\0';
	return 0;
}

static void
position_end(struct parser *ps)
{
	free(ps->at_file);
	ps->at_file = NULL;
}

static int
position(struct parser *ps)
{
	unsigned long long	n;

	position_end(ps);
	if (ps->nwords != 3 || str_number(buf_view(&ps->words[2].text),
	    UINT_MAX, &n) == -1)
		return mistake_at(ps, 0, "a wrong position, expected "
		    "\"position FILE LINE\"");
	if ((ps->at_file = str_dup(buf_view(&ps->words[1].text))) == NULL)
		return no_memory(ps);
	ps->at_line = (unsigned)n;
	return 0;
}

static void
stmt_free(struct conf_stmt *st)
{
	size_t	i;

	for (i = 0; st->words != NULL && i < st->nwords; i++)
		free(st->words[i].text);
	free(st->words);
	free(st->file);
	free(st);
}

/* *st owns what was made so far, also after -1 (ENOMEM). */
static int
fill_stmt(const struct parser *ps, struct conf_stmt *st)
{
	size_t	i;

	if ((st->file = strdup(place_file(ps))) == NULL)
		return -1;
	st->line = place_line(ps, ps->start);
	st->col = ps->words[0].col;
	st->nwords = ps->nwords - 1;
	st->words = calloc(st->nwords + 1, sizeof(*st->words));
	if (st->words == NULL)
		return -1;
	for (i = 0; i < st->nwords; i++) {
		st->words[i].col = ps->words[i + 1].col;
		st->words[i].text = str_dup(buf_view(&ps->words[i + 1].text));
		if (st->words[i].text == NULL)
			return -1;
	}
	return 0;
}

static int
add_stmt(struct parser *ps, struct conf_stmts *out)
{
	struct conf_stmt	*st;
	size_t			 i;

	for (i = 1; i < ps->nwords; i++)
		if (is_mark(ps, i, "{") || is_mark(ps, i, "}"))
			return mistake_at(ps, i, "a brace among words, "
			    "expected \"NAME {\" or \"}\" alone in a line");
	if ((st = calloc(1, sizeof(*st))) == NULL)
		return no_memory(ps);
	if (full_key(ps, st->key) == -1) {
		stmt_free(st);
		return -1;
	}
	if (fill_stmt(ps, st) == -1) {
		no_memory(ps);
		stmt_free(st);
		return -1;
	}
	TAILQ_INSERT_TAIL(out, st, link);
	position_end(ps);
	return 0;
}

static int
statement(struct parser *ps, struct conf_stmts *out)
{
	if (ps->nwords == 0)
		return 0;
	if (is_mark(ps, 0, "}"))
		return close_block(ps);
	if (is_mark(ps, 1, "{"))
		return open_block(ps);
	if (ps->depth == 0 && is_mark(ps, 0, "position"))
		return position(ps);
	return add_stmt(ps, out);
}

static int
parse_all(struct parser *ps, struct conf_stmts *out)
{
	while (ps->p < ps->end)
		if (read_words(ps) == -1 || statement(ps, out) == -1)
			return -1;
	if (ps->depth > 0) {
		errno = EINVAL;
		return diag_at(ps->why, ps->file, ps->line, column(ps),
		    "the file ends in the block opened in line %u, "
		    "expected \"}\"", ps->opened[ps->depth - 1]);
	}
	return 0;
}

int
conf_parse(struct str text, const char *file, struct conf_stmts *out,
    struct diag *why)
{
	struct parser	*ps;
	size_t		 i;
	int		 r, saved;

	if (text.n > CONF_FILE_MAX) {
		errno = EFBIG;
		return diag_at(why, file, 1, 1,
		    "the file is too long, expected at most 4 MiB");
	}
	if ((ps = calloc(1, sizeof(*ps))) == NULL)
		return diag_errno(why, "%s", file);
	ps->p = ps->bol = text.p;
	ps->end = text.p + text.n;
	ps->file = file;
	ps->line = 1;
	ps->why = why;
	for (i = 0; i < CONF_WORDS; i++)
		buf_init(&ps->words[i].text, CONF_WORD_MAX);
	r = parse_all(ps, out);
	saved = errno;
	for (i = 0; i < CONF_WORDS; i++)
		buf_free(&ps->words[i].text);
	position_end(ps);
	free(ps);
	errno = saved;
	return r;
}

void
conf_free(struct conf_stmts *list)
{
	struct conf_stmt	*st;

	while ((st = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, st, link);
		stmt_free(st);
	}
}

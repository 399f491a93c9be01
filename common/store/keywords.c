/* common/store/keywords.c - names of keywords, as Dovecot keeps them. */
#include "common/store/keywords.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/fmt/cur.h"
#include "common/store/uidlist_file.h"

#define TEXT_MAX	65536

bool
keyword_ok(struct str name)
{
	size_t	i;

	for (i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' ||
		    (unsigned char)name.p[i] >= 127 ||
		    strchr("(){%*\"\\]", name.p[i]) != NULL)
			return false;
	return name.n > 0 && name.n <= INDEX_KEYWORD_MAX;
}

void
keywords_parse(struct str text, char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct str		line;
	struct cur		c;
	unsigned long long	number;

	memset(names, 0, INDEX_KEYWORDS * sizeof(*names));
	while (str_take_line(&text, &line)) {
		c = cur_from(line);
		if (!cur_number(&c, INDEX_KEYWORDS - 1, &number) ||
		    !cur_byte(&c, ' ') || !keyword_ok(cur_rest(&c)) ||
		    keywords_find(names, cur_rest(&c)) != -1)
			continue;
		if (str_copy(names[number], sizeof(names[number]),
		    cur_rest(&c)) == -1)
			names[number][0] = '\0';
	}
}

int
keywords_find(char (*names)[INDEX_KEYWORD_MAX + 1], struct str name)
{
	int	i;

	for (i = 0; i < INDEX_KEYWORDS; i++)
		if (names[i][0] != '\0' &&
		    str_eq_nocase(str_from(names[i]), name))
			return i;
	return -1;
}

/* *cut: there is more of it than is read, and than anybody writes. */
static int
read_text(int dir, struct buf *text, bool *cut)
{
	*cut = false;
	if (inside_slurp(dir, KEYWORDS_FILE, text) == 0 || errno == ENOENT)
		return 0;
	if (errno != EMSGSIZE)
		return -1;
	*cut = true;
	while (text->n > 0 && text->p[text->n - 1] != '\n')
		text->n--;
	return 0;
}

/* Those of before that the text does not have, to its end and into the names. How many? */
static unsigned
keep(char (*before)[INDEX_KEYWORD_MAX + 1],
    char (*names)[INDEX_KEYWORD_MAX + 1], struct buf *text)
{
	unsigned	i, n = 0;

	for (i = 0; i < INDEX_KEYWORDS; i++) {
		if (names[i][0] != '\0' || before[i][0] == '\0' ||
		    keywords_find(names, str_from(before[i])) != -1)
			continue;
		memcpy(names[i], before[i], sizeof(names[i]));
		if (n++ == 0 && text->n > 0 && text->p[text->n - 1] != '\n')
			buf_addc(text, '\n');
		buf_addf(text, "%u %s\n", i, names[i]);
	}
	return n;
}

/*
 * A last line without its end, that says the beginning of what its letter
 * meant before, was cut: it is left out, as one that was lost.
 */
static void
drop_cut_line(char (*before)[INDEX_KEYWORD_MAX + 1], struct buf *text)
{
	struct cur		c;
	struct str		name, was;
	unsigned long long	number;
	size_t			at = text->n;

	while (at > 0 && text->p[at - 1] != '\n')
		at--;
	c = cur_from((struct str){ text->p + at, text->n - at });
	if (!cur_number(&c, INDEX_KEYWORDS - 1, &number))
		return;
	(void)cur_byte(&c, ' ');
	name = cur_rest(&c);
	was = str_from(before[number]);
	if (was.n > name.n && str_starts_nocase(was, name))
		text->n = at;
}

/* The file's names with those of before; *n: how many it has lost. */
static int
read_names(int dir, char (*names)[INDEX_KEYWORD_MAX + 1], struct buf *text,
    unsigned *n)
{
	char	before[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1];
	char	none[INDEX_KEYWORDS][INDEX_KEYWORD_MAX + 1] = { "" };
	bool	cut;

	if (read_text(dir, text, &cut) == -1)
		return -1;
	memcpy(before, names, sizeof(before));
	drop_cut_line(before, text);
	keywords_parse(buf_view(text), names);
	if (cut) {	/* what it says goes into one that can be read */
		buf_reset(text);
		(void)keep(names, none, text);
	}
	*n = keep(before, names, text) + (cut ? 1 : 0);
	return 0;
}

int
keywords_read(int dir, char (*names)[INDEX_KEYWORD_MAX + 1], bool *lost)
{
	struct buf	text;
	unsigned	n;
	int		r;

	buf_init(&text, TEXT_MAX);
	if ((r = read_names(dir, names, &text, &n)) == 0)
		*lost = n > 0;
	buf_free(&text);
	return r;
}

/* A letter that no line has taken, not even one that makes no sense. */
static int
free_number(struct str text, char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct str		line;
	struct cur		c;
	unsigned long long	number;
	bool			used[INDEX_KEYWORDS] = { false };
	int			i;

	while (str_take_line(&text, &line)) {
		c = cur_from(line);
		if (cur_number(&c, INDEX_KEYWORDS - 1, &number))
			used[number] = true;
	}
	for (i = 0; i < INDEX_KEYWORDS; i++)
		if (!used[i] && names[i][0] == '\0')
			return i;
	errno = EMLINK;
	return -1;
}

/* Under the lock. */
static int
add(int dir, int lock, struct str name, char (*names)[INDEX_KEYWORD_MAX + 1],
    struct buf *text)
{
	unsigned	lost;
	int		number;

	if (read_names(dir, names, text, &lost) == -1)
		return -1;
	if ((number = keywords_find(names, name)) != -1 && lost == 0) {
		uidlist_unlock(dir, KEYWORDS_LOCK);
		return number;
	}
	if (number == -1 && (number = free_number(buf_view(text), names)) == -1)
		return -1;
	if (text->n > 0 && text->p[text->n - 1] != '\n')
		buf_addc(text, '\n');
	if (keywords_find(names, name) == -1)
		buf_addf(text, "%d %.*s\n", number, STR_ARG(name));
	if (!buf_ok(text)) {
		errno = EFBIG;
		return -1;
	}
	if (uidlist_replace(dir, KEYWORDS_LOCK, lock, KEYWORDS_FILE,
	    buf_view(text)) == -1)
		return -1;
	keywords_parse(buf_view(text), names);
	return number;
}

/* Under the lock of the list: one of the keywords' own that is there is of somebody who died. */
static int
lock_both(int dir, bool indexed, int *list)
{
	int	lock = -1;

	if ((*list = uidlist_lock(dir, UIDLIST_LOCK, indexed)) == -1)
		return -1;
	if (unlinkat(dir, KEYWORDS_LOCK, 0) == 0 || errno == ENOENT)
		lock = uidlist_lock(dir, KEYWORDS_LOCK, indexed);
	if (lock == -1) {
		uidlist_unlock(dir, UIDLIST_LOCK);
		fdio_close(list);
	}
	return lock;
}

/* held: the keywords' own is still there: it has not become the file. */
static void
unlock_both(int dir, int *lock, int *list, bool held)
{
	if (held)
		uidlist_unlock(dir, KEYWORDS_LOCK);
	uidlist_unlock(dir, UIDLIST_LOCK);
	fdio_close(lock);
	fdio_close(list);
}

int
keywords_mend(int dir, bool indexed, char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct buf	text;
	unsigned	n;
	int		lock, list, r = -1;

	if ((lock = lock_both(dir, indexed, &list)) == -1)
		return -1;
	buf_init(&text, TEXT_MAX);
	if (read_names(dir, names, &text, &n) == 0 && buf_ok(&text))
		r = uidlist_replace(dir, KEYWORDS_LOCK, lock, KEYWORDS_FILE,
		    buf_view(&text));
	unlock_both(dir, &lock, &list, r == -1);
	buf_free(&text);
	return r;
}

int
keywords_make(int dir, struct str name, bool indexed,
    char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct buf	text;
	int		lock, list, number;

	if (!keyword_ok(name)) {
		errno = EINVAL;
		return -1;
	}
	if ((lock = lock_both(dir, indexed, &list)) == -1)
		return -1;
	buf_init(&text, TEXT_MAX);
	number = add(dir, lock, name, names, &text);
	unlock_both(dir, &lock, &list, number == -1);
	buf_free(&text);
	return number;
}

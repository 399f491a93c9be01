/* common/store/keywords.c - names of keywords, as Dovecot keeps them. */
#include "common/store/keywords.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/fdio.h"
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

static int
read_text(int dir, struct buf *text)
{
	return fdio_slurp_at(dir, KEYWORDS_FILE, text) == -1 &&
	    errno != ENOENT ? -1 : 0;
}

int
keywords_read(int dir, char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct buf	text;
	int		r;

	buf_init(&text, TEXT_MAX);
	if ((r = read_text(dir, &text)) == 0)
		keywords_parse(buf_view(&text), names);
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
	int	number;

	if (read_text(dir, text) == -1)
		return -1;
	keywords_parse(buf_view(text), names);
	if ((number = keywords_find(names, name)) != -1) {
		uidlist_unlock(dir, KEYWORDS_LOCK);
		return number;
	}
	if ((number = free_number(buf_view(text), names)) == -1)
		return -1;
	if (text->n > 0 && text->p[text->n - 1] != '\n')
		buf_addc(text, '\n');
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
make(int dir, struct str name, bool indexed,
    char (*names)[INDEX_KEYWORD_MAX + 1])
{
	struct buf	text;
	int		lock, number;

	if (unlinkat(dir, KEYWORDS_LOCK, 0) == -1 && errno != ENOENT)
		return -1;
	if ((lock = uidlist_lock(dir, KEYWORDS_LOCK, indexed)) == -1)
		return -1;
	buf_init(&text, TEXT_MAX);
	if ((number = add(dir, lock, name, names, &text)) == -1)
		uidlist_unlock(dir, KEYWORDS_LOCK);
	buf_free(&text);
	fdio_close(&lock);
	return number;
}

int
keywords_make(int dir, struct str name, bool indexed,
    char (*names)[INDEX_KEYWORD_MAX + 1])
{
	int	lock, number;

	if (!keyword_ok(name)) {
		errno = EINVAL;
		return -1;
	}
	if ((lock = uidlist_lock(dir, UIDLIST_LOCK, indexed)) == -1)
		return -1;
	number = make(dir, name, indexed, names);
	uidlist_unlock(dir, UIDLIST_LOCK);
	fdio_close(&lock);
	return number;
}

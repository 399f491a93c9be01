/*
 * common/store/index_look_courier.c - a folder that Courier has served: its keywords, which are in a directory of their own,
 * go into the names of the files. ":list" there has their names, an empty line, and "file:0 2"; what has changed since is in
 * files by the names of the messages (or ".N.name", older), with a name of a keyword on each line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/index_look.h"
#include "common/store/keywords.h"
#include "common/store/rename_new.h"

#define COURIER_DIR	"courierimapkeywords"
#define COURIER_NAMES	":list"
#define TEXT_MAX	(64u << 20)
#define NAMES_MAX	1000		/* keywords in it */

struct courier {
	struct look	*k;
	uint64_t	*bits;		/* by number in the listing */
	uint64_t	 names[NAMES_MAX];	/* bits of the keywords there */
	size_t		 nnames;
	bool		 old;		/* files ".N.name" */
};

/* 0: no letter is left, or it cannot be called so. */
static uint64_t
bit_of(struct look *k, struct str name)
{
	int	i = keyword_ok(name) ? keywords_find(k->x->keyword, name) : -1;

	if (i == -1 && keyword_ok(name))
		i = keywords_make(k->x->dir->root, name, true,
		    k->x->keyword);
	return i == -1 ? 0 : UINT64_C(1) << i;
}

static struct listed *
find(struct look *k, struct str base)
{
	return base.n == 0 ? NULL :
	    listing_find(&k->names, base, index_hash(k->x, base));
}

static void
take_line(struct courier *c, struct str line)
{
	struct str		base = maildir_name_base(line);
	struct listed		*e = find(c->k, base);
	struct cur		in;
	unsigned long long	i;
	uint64_t		bits = 0;

	if (e == NULL || base.n == line.n)
		return;
	in = cur_from((struct str){ line.p + base.n + 1,
	    line.n - base.n - 1 });
	do {
		(void)cur_skip_wsp(&in);
		if (cur_number(&in, NAMES_MAX, &i) && i < c->nnames)
			bits |= c->names[i];
	} while (cur_skip_wsp(&in));
	c->bits[e - c->k->names.names] = bits;
}

static void
take_list(struct courier *c, struct str text)
{
	struct str	line;

	while (str_take_line(&text, &line) && line.n > 0)
		if (c->nnames < NAMES_MAX)
			c->names[c->nnames++] = bit_of(c->k, line);
	while (str_take_line(&text, &line))
		take_line(c, line);
}

static int
take_file(void *arg, int dir, const char *file)
{
	struct courier		*c = arg;
	struct buf		 text;
	struct listed		*e;
	struct str		 rest, line;
	struct cur		 in = cur_from(str_from(file));
	unsigned long long	 number;
	uint64_t		 bits = 0;

	if (c->old != (cur_byte(&in, '.') && cur_number(&in, UINT64_MAX / 2,
	    &number) && cur_byte(&in, '.')))
		return 0;
	rest = c->old ? cur_rest(&in) : str_from(file);
	if ((e = find(c->k, maildir_name_base(rest))) == NULL)
		return 0;
	buf_init(&text, INDEX_KEYWORDS * INDEX_KEYWORD_MAX * 4);
	if (inside_slurp(dir, file, &text) == 0) {
		rest = buf_view(&text);
		while (str_take_line(&rest, &line))
			bits |= bit_of(c->k, line);
		c->bits[e - c->k->names.names] = bits;
	}
	buf_free(&text);
	return 0;
}

static int
rename_one(struct look *k, struct listed *e, uint64_t bits)
{
	int		 cur = k->x->dir->cur, r = 0;
	struct buf	 name;
	uint64_t	 keywords;
	uint8_t		 flags;

	index_flags(listing_info(&k->names, e), &flags, &keywords);
	if (e->is_new || (keywords | bits) == keywords)
		return 0;
	buf_init(&name, MAILDIR_NAME_MAX + 1);
	buf_addstr(&name, listing_base(&k->names, e));
	/* one whose name is too long, or that has gone, has none */
	if (index_letters(listing_info(&k->names, e), flags, keywords | bits,
	    &name) == 0 && buf_cstr(&name) != NULL && rename_new(cur,
	    listing_name(&k->names, e), cur, buf_cstr(&name)) == 0) {
		k->again = true;
		r = look_relist(k, e, name.p);
	}
	buf_free(&name);
	return r;
}

static int
take_keywords(struct courier *c, int dir)
{
	struct buf	text;
	size_t		i;
	int		r = 0;

	buf_init(&text, TEXT_MAX);
	if (inside_slurp(dir, COURIER_NAMES, &text) == 0)
		take_list(c, buf_view(&text));
	buf_free(&text);
	for (i = 0; i < 2 && r == 0; i++) {
		c->old = i == 0;
		r = fdio_each(dir, ".", take_file, c);
	}
	for (i = 0; i < c->k->names.n && r == 0; i++)
		if (c->bits[i] != 0)
			r = rename_one(c->k, &c->k->names.names[i], c->bits[i]);
	return r == 0 ? index_put_keywords(c->k->x) : -1;
}

int
look_courier(struct look *k)
{
	struct courier	*c;
	int		 dir, r = -1;

	if (!k->courier || k->x->lock == -1 || k->x->head.keywords.ino != 0)
		return 0;
	if ((dir = fdio_opendir(k->x->dir->root, COURIER_DIR)) == -1)
		return 0;
	if ((c = calloc(1, sizeof(*c))) != NULL &&
	    (c->bits = calloc(k->names.n + 1, sizeof(*c->bits))) != NULL) {
		c->k = k;
		r = take_keywords(c, dir);
	}
	if (c != NULL)
		free(c->bits);
	free(c);
	fdio_close(&dir);
	return r;
}

/*
 * common/store/box_courier.c - names for UIDL that Courier's POP3 server gave: courierpop3dsizelist, of which the first line is
 * "/3 <next> <validity>", and each other one "<file name> <size> <uid>:<validity>:<0 or 1>"; the message is called
 * "UID<uid>-<validity>", without a validity "UID<uid>", and by its file's name if uid is 0.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/box_courier.h"
#include "common/store/box_impl.h"

#define FILE_NAMES	"courierpop3dsizelist"
#define FILE_MAX	(64u << 20)
#define NUMBER_MAX	UINT64_MAX / 2

/* The last word of a line; the line ends before it then. */
static bool
last_word(struct str *line, struct str *word)
{
	size_t	n = line->n;

	while (n > 0 && line->p[n - 1] != ' ')
		n--;
	if (n == 0 || n == line->n)
		return false;
	*word = (struct str){ line->p + n, line->n - n };
	line->n = n - 1;
	return true;
}

static bool
parse(struct str line, struct str *base, char name[COURIER_NAME_SIZE])
{
	struct str		numbers, size;
	struct cur		in;
	unsigned long long	uid, validity;

	if (!last_word(&line, &numbers) || !last_word(&line, &size))
		return false;
	in = cur_from(numbers);
	if (!cur_number(&in, NUMBER_MAX, &uid) || !cur_byte(&in, ':') ||
	    !cur_number(&in, NUMBER_MAX, &validity) || !cur_byte(&in, ':'))
		return false;
	*base = maildir_name_base(line);
	name[0] = '\0';
	if (uid > 0 && validity > 0)
		snprintf(name, COURIER_NAME_SIZE, "UID%llu-%llu", uid,
		    validity);
	else if (uid > 0)
		snprintf(name, COURIER_NAME_SIZE, "UID%llu", uid);
	return uidlist_name_ok(*base);
}

bool
courier_head(struct str *text)
{
	struct str	line;

	return str_take_line(text, &line) && str_starts_nocase(line, STR("/3 "));
}

bool
courier_next(struct str *text, struct str *base, char name[COURIER_NAME_SIZE])
{
	struct str	line;

	while (str_take_line(text, &line))
		if (parse(line, base, name))
			return true;
	return false;
}

int
box_courier_read(struct box *b)
{
	int	r;

	buf_init(&b->courier, FILE_MAX);
	r = inside_slurp(b->dir.root, FILE_NAMES, &b->courier);
	if (r == -1)
		buf_free(&b->courier);
	return r == -1 && errno != ENOENT ? -1 : 0;
}

int
box_courier_names(struct box *b)
{
	struct box_entry	*e;
	struct str		 text = buf_view(&b->courier), base;
	char			 name[COURIER_NAME_SIZE];

	if (!courier_head(&text))
		return 0;
	while (courier_next(&text, &base, name)) {
		e = name[0] == '\0' ? NULL : box_find(b, base);
		if (e != NULL && !e->gone && e->m.uidl.n == 0 &&
		    box_list_name(b, e, name) == -1)
			return -1;
	}
	return 0;
}

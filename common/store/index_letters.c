/* common/store/index_letters.c - flags as Maildir has them; pure. */
#include <errno.h>
#include <string.h>

#include "common/store/index.h"
#include "common/store/view.h"

static uint16_t
flag_of(char letter)
{
	switch (letter) {
	case 'D':
		return VIEW_DRAFT;
	case 'F':
		return VIEW_FLAGGED;
	case 'R':
		return VIEW_ANSWERED;
	case 'S':
		return VIEW_SEEN;
	case 'T':
		return VIEW_DELETED;
	}
	return 0;
}

static struct str
letters_of(struct str info)
{
	if (info.n < 3 || memcmp(info.p, ":2,", 3) != 0)
		return (struct str){ "", 0 };
	return (struct str){ info.p + 3, info.n - 3 };
}

void
index_flags(struct str info, uint16_t *flags, uint32_t *keywords)
{
	struct str	in = letters_of(info);
	size_t		i;

	*flags = 0;
	*keywords = 0;
	for (i = 0; i < in.n; i++)
		if (in.p[i] >= 'a' && in.p[i] <= 'z')
			*keywords |= UINT32_C(1) << (in.p[i] - 'a');
		else
			*flags |= flag_of(in.p[i]);
}

/* Each letter once, in the order of ASCII, as Maildir wants it. */
int
index_letters(struct str old, uint16_t flags, uint32_t keywords,
    struct buf *out)
{
	struct str	in = letters_of(old);
	bool		has;
	int		c;

	buf_adds(out, ":2,");
	for (c = '!'; c < 256; c++) {
		if (c >= 'a' && c <= 'z')
			has = (keywords >> (c - 'a') & 1) != 0;
		else if (flag_of((char)c) != 0)
			has = (flags & flag_of((char)c)) != 0;
		else
			has = memchr(in.p, c, in.n) != NULL;
		if (has)
			buf_addc(out, (char)c);
	}
	if (buf_ok(out))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

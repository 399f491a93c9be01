/* common/store/index_letters.c - flags as Maildir has them; pure. */
#include <errno.h>
#include <string.h>

#include "common/store/index.h"
#include "common/store/keywords.h"
#include "common/store/view.h"

static uint8_t
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

/* Dovecot's letters, and what neither it nor anybody else gives a meaning. */
static const char	letters[INDEX_KEYWORDS + 1] =
    "abcdefghijklmnopqrstuvwxyz0123456789ABCEGHIJKLMNOQUVWXYZ";

char
keyword_letter(int number)
{
	return letters[number];
}

int
keyword_number(char letter)
{
	const char	*at;

	/* by far the most */
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a';
	at = memchr(letters, letter, INDEX_KEYWORDS);
	return at == NULL ? -1 : (int)(at - letters);
}

static struct str
letters_of(struct str info)
{
	if (info.n < 3 || memcmp(info.p, ":2,", 3) != 0)
		return (struct str){ "", 0 };
	return (struct str){ info.p + 3, info.n - 3 };
}

void
index_flags(struct str info, uint8_t *flags, uint64_t *keywords)
{
	struct str	in = letters_of(info);
	uint8_t		flag;
	int		number;
	size_t		i;

	*flags = 0;
	*keywords = 0;
	for (i = 0; i < in.n; i++)
		if ((flag = flag_of(in.p[i])) != 0)
			*flags |= flag;
		else if ((number = keyword_number(in.p[i])) != -1)
			*keywords |= UINT64_C(1) << number;
}

/* Each letter once, in the order of ASCII, as Maildir wants it. */
int
index_letters(struct str old, uint16_t flags, uint64_t keywords,
    struct buf *out)
{
	struct str	in = letters_of(old);
	bool		has;
	int		c, number;

	buf_adds(out, ":2,");
	for (c = '!'; c < 256; c++) {
		if ((number = keyword_number((char)c)) != -1)
			has = (keywords >> number & 1) != 0;
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

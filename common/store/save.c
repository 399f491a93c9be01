/*
 * common/store/save.c - messages are written into a folder, as the mailbox's user. Each is a draft in tmp/ until save_commit; what is
 * left there by a crash is nobody's, and goes by maildir_clean.
 */
#include "common/store/save.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/cur.h"
#include "common/store/keywords.h"
#include "common/store/save_impl.h"

#define CHUNK		65536
#define MEMORY_MAX	((size_t)SAVE_MAX * 1024)

int
save_begin(struct save **out, struct store *store, const char *folder,
    struct diag *why)
{
	struct save	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "save messages");
	s->store = store;
	s->alike_to = -1;
	arena_init(&s->memory, MEMORY_MAX);
	if (strlcpy(s->folder, folder, sizeof(s->folder)) >=
	    sizeof(s->folder)) {
		errno = ENAMETOOLONG;
		diag_errno(why, "save messages");
	} else if (arrivals_open(&s->arrivals, store, folder, why) == 0) {
		s->dir = *arrivals_maildir(s->arrivals);
		s->dir.how = store_durable(store, s->dir.cur);
		s->dir.flush = (struct flush){ 0 };
		*out = s;
		return 0;
	}
	save_abort(&s);
	return -1;
}

struct save_item *
save_add(struct save *s)
{
	struct save_item	*more;
	size_t			 cap = s->cap == 0 ? 4 : 2 * s->cap;

	if (s->n >= SAVE_MAX) {
		errno = E2BIG;
		return NULL;
	}
	if (s->n == s->cap) {
		if ((more = reallocarray(s->items, cap, sizeof(*more))) ==
		    NULL)
			return NULL;
		s->items = more;
		s->cap = cap;
	}
	s->items[s->n] = (struct save_item){ .fd = -1, .was_in = -1,
	    .guid = { "", 0 } };
	return &s->items[s->n++];
}

int
save_draft(struct save *s, struct save_item *item)
{
	struct maildir_draft	d;
	struct str		copy;

	if (maildir_begin(&s->dir, store_host(s->store), &d) == -1)
		return -1;
	if (arena_dup(&s->memory, str_from(d.name), &copy) == -1) {
		maildir_abort(&s->dir, &d);
		return -1;
	}
	item->tmp = copy.p;
	item->fd = d.fd;
	return 0;
}

/* In the order of ASCII, each once, as Maildir wants them. */
static int
put_info(struct save *s, const bool letters[128], const char **out)
{
	char		info[SAVE_INFO] = ":2,";
	struct str	copy;
	size_t		n = 3;
	int		c;

	for (c = '0'; c <= 'z' && n + 1 < sizeof(info); c++)
		if (letters[c])
			info[n++] = (char)c;
	if (arena_dup(&s->memory, (struct str){ info, n }, &copy) == -1)
		return -1;
	*out = copy.p;
	return 0;
}

int
save_info(struct save *s, const struct save_message *m, const char **out)
{
	static const struct { uint16_t flag; char letter; } flags[] = {
		{ VIEW_DRAFT, 'D' }, { VIEW_FLAGGED, 'F' },
		{ VIEW_ANSWERED, 'R' }, { VIEW_SEEN, 'S' },
		{ VIEW_DELETED, 'T' },
	};
	bool	letters[128] = { false };
	size_t	i;
	char	c;

	for (i = 0; i < nitems(flags); i++)
		letters[(size_t)flags[i].letter] =
		    (m->flags & flags[i].flag) != 0;
	for (i = 0; i < m->nkeywords; i++) {
		if (arrivals_keyword(s->arrivals, m->keywords[i], &c) == -1)
			return -1;
		if (c != 0)
			letters[(size_t)c] = true;
	}
	return put_info(s, letters, out);
}

/* The letter here of the keyword that has that number in the view; 0: none. */
static int
letter_here(struct save *s, struct view *v, unsigned number, char *out)
{
	const char	*name;

	if (s->letters_of != v) {
		memset(s->letters, 0, sizeof(s->letters));
		s->letters_of = v;
	}
	if (s->letters[number] == 0) {
		s->letters[number] = '-';
		if ((name = view_keyword(v, number)) != NULL &&
		    (arrivals_keyword(s->arrivals, str_from(name), out) == -1))
			return -1;
		if (name != NULL && *out != '\0')
			s->letters[number] = *out;
	}
	*out = s->letters[number];
	return 0;
}

int
save_info_from(struct save *s, struct view *v, const char *file,
    const char **out)
{
	struct str	from = maildir_name_flags(str_from(file));
	bool		letters[128] = { false };
	size_t		i;
	int		number;
	char		c;

	for (i = 0; i < from.n; i++) {
		c = from.p[i];
		if ((number = keyword_number(c)) != -1 &&
		    letter_here(s, v, (unsigned)number, &c) == -1)
			return -1;
		/* also what only others know, as 'P' */
		if (is_alnum((unsigned char)c))
			letters[(size_t)c] = true;
	}
	return put_info(s, letters, out);
}

int
save_open(struct save *s, const struct save_message *m)
{
	struct save_item	*item;

	if (s->out == NULL && (s->out = malloc(CHUNK)) == NULL)
		return -1;
	if ((item = save_add(s)) == NULL)
		return -1;
	s->out_n = 0;
	s->cr = false;
	s->last = '\0';
	s->date = m->date;
	if (save_info(s, m, &item->info) == -1 || save_draft(s, item) == -1) {
		s->n--;
		return -1;
	}
	s->open = true;
	return 0;
}

static int
flush_out(struct save *s)
{
	struct save_item	*item = &s->items[s->n - 1];

	if (fdio_write(item->fd, s->out, s->out_n) == -1)
		return -1;
	durable_early(item->fd, item->size, (off_t)s->out_n);
	item->size += (off_t)s->out_n;
	s->out_n = 0;
	return 0;
}

static int
put(struct save *s, const char *p, size_t n)
{
	size_t	some;

	while (n > 0) {
		if (s->out_n == CHUNK && flush_out(s) == -1)
			return -1;
		some = n < CHUNK - s->out_n ? n : CHUNK - s->out_n;
		memcpy(s->out + s->out_n, p, some);
		s->out_n += some;
		s->items[s->n - 1].wire += (off_t)some;
		s->last = p[some - 1];
		p += some;
		n -= some;
	}
	return 0;
}

static int
put_lf(struct save *s)
{
	/* on the wire it is CRLF, if there is no CR that stays */
	s->items[s->n - 1].wire += s->last != '\r';
	return put(s, "\n", 1);
}

int
save_write(struct save *s, struct str piece)
{
	struct str	line;
	const char	*lf;

	while (piece.n > 0) {
		if (s->cr && piece.p[0] != '\n' && put(s, "\r", 1) == -1)
			return -1;
		s->cr = false;
		lf = memchr(piece.p, '\n', piece.n);
		line = (struct str){ piece.p,
		    lf == NULL ? piece.n : (size_t)(lf - piece.p) };
		piece.p += line.n + (lf != NULL);
		piece.n -= line.n + (lf != NULL);
		if (line.n > 0 && line.p[line.n - 1] == '\r') {
			/* goes with the LF, which may come with the next piece */
			line.n--;
			s->cr = lf == NULL;
		}
		if (put(s, line.p, line.n) == -1 ||
		    (lf != NULL && put_lf(s) == -1))
			return -1;
	}
	return 0;
}

int
save_wait(struct save *s)
{
	int	fds[SAVE_OPEN], r = 0;
	size_t	i, n = 0;

	for (i = s->n; i > 0 && s->items[i - 1].fd != -1; i--)
		n++;
	if (n < SAVE_OPEN)
		return 0;
	for (i = 0; i < n; i++) {
		fds[i] = s->items[s->n - n + i].fd;
		durable_begin(s->dir.how, fds[i]);
	}
	if (s->dir.how == DURABLE_ORDERED)
		for (i = 0; i < n && r == 0; i++)
			r = durable_data(s->dir.how, fds[i]);
	else
		r = flush_all(&s->dir.flush, fds, n);
	for (i = 0; i < n; i++)
		fdio_close(&s->items[s->n - n + i].fd);
	s->names_only = true;
	return r;
}

int
save_end(struct save *s, uint64_t *wire)
{
	struct save_item	*item = &s->items[s->n - 1];
	struct timespec		 times[2] = { { .tv_nsec = UTIME_OMIT } };

	if ((s->cr && put(s, "\r", 1) == -1) || flush_out(s) == -1)
		return -1;
	s->cr = s->open = false;
	times[1].tv_sec = s->date;
	if (s->date != INT64_MIN && futimens(item->fd, times) == -1)
		return -1;
	s->bytes += (uint64_t)item->size;
	*wire = (uint64_t)item->wire;
	return save_wait(s);
}

uint64_t
save_bytes(const struct save *s)
{
	return s->bytes;
}

size_t
save_count(const struct save *s)
{
	return s->n;
}

void
save_abort(struct save **save)
{
	struct save	*s = *save;
	int		 saved = errno;
	size_t		 i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		if (s->items[i].tmp != NULL && !s->items[i].placed &&
		    !s->items[i].moved)
			unlinkat(s->dir.tmp, s->items[i].tmp, 0);
		fdio_close(&s->items[i].fd);
	}
	if (s->arrivals != NULL) {
		flush_close(&s->dir.flush);
		arrivals_close(&s->arrivals);
	}
	arena_free(&s->memory);
	free(s->items);
	free(s->out);
	free(s);
	*save = NULL;
	errno = saved;
}

/*
 * common/store/index_list.c - dovecot-uidlist and the index. What the list says of a UID that the index has given out
 * before (below its next UID) has to agree with it; what does not is a line of no use, and its message gets a new UID.
 */
#include "common/store/index.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/uidlist_file.h"

#define MORE_MAX	400	/* bytes of other fields of the head */
#define SEARCH_MAX	16	/* names that are looked for in a text */
#define DEAD_FREE	100	/* so many useless lines do not matter */

void
index_list_init(struct uid_list *l)
{
	*l = (struct uid_list){ .next = 1 };
	buf_init(&l->text, UIDLIST_MAX);
}

void
index_list_free(struct uid_list *l)
{
	buf_free(&l->text);
	index_list_init(l);
}

static void
stamp_of(const struct stat *st, struct index_file_stamp *s)
{
	s->ino = st->st_ino;
	s->size = (uint64_t)st->st_size;
	s->mtime = st->st_mtim.tv_sec * INT64_C(1000000000) +
	    st->st_mtim.tv_nsec;
}

/* All zero: it is not there. */
void
index_file_stamp(int dir, const char *name, struct index_file_stamp *s)
{
	struct stat	st;

	memset(s, 0, sizeof(*s));
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		stamp_of(&st, s);
}

bool
index_stamp_same(const struct index_file_stamp *a,
    const struct index_file_stamp *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime == b->mtime;
}

static int
read_list(const struct index *x, struct uid_list *l, const char *name)
{
	struct stat	st;
	int		fd, r;

	buf_reset(&l->text);
	memset(&l->stamp, 0, sizeof(l->stamp));
	l->usable = false;
	l->read = true;
	fd = openat(x->dir->root, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if ((r = fstat(fd, &st)) == 0) {
		stamp_of(&st, &l->stamp);
		/* one that is longer is damaged, and of no use */
		if (st.st_size < (off_t)UIDLIST_MAX)
			r = buf_reserve(&l->text, (size_t)st.st_size + 1) ==
			    -1 ? -1 : fdio_slurp(fd, &l->text);
	}
	fdio_close(&fd);
	l->lines = cur_from(buf_view(&l->text));
	l->usable = r == 0 && uidlist_head(&l->lines, &l->head);
	return r;
}

int
index_list_read(const struct index *x, struct uid_list *l)
{
	return read_list(x, l, UIDLIST_FILE);
}

/* It has the format that Dovecot's list once had; the next that is written is Dovecot's. */
int
index_list_read_courier(const struct index *x, struct uid_list *l)
{
	int	r = read_list(x, l, COURIER_LIST);

	memset(&l->stamp, 0, sizeof(l->stamp));
	return r;
}

/* The row that a line speaks of, SIZE_MAX: none. */
static size_t
row_of(const struct index *x, const struct uidlist_line *line, size_t guess)
{
	size_t				 i = index_find(x, line->uid, guess);
	const struct index_row		*r;

	if (i == index_count(x))
		return SIZE_MAX;
	r = index_row(x, i);
	return r->uid == line->uid && index_is_live(r) &&
	    str_eq(index_base(x, r), line->name) ? i : SIZE_MAX;
}

void
index_list_walk(const struct index *x, struct uid_list *l,
    bool (*known)(void *, const struct uidlist_line *), void *arg)
{
	struct cur		in = l->lines;
	struct uidlist_line	line;
	uint32_t		last = 0;
	size_t			i, guess = 0, listed = 0, skipped = 0;

	l->dead = 0;
	l->next = l->head.next;
	while (uidlist_next(&in, l->head.version, &last, &skipped, &line)) {
		if ((i = row_of(x, &line, guess)) != SIZE_MAX) {
			guess = i + 1;
			listed++;
		} else if (!known(arg, &line))
			l->dead++;
	}
	if (last >= l->next)
		l->next = last + 1;
	l->damaged = skipped > 0 || l->head.version != 3;
	l->unlisted = listed < x->live;
}

/* The rows from *at to that UID, but for one that has it; *at is behind them. */
static int
put_rows(const struct index *x, struct uidlist_draft *out, size_t *at,
    uint32_t uid)
{
	const struct index_row	*r;

	for (; *at < index_count(x); ++*at) {
		r = index_row(x, *at);
		if (r->uid >= uid)
			break;
		if (!index_is_live(r))
			continue;
		index_list_put(&out->text, r->uid, index_base(x, r),
		    index_guid(x, r), r->wire);
		if (uidlist_draft_send(out) == -1)
			return -1;
	}
	return 0;
}

/* The old lines that are of use, in their order, and between them the rows that had none. */
static int
put_old(const struct index *x, struct uid_list *l, uint32_t known,
    struct uidlist_draft *out)
{
	struct cur		in = l->lines;
	struct uidlist_line	line;
	uint32_t		last = 0;
	size_t			i, at = 0, skipped = 0;

	while (l->usable && uidlist_next(&in, l->head.version, &last,
	    &skipped, &line)) {
		i = row_of(x, &line, at);
		/* what came after our look is not ours to judge */
		if (i == SIZE_MAX && line.uid < known)
			continue;
		if (put_rows(x, out, &at, line.uid) == -1)
			return -1;
		if (at < index_count(x) && index_row(x, at)->uid == line.uid)
			at++;
		uidlist_put(&out->text, &line);
		if (uidlist_draft_send(out) == -1)
			return -1;
	}
	return put_rows(x, out, &at, UINT32_MAX);
}

/* G: the mailbox's identifier; the other fields as they are. */
static void
put_head(struct index *x, struct uid_list *l, struct buf *out)
{
	struct uidlist_head	 h = l->head;
	struct str		 id;
	char			 more[512];

	if (!l->usable)
		h = (struct uidlist_head){ .more = { "", 0 } };
	h.validity = x->head.validity;
	if (x->head.next > h.next)
		h.next = x->head.next;
	if (!uidlist_field(h.more, 'G', &id)) {
		index_mailbox_id(x);
		if (h.more.n > MORE_MAX)
			h.more.n = 0;
		h.more.n = (size_t)snprintf(more, sizeof(more), "G%s%s%.*s",
		    x->head.mailbox_id, h.more.n > 0 ? " " : "",
		    STR_ARG(h.more));
		h.more.p = more;
	}
	uidlist_put_head(out, &h);
}

/* Those without get UIDs. EOVERFLOW: there are not so many left. */
static int
assign(struct index *x, const struct uid_list *l, struct newcomer *who,
    size_t n)
{
	uint32_t	next = l->usable && l->next > x->head.next ? l->next :
	    x->head.next;
	size_t		i, wanting = 0;

	for (i = 0; i < n; i++) {
		newcomer_ahead(who, i, n);
		if (who[i].uid >= next)
			next = who[i].uid + 1;
		who[i].assigned = who[i].uid == 0 &&
		    uidlist_name_ok(who[i].base);
		wanting += who[i].assigned;
	}
	if (wanting > UINT32_MAX - next) {
		errno = EOVERFLOW;
		return -1;
	}
	for (i = 0; i < n; i++)
		if (who[i].assigned)
			who[i].uid = next++;
	x->head.next = next;
	return 0;
}

static int
put_assigned(const struct newcomer *who, size_t n, struct uidlist_draft *out)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		newcomer_ahead(who, i, n);
		if (!who[i].assigned)
			continue;
		index_list_put(&out->text, who[i].uid, who[i].base,
		    who[i].guid, who[i].wire);
		if (uidlist_draft_send(out) == -1)
			return -1;
	}
	return 0;
}

static bool
wants_rewrite(const struct index *x, const struct uid_list *l, size_t dead)
{
	struct str	id;

	if (l->reappeared)
		return true;
	if (l->read)
		return !l->usable || l->damaged || l->unlisted ||
		    l->head.validity != x->head.validity ||
		    !uidlist_field(l->head.more, 'G', &id) ||
		    dead > DEAD_FREE + x->live / 4;
	return x->head.list.ino == 0 || dead > DEAD_FREE + x->live / 4;
}

/* The list is read if that has not been done. */
static int
rewrite(struct index *x, struct uid_list *l, struct newcomer *who, size_t n,
    int lock)
{
	struct uidlist_draft	out;
	uint32_t		known = x->head.next;
	int			r = -1;

	if ((!l->read && index_list_read(x, l) == -1) ||
	    assign(x, l, who, n) == -1)
		return -1;
	uidlist_draft_init(&out, lock);
	put_head(x, l, &out.text);
	if (put_old(x, l, known, &out) == 0 &&
	    put_assigned(who, n, &out) == 0 &&
	    uidlist_draft_check(&out) == 0)
		r = uidlist_replace(x->dir->root, UIDLIST_LOCK, lock,
		    UIDLIST_FILE, buf_view(&out.text));
	if (r == 0)
		x->head.dead = 0;
	uidlist_draft_free(&out);
	return r;
}

/* The newcomers' lines behind the others. */
static int
add(struct index *x, struct uid_list *l, struct newcomer *who, size_t n)
{
	struct uidlist_draft	out;
	int			r = -1;

	if (assign(x, l, who, n) == -1)
		return -1;
	uidlist_draft_init(&out, -1);
	if (put_assigned(who, n, &out) == 0 && uidlist_draft_check(&out) == 0)
		r = uidlist_append(x->dir->root, buf_view(&out.text));
	uidlist_draft_free(&out);
	return r;
}

static bool
has_line(struct str list, struct str base)
{
	char	line[MAILDIR_NAME_MAX + 3];

	line[0] = ':';
	memcpy(line + 1, base.p, base.n);
	line[base.n + 1] = '\n';
	return memmem(list.p, list.n, line, base.n + 2) != NULL;
}

/*
 * The list has not changed since it was read, but has lines that are of no row. If these are of the newcomers' names, nobody may
 * find the old UIDs there.
 */
static int
look_for_dead(struct index *x, struct uid_list *l, const struct newcomer *who,
    size_t n)
{
	size_t	i;

	if (x->head.dead == 0)
		return 0;
	l->reappeared = n > SEARCH_MAX;
	if (l->reappeared || n == 0)
		return 0;
	if (index_list_read(x, l) == -1)
		return -1;
	for (i = 0; i < n && !l->reappeared; i++)
		l->reappeared = has_line(buf_view(&l->text), who[i].base);
	return 0;
}

static int
write_list(struct index *x, struct uid_list *l, struct newcomer *who,
    size_t n, int lock)
{
	struct index_file_stamp	now;
	uint32_t		before = x->head.next;
	bool			seen = l->read;
	int			r;

	if (!seen && look_for_dead(x, l, who, n) == -1)
		return -1;
	index_file_stamp(x->dir->root, UIDLIST_FILE, &now);
	if (!index_stamp_same(&now, seen ? &l->stamp : &x->head.list)) {
		errno = EAGAIN;
		return -1;
	}
	r = wants_rewrite(x, l, (size_t)x->head.dead) ?
	    rewrite(x, l, who, n, lock) : add(x, l, who, n);
	if (r == -1)
		x->head.next = before;
	else
		index_file_stamp(x->dir->root, UIDLIST_FILE, &x->head.list);
	return r;
}

int
index_list_number(struct index *x, struct uid_list *l, struct newcomer *who,
    size_t n)
{
	size_t	i, wanting = 0;
	int	lock, r;

	for (i = 0; i < n; i++)
		wanting += who[i].uid == 0;
	if (wanting == 0 && !wants_rewrite(x, l, (size_t)x->head.dead))
		return 0;
	lock = uidlist_lock(x->dir->root, UIDLIST_LOCK, true);
	if (lock == -1)
		return -1;
	if ((r = write_list(x, l, who, n, lock)) == -1) {
		uidlist_unlock(x->dir->root, UIDLIST_LOCK);
		for (i = 0; i < n; i++)
			if (who[i].assigned) {
				who[i].uid = 0;
				who[i].assigned = false;
			}
	}
	fdio_close(&lock);
	return r;
}

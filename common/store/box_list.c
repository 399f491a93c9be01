/*
 * common/store/box_list.c - the list of UIDs on disk, and the messages of a box;
 * its lock and how it is written: uidlist_file.h.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/base/now.h"
#include "common/store/box_impl.h"
#include "common/store/folder_lock.h"
#include "common/store/store.h"
#include "common/store/uidlist_file.h"

#define UIDL_MAX	70	/* RFC 1939, 7 */
#define DEAD_FREE	100	/* so many useless lines do not matter */

static void
forget(struct box *b)
{
	struct box_entry	*e;
	size_t			 i;

	for (i = 0; i < b->n; i++) {
		e = &b->entries[i];
		e->m.uid = 0;
		e->m.uidl = e->more = (struct str){ "", 0 };
		e->listed = false;
		e->size_kept = e->has_size &&
		    maildir_name_size(e->m.name, 'W', &e->size);
	}
	b->dead = 0;
	b->damaged = false;
}

int
box_list_name(struct box *b, struct box_entry *e, const char *text)
{
	struct buf	 more;
	int		 r;

	buf_init(&more, 65536 + e->more.n);
	buf_addf(&more, "P%s%s%.*s", text, e->more.n > 0 ? " " : "",
	    STR_ARG(e->more));
	r = !buf_ok(&more) ? -1 :
	    arena_dup(&b->names, buf_view(&more), &e->more);
	if (r == 0)
		(void)uidlist_field(e->more, 'P', &e->m.uidl);
	buf_free(&more);
	return r;
}

/* One that has no name for UIDL gets the one that it had elsewhere. */
static int
adopt(struct box *b, struct box_entry *e)
{
	char	text[UIDL_MAX + 1];

	return e->m.uidl.n > 0 || !uidlist_pop3_name(b->adopt, e->m.uid,
	    b->head.validity, e->m.name, text, sizeof(text)) ||
	    strchr(text, ' ') != NULL ? 0 : box_list_name(b, e, text);
}

int
box_list_adopt(struct box *b)
{
	size_t	i;

	for (i = 0; i < b->n; i++)
		if (b->entries[i].listed && adopt(b, &b->entries[i]) == -1)
			return -1;
	return 0;
}

static int
take_line(struct box *b, struct box_entry *e, const struct uidlist_line *l)
{
	struct str		size;
	unsigned long long	v;

	e->m.uid = l->uid;
	e->listed = true;
	if (l->more.n > 0 && arena_dup(&b->names, l->more, &e->more) == -1)
		return -1;
	if (!uidlist_field(e->more, 'P', &e->m.uidl))
		e->m.uidl.n = 0;
	if (b->adopt != NULL && adopt(b, e) == -1)
		return -1;
	if (e->size_kept || !uidlist_field(e->more, 'W', &size) ||
	    str_number(size, INT64_MAX, &v) == -1)
		return 0;
	e->size = v;
	e->has_size = e->size_kept = true;
	return 0;
}

static int
take_lines(struct box *b, struct cur in)
{
	struct uidlist_line	 l;
	struct box_entry	*e;
	uint32_t		 last = 0;
	size_t			 skipped = 0;

	while (uidlist_next(&in, b->head.version, &last, &skipped, &l)) {
		e = box_find(b, l.name);
		if (e == NULL || e->gone || e->listed)
			b->dead++;
		else if (take_line(b, e, &l) == -1)
			return -1;
	}
	if (last >= b->head.next)
		b->head.next = last + 1;
	if (skipped > 0 || b->head.version != 3)
		b->damaged = true;
	return 0;
}

/* Without a list, or with one that is none, UIDs begin anew: another validity. */
static void
begin_list(struct box *b, struct buf *text)
{
	uint32_t	now = (uint32_t)(now_real().tv_sec & 0x7fffffff);

	buf_reset(text);
	if (b->head.version != 0 || b->head.validity == 0)
		b->head.validity = now > b->head.validity ? now :
		    b->head.validity + 1;
	b->head.version = 0;
	b->head.next = 1;
	b->head.more = (struct str){ "", 0 };
	b->damaged = true;
}

/* Where there is none that of Courier's IMAP server has the UIDs that its clients know. */
static int
read_list(struct box *b, struct buf *text)
{
	if (inside_slurp(b->dir.root, UIDLIST_FILE, text) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	buf_reset(text);
	return inside_slurp(b->dir.root, COURIER_LIST, text) == -1 &&
	    errno != ENOENT ? -1 : 0;
}

int
box_load_uids(struct box *b, struct buf *text, struct diag *why)
{
	struct uidlist_head	h;
	struct cur		in;

	forget(b);
	buf_reset(text);
	if (read_list(b, text) == -1)
		return diag_errno(why, "read %s", UIDLIST_FILE);
	in = cur_from(buf_view(text));
	if (!uidlist_head(&in, &h)) {
		begin_list(b, text);
		h = b->head;
		in = cur_from(STR(""));
	}
	b->head = h;
	if (arena_dup(&b->names, h.more, &b->head.more) == -1 ||
	    take_lines(b, in) == -1 || box_courier_names(b) == -1)
		return diag_errno(why, "read %s", UIDLIST_FILE);
	return 0;
}

static bool
is_wanting(const struct box_entry *e)
{
	return !e->gone && e->m.uid == 0 && uidlist_name_ok(e->m.name);
}

static bool
too_many_dead(const struct box *b)
{
	return b->is_certain && b->dead > DEAD_FREE + b->n / 4;
}

/* What appending cannot do. */
static bool
needs_rewrite(const struct box *b)
{
	size_t	i;

	if (b->damaged || b->adopt != NULL || b->courier.n > 0 ||
	    too_many_dead(b))
		return true;
	for (i = 0; i < b->n; i++)
		if (b->entries[i].listed && b->entries[i].has_size &&
		    !b->entries[i].size_kept && !b->entries[i].gone)
			return true;
	return false;
}

static bool
has_news(const struct box *b)
{
	size_t	i;

	for (i = 0; i < b->n; i++)
		if (is_wanting(&b->entries[i]))
			return true;
	/* an empty box needs no first list */
	return b->head.version != 0 && needs_rewrite(b);
}

/* UIDs for those without; when the numbers are used up all begin anew. */
static int
assign(struct box *b, struct buf *text)
{
	size_t	i, n = 0;

	for (i = 0; i < b->n; i++)
		n += is_wanting(&b->entries[i]);
	if (n > UINT32_MAX - b->head.next) {
		if (b->head.validity == UINT32_MAX) {
			errno = EOVERFLOW;	/* no validity is left either */
			return -1;
		}
		forget(b);
		begin_list(b, text);
	}
	for (i = 0; i < b->n; i++)
		if (is_wanting(&b->entries[i]))
			b->entries[i].m.uid = b->head.next++;
	return 0;
}

static void
put_entry(struct buf *out, const struct box_entry *e)
{
	char			 size[32];
	struct uidlist_line	 l = { e->m.uid, e->more, e->m.name };
	struct buf		 more;

	if (e->size_kept || !e->has_size) {
		uidlist_put(out, &l);
		return;
	}
	buf_init(&more, 65536 + e->more.n);
	snprintf(size, sizeof(size), "W%llu", (unsigned long long)e->size);
	buf_adds(&more, size);
	if (e->more.n > 0) {
		buf_addc(&more, ' ');
		buf_addstr(&more, e->more);
	}
	l.more = buf_view(&more);
	uidlist_put(out, &l);
	if (!buf_ok(&more))
		out->bad = true;
	buf_free(&more);
}

/* In the order of the old list, then the new ones. */
static void
write_all(struct box *b, struct str old, uint32_t known, struct buf *out)
{
	struct cur		 in = cur_from(old);
	struct uidlist_head	 h;
	struct uidlist_line	 l;
	struct box_entry	*e;
	uint32_t		 last = 0;
	size_t			 i, skipped = 0;

	uidlist_put_head(out, &b->head);
	if (uidlist_head(&in, &h))
		while (uidlist_next(&in, h.version, &last, &skipped, &l)) {
			e = box_find(b, l.name);
			if (e != NULL && e->m.uid == l.uid &&
			    (!e->gone || !b->is_certain))
				put_entry(out, e);
			else if (e == NULL &&
			    (l.uid >= known || !b->is_certain))
				/* came after our scan, or was missed by it: not ours to judge */
				uidlist_put(out, &l);
		}
	for (i = 0; i < b->n; i++)
		if (!b->entries[i].listed && b->entries[i].m.uid != 0)
			put_entry(out, &b->entries[i]);
}

static int
write_list(struct box *b, int lock, struct buf *text, struct buf *out)
{
	struct diag	why;
	uint32_t	known = b->head.next;
	bool		all;
	size_t		i;
	int		r;

	if (box_load_uids(b, text, &why) == -1 || assign(b, text) == -1)
		return -1;
	/* IMAP may give this folder another's name: no two have one */
	if (b->head.version == 0 && store_validity_above(b->dir.root,
	    b->head.validity - 1, &b->head.validity) == -1)
		return -1;
	if ((all = needs_rewrite(b)))
		write_all(b, buf_view(text), known, out);
	else
		for (i = 0; i < b->n; i++)
			if (!b->entries[i].listed && b->entries[i].m.uid != 0)
				put_entry(out, &b->entries[i]);
	if (!buf_ok(out)) {
		errno = ENOMEM;
		return -1;
	}
	if (all)
		r = uidlist_replace(b->dir.root, UIDLIST_LOCK, lock,
		    UIDLIST_FILE, buf_view(out));
	else if (out->n > 0)
		r = uidlist_append(b->dir.root, buf_view(out));
	else
		r = unlinkat(b->dir.root, UIDLIST_LOCK, 0);
	return r;
}

/* What the list on disk says now. */
static void
note_written(struct box *b)
{
	struct box_entry	*e;
	size_t			 i;

	for (i = 0; i < b->n; i++) {
		e = &b->entries[i];
		if (e->m.uid != 0 && !e->gone) {
			e->listed = true;
			e->size_kept = e->has_size;
		}
	}
	if (b->damaged || too_many_dead(b))
		b->dead = 0;
	b->damaged = false;
	b->adopt = NULL;
	buf_free(&b->courier);
	b->head.version = 3;
}

int
box_save_uids(struct box *b)
{
	struct buf	text, out;
	int		folder, lock, r, saved;

	if (!has_news(b))
		return 0;
	/* without it a lock that is left behind blocks for two minutes, no more */
	folder = folder_lock(b->dir.root);
	lock = uidlist_lock(b->dir.root, UIDLIST_LOCK, folder != -1);
	if (lock == -1) {
		fdio_close(&folder);
		return -1;
	}
	buf_init(&text, UIDLIST_MAX);
	buf_init(&out, UIDLIST_MAX);
	if ((r = write_list(b, lock, &text, &out)) == 0)
		note_written(b);
	else {
		saved = errno;
		uidlist_unlock(b->dir.root, UIDLIST_LOCK);
		forget(b);
		b->damaged = true;
		errno = saved;
	}
	buf_free(&text);
	buf_free(&out);
	fdio_close(&lock);
	fdio_close(&folder);
	return r;
}

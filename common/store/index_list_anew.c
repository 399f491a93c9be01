/*
 * common/store/index_list_anew.c - the UIDs are used up: the folder begins another UIDVALIDITY, with UIDs from 1 in the order that
 * there was. The list says so first, durably; whoever has the folder open finds another validity, and has to leave it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/store/index.h"
#include "common/store/store_impl.h"
#include "common/store/uidlist_file.h"

#define ID_SIZE	16

void
index_list_put(struct buf *out, uint32_t uid, struct str base, struct str guid,
    uint64_t wire)
{
	uint64_t	named;

	if (!uidlist_name_ok(base))
		return;
	buf_addu(out, uid);
	buf_addc(out, ' ');
	if (wire != INDEX_UNKNOWN && !maildir_name_size(base, 'W', &named)) {
		buf_addc(out, 'W');
		buf_addu(out, wire);
		buf_addc(out, ' ');
	}
	if (guid.n > 0 && memchr(guid.p, ' ', guid.n) == NULL) {
		buf_addc(out, 'G');
		buf_addstr(out, guid);
		buf_addc(out, ' ');
	}
	buf_addc(out, ':');
	buf_addstr(out, base);
	buf_addc(out, '\n');
}

static void
make_id(char id[2 * ID_SIZE + 1])
{
	unsigned char	random[ID_SIZE];
	size_t		i;

	arc4random_buf(random, sizeof(random));
	for (i = 0; i < sizeof(random); i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
}

void
index_mailbox_id(struct index *x)
{
	if (x->head.mailbox_id[0] == '\0')
		make_id(x->head.mailbox_id);
}

/* What is written, line by line in the order of the old UIDs. */
struct anew {
	struct cur		 in;		/* the old list */
	unsigned		 version;
	struct uidlist_line	 line;		/* of it, the next one */
	uint32_t		 last;
	bool			 has_line;
	uint32_t		 next;		/* UID */
	struct buf		 out;
};

static void
step(struct anew *a)
{
	size_t	skipped = 0;

	a->has_line = uidlist_next(&a->in, a->version, &a->last, &skipped,
	    &a->line);
}

/* The old line, with all that it says, where there is one. */
static void
put_one(struct anew *a, uint32_t old, struct str base, struct str guid,
    uint64_t wire)
{
	while (a->has_line && a->line.uid < old)
		step(a);
	if (a->has_line && a->line.uid == old && str_eq(a->line.name, base)) {
		a->line.uid = a->next++;
		uidlist_put(&a->out, &a->line);
		step(a);
	} else
		index_list_put(&a->out, a->next++, base, guid, wire);
}

static void
put_all(struct anew *a, const struct index *x, const struct newcomer *who,
    size_t n)
{
	const struct index_row	*r;
	size_t			 i;

	for (i = 0; i < index_count(x); i++) {
		r = index_row(x, i);
		if (index_is_live(r))
			put_one(a, r->uid, index_base(x, r), index_guid(x, r),
			    r->wire);
	}
	for (i = 0; i < n; i++)
		if (uidlist_name_ok(who[i].base))
			put_one(a, who[i].uid == 0 ? UINT32_MAX : who[i].uid,
			    who[i].base, who[i].guid, who[i].wire);
}

/* What is gone stays in the table until that is written anew, beside the one before it. */
static void
renumber(struct index *x, uint32_t validity, struct newcomer *who, size_t n)
{
	uint32_t	uid = 0;
	size_t		i;

	x->ngone = x->ngone_tail = x->nrecent = 0;
	buf_reset(&x->out);
	for (i = 0; i < index_count(x); i++) {
		uid += index_is_live(index_row(x, i));
		index_row(x, i)->uid = uid;
	}
	for (i = 0; i < n; i++)
		who[i].uid = uidlist_name_ok(who[i].base) ? ++uid : 0;
	x->head.validity = validity;
	x->head.next = uid + 1;
	x->head.dead = 0;
	index_touch(x, index_next_modseq(x));
	x->head.floor = x->head.highest;
}

/* Under both locks; to the list, then to memory. */
static int
begin_anew(struct index *x, struct uid_list *l, struct newcomer *who,
    size_t n, int lock, struct anew *a, struct buf *text)
{
	struct uidlist_head	h = { .next = 1 };
	char			id[2 * ID_SIZE + 1], more[sizeof(id) + 1];

	if (store_raise_validity(x->store, l->usable && l->head.validity >
	    x->head.validity ? l->head.validity : x->head.validity) == -1 ||
	    store_next_validity(x->store, &h.validity) == -1)
		return -1;
	a->next = 1;
	put_all(a, x, who, n);
	/* it is another mailbox to clients (RFC 8474, 4) */
	make_id(id);
	snprintf(more, sizeof(more), "G%s", id);
	h.next = a->next;
	h.more = str_from(more);
	uidlist_put_head(text, &h);
	buf_addstr(text, buf_view(&a->out));
	if (!buf_ok(&a->out) || !buf_ok(text)) {
		errno = EFBIG;
		return -1;
	}
	if (uidlist_replace(x->dir->root, UIDLIST_LOCK, lock, UIDLIST_FILE,
	    buf_view(text)) == -1)
		return -1;
	renumber(x, h.validity, who, n);
	memcpy(x->head.mailbox_id, id, sizeof(id));
	return 0;
}

int
index_list_anew(struct index *x, struct uid_list *l, struct newcomer *who,
    size_t n)
{
	struct index_file_stamp	 now;
	struct anew		 a = { .next = 1 };
	struct buf		 text;
	int			 lock, r = -1;

	lock = uidlist_lock(x->dir->root, UIDLIST_LOCK, true);
	if (lock == -1)
		return -1;
	buf_init(&a.out, UIDLIST_MAX);
	buf_init(&text, UIDLIST_MAX);
	index_file_stamp(x->dir->root, UIDLIST_FILE, &now);
	errno = EAGAIN;
	if (index_stamp_same(&now, l->read ? &l->stamp : &x->head.list) &&
	    (l->read || index_list_read(x, l) == 0)) {
		a.in = l->lines;
		a.version = l->head.version;
		if (l->usable)
			step(&a);
		r = begin_anew(x, l, who, n, lock, &a, &text);
	}
	if (r == -1)
		uidlist_unlock(x->dir->root, UIDLIST_LOCK);
	else {
		index_file_stamp(x->dir->root, UIDLIST_FILE, &x->head.list);
		l->next = x->head.next;
	}
	buf_free(&text);
	buf_free(&a.out);
	fdio_close(&lock);
	return r;
}

/* imapd/notify_notes.c - changes of METADATA (RFC 5465 5.6, 5.7; RFC 5464 4.4.2): the names of entries whose values are others. */
#include <errno.h>
#include <stdlib.h>

#include "common/base/hash.h"
#include "imapd/mailboxes.h"
#include "imapd/metadata_file.h"
#include "imapd/metadata_use.h"
#include "imapd/notify_impl.h"

static int
by_name(const void *pa, const void *pb)
{
	const struct notify_note	*a = pa, *b = pb;

	return str_cmp(a->name, b->name);
}

/* What the user may see of it, in order. */
static int
collect(struct session *s, struct arena *a, const struct metadata *m,
    struct notify_note **notes, size_t *n)
{
	struct notify_note		*to;
	const struct metadata_entry	*e;

	*n = 0;
	*notes = to = arena_get(a, (m->n + 1) * sizeof(*to));
	if (to == NULL)
		return -1;
	for (e = m->e; e < m->e + m->n; e++) {
		if (!metadata_is_visible(s, e))
			continue;
		if (arena_dup(a, e->name, &to[*n].name) == -1)
			return -1;
		to[(*n)++].hash = hash_bytes(0, e->value.p, e->value.n);
	}
	qsort(to, *n, sizeof(*to), by_name);
	return 0;
}

/* Names of what is in one of the two lists, or different in them. */
static size_t
put_changes(struct session *s, struct buf *out, const struct notify_note *a,
    size_t na, const struct notify_note *b, size_t nb)
{
	size_t	i = 0, k = 0, n = 0;
	int	order;
	bool	same;

	while (i < na || k < nb) {
		order = i == na ? 1 : k == nb ? -1 :
		    str_cmp(a[i].name, b[k].name);
		same = order == 0 && a[i].hash == b[k].hash;
		if (!same) {
			buf_addc(out, ' ');
			(void)imap_put_astring(out, order <= 0 ? a[i].name :
			    b[k].name, session_utf8(s));
			n++;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

static void
tell(struct session *s, const struct notify_folder *f, bool server,
    const struct notify_note *now, size_t n)
{
	struct place	p;
	struct buf	out;

	buf_init(&out, 8u << 20);
	buf_adds(&out, "* METADATA ");
	notify_place(s, f, &p);
	if (server)
		buf_adds(&out, "\"\"");
	else if (place_put(s, &out, &p) == -1)
		out.bad = true;
	if (put_changes(s, &out, f->notes, f->nnotes, now, n) > 0 &&
	    buf_ok(&out)) {
		buf_adds(&out, "\r\n");
		say_buf(s, &out);
	}
	buf_free(&out);
}

int
notify_notes(struct session *s, struct arena *a, struct notify_folder *f,
    bool server, bool news)
{
	struct notify_note	*now;
	struct metadata		 m;
	struct arena		 read;
	struct place		 p;
	struct buf		 text;
	size_t			 n;
	int			 r = 0;

	arena_init(&read, 1u << 20);
	buf_init(&text, METADATA_FILE_MAX);
	notify_place(s, f, &p);
	/* what cannot be read has not changed */
	if (metadata_load(&p, server, &read, &text, &m) == 0) {
		if (!server)
			metadata_use_put(&m, str_from(s->user),
			    store_use(p.store, p.folder));
		if ((r = collect(s, a, &m, &now, &n)) == 0) {
			if (f->noted && news)
				tell(s, f, server, now, n);
			f->notes = now;
			f->nnotes = n;
			f->noted = true;
		}
	} else
		f->notes_dirty |= place_is_failure(errno);
	buf_free(&text);
	arena_free(&read);
	return r;
}

int
notify_notes_move(struct arena *a, struct notify_folder *f,
    const struct notify_folder *from)
{
	size_t	i;

	if (!from->noted)
		return 0;
	f->notes = arena_get(a, (from->nnotes + 1) * sizeof(*f->notes));
	if (f->notes == NULL)
		return -1;
	for (i = 0; i < from->nnotes; i++) {
		if (arena_dup(a, from->notes[i].name, &f->notes[i].name) == -1)
			return -1;
		f->notes[i].hash = from->notes[i].hash;
	}
	f->nnotes = from->nnotes;
	f->noted = true;
	return 0;
}

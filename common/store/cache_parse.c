/* common/store/cache_parse.c - a message's file, parsed as far as is asked for. Run by a session as the mailbox's user. */
#include <errno.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/fdio.h"
#include "common/fmt/date.h"
#include "common/fmt/header.h"
#include "common/fmt/structure.h"
#include "common/store/cache.h"

#define FIRST_READ	8192u	/* nearly every header is shorter */
#define PIECE		65536u
#define TEXT_MAX	(1u << 26)

static bool
field(struct str header, struct str name, struct str *body)
{
	struct header_field	f;
	struct cur		c = cur_from(header);

	while (header_next_any(&c, &f))
		if (str_eq_nocase(f.name, name)) {
			*body = f.body;
			return true;
		}
	return false;
}

static void
read_date(struct str header, struct cache_head *out)
{
	struct str	body;
	struct cur	c;
	int		zone = 0;

	out->has_date = false;
	out->sent = 0;
	out->zone = 0;
	if (!field(header, STR("date"), &body))
		return;
	c = cur_from(body);
	if (date_parse(&c, &out->sent, &zone)) {
		out->has_date = true;
		out->zone = (int16_t)zone;
	}
}

/* All texts are one behind the other. */
static int
read_head(struct arena *a, struct str header, struct buf *b,
    struct cache_head *out)
{
	struct str	id, all;
	size_t		envelope, references;

	read_date(header, out);
	if (envelope_put(b, header) == -1)
		return -1;
	envelope = b->n;
	if (references_put(b, header) == -1)
		return -1;
	references = b->n - envelope;
	if (field(header, STR("message-id"), &id) &&
	    references_put_first(b, id) == -1)
		return -1;
	if (arena_dup(a, buf_view(b), &all) == -1)
		return -1;
	out->envelope = (struct str){ all.p, envelope };
	out->references = (struct str){ all.p + envelope, references };
	out->message_id = (struct str){ all.p + envelope + references,
	    all.n - envelope - references };
	return 0;
}

/* Has the empty line come? */
static bool
is_whole(struct str header)
{
	size_t	n = header_length(header);

	return n < header.n || (n > 0 && (n == 1 ? header.p[0] == '\n' :
	    header.p[n - 1] == '\n' && (header.p[n - 2] == '\n' ||
	    (header.p[n - 2] == '\r' &&
	    (n == 2 || header.p[n - 3] == '\n')))));
}

int
cache_parse_head(int fd, struct arena *a, struct cache_head *out)
{
	char		first[FIRST_READ], *all = first;
	struct str	header = { first, 0 };
	struct buf	b;
	ssize_t		n;
	int		r = -1;

	if ((n = fdio_pread(fd, first, sizeof(first), 0)) == -1)
		return -1;
	if (n == sizeof(first) && !is_whole((struct str){ first, FIRST_READ })) {
		if ((all = arena_get(a, PARTS_HEADER_MAX)) == NULL ||
		    (n = fdio_pread(fd, all, PARTS_HEADER_MAX, 0)) == -1)
			return -1;
	}
	header = (struct str){ all, (size_t)n };
	header.n = header_length(header);
	buf_init(&b, TEXT_MAX);
	if (buf_reserve(&b, 2048) == 0)
		r = read_head(a, header, &b, out);
	buf_free(&b);
	return r;
}

static struct parts *
parse_file(int fd, struct arena *a, uint64_t *size)
{
	char		 piece[PIECE];
	struct parts	*p;
	ssize_t		 n;

	*size = 0;
	if ((p = parts_begin(a)) == NULL)
		return NULL;
	do {
		if ((n = fdio_pread(fd, piece, sizeof(piece),
		    (off_t)*size)) == -1 ||
		    parts_feed(p, (struct str){ piece, (size_t)n }) == -1)
			return NULL;
		*size += (uint64_t)n;
	} while (n == sizeof(piece));
	return parts_end(p) == -1 ? NULL : p;
}

int
cache_parse(int fd, struct arena *a, struct cache_head *head,
    struct cache_body *body)
{
	struct parts	*p;
	struct buf	 b;
	int		 r = -1;

	if ((p = parse_file(fd, a, &body->size)) == NULL)
		return -1;
	body->parts = parts_list(p, &body->nparts);
	body->wire = body->parts->header_wire + body->parts->body_wire;
	buf_init(&b, TEXT_MAX);
	if (buf_reserve(&b, 4096) == 0 &&
	    read_head(a, parts_fields(p, 0)->header, &b, head) == 0) {
		buf_reset(&b);
		if (structure_put(&b, p, true) == 0)
			r = arena_dup(a, buf_view(&b), &body->bodystructure);
	}
	buf_free(&b);
	return r;
}

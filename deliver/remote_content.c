/* deliver/remote_content.c - from the spool file to the connection, in large pieces. */
#include "deliver/remote_content.h"

#include <errno.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/fmt/dot.h"
#include "common/fmt/header.h"

/* Reads n bytes at the offset of the content; a file that ends early is an error. */
static int
read_piece(const struct job *j, off_t at, char *to, size_t n)
{
	ssize_t	r = fdio_pread(j->fd, to, n, j->at + at);

	if (r == (ssize_t)n)
		return 0;
	if (r != -1)
		errno = EIO;
	return -1;
}

static size_t
piece_at(const struct job *j, off_t at)
{
	return j->len - at < (off_t)SEND_PIECE ? (size_t)(j->len - at) :
	    SEND_PIECE;
}

static bool
has_eightbit(const char *p, size_t n)
{
	unsigned char	all = 0;
	size_t		i;

	for (i = 0; i < n; i++)
		all |= (unsigned char)p[i];
	return all > 127;
}

int
content_scan(const struct job *j, struct content_facts *f)
{
	char	piece[SEND_PIECE];
	size_t	n, head = 0;
	off_t	at;

	*f = (struct content_facts){ false, false };
	for (at = 0; at < j->len; at += (off_t)n) {
		n = piece_at(j, at);
		if (read_piece(j, at, piece, n) == -1)
			return -1;
		/* a longer header than a piece counts as body from there on */
		head = at > 0 ? 0 : header_length((struct str){ piece, n });
		f->header |= has_eightbit(piece, head);
		f->body |= has_eightbit(piece + head, n - head);
	}
	return 0;
}

static int
unreadable(struct session *s, struct verdict *why)
{
	s->broken = true;
	verdict_set(why, "4.3.0", "read the message: %s", strerror(errno));
	return -1;
}

int
send_plain(struct session *s, const struct job *j, struct verdict *why)
{
	struct buf	*out = &s->conn.out;
	size_t		 n;
	off_t		 at;

	for (at = 0; at < j->len; at += (off_t)n) {
		n = piece_at(j, at);
		if (buf_reserve(out, n) == -1 ||
		    read_piece(j, at, out->p + out->n, n) == -1)
			return unreadable(s, why);
		out->n += n;
		if (at + (off_t)n < j->len && session_flush(s,
		    s->r->set->remote.block_timeout, why) == -1)
			return -1;
	}
	return 0;
}

/* A piece with its dots, into the buffer of the session; flushed unless it is the last one. */
static int
send_piece(struct session *s, struct dot_out *dots, struct str piece, bool last,
    struct verdict *why)
{
	if (dot_out_add(dots, piece, false, &s->conn.out) == -1)
		return unreadable(s, why);
	return last ? 0 : session_flush(s, s->r->set->remote.block_timeout,
	    why);
}

int
send_dots(struct session *s, const struct job *j, struct verdict *why)
{
	char		piece[SEND_PIECE];
	struct dot_out	dots;
	size_t		n;
	off_t		at;

	dot_out_init(&dots);
	for (at = 0; at < j->len; at += (off_t)n) {
		n = piece_at(j, at);
		if (read_piece(j, at, piece, n) == -1)
			return unreadable(s, why);
		if (send_piece(s, &dots, (struct str){ piece, n },
		    at + (off_t)n == j->len, why) == -1)
			return -1;
	}
	return dot_out_end(&dots, &s->conn.out) == 0 ? 0 : unreadable(s, why);
}

int
content_plan(const struct job *j, struct downgrade *d)
{
	char	piece[SEND_PIECE];
	size_t	n;
	off_t	at;

	for (at = 0; at < j->len; at += (off_t)n) {
		n = piece_at(j, at);
		if (read_piece(j, at, piece, n) == -1 ||
		    downgrade_add(d, (struct str){ piece, n }) == -1)
			return -1;
	}
	return downgrade_end(d);
}

/* Base64 and escapes make up to three times as much of it, headers come at once. */
#define WIRE_MAX	(4 * SEND_PIECE + 2 * DOWNGRADE_HEAD)

int
send_downgraded(struct session *s, const struct job *j, struct downgrade *d,
    struct verdict *why)
{
	char		piece[SEND_PIECE];
	struct dot_out	dots;
	struct buf	wire;
	size_t		n;
	off_t		at;
	int		r = 0;

	buf_init(&wire, WIRE_MAX);
	dot_out_init(&dots);
	downgrade_write(d, &wire);
	for (at = 0; at < j->len && r == 0; at += (off_t)n) {
		n = piece_at(j, at);
		if (read_piece(j, at, piece, n) == -1 ||
		    downgrade_add(d, (struct str){ piece, n }) == -1)
			r = unreadable(s, why);
		else
			r = send_piece(s, &dots, buf_view(&wire), false, why);
		buf_reset(&wire);
	}
	if (r == 0 && (downgrade_end(d) == -1 || dot_out_add(&dots,
	    buf_view(&wire), false, &s->conn.out) == -1 ||
	    dot_out_end(&dots, &s->conn.out) == -1))
		r = unreadable(s, why);
	buf_free(&wire);
	return r;
}

/* tests/unit/test_deflate_layer.c - what a peer may send compressed, and what it is sent; over a pair of sockets. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/attr.h"
#include "common/base/fdio.h"
#include "imapd/deflate_layer.h"

static struct conn	c;
static int		peer;

static void
setup(void)
{
	int	fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fd), 0);
	ck_assert_int_eq(fdio_nonblock(fd[0], 1), 0);
	conn_init(&c, fd[0]);
	ck_assert_int_eq(deflate_layer_begin(&c, 1), 0);
	peer = fd[1];
}

static void
teardown(void)
{
	conn_close(&c);
	if (peer != -1)
		fdio_close(&peer);
}

/* The bytes as raw deflate, flushed or ended. */
static size_t
packed(const void *p, size_t n, int flush, unsigned char *out, size_t size)
{
	z_stream	z = { .zalloc = NULL };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 9,
	    Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (z_const Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)size;
	(void)deflate(&z, flush);
	size -= z.avail_out;
	(void)deflateEnd(&z);
	return size;
}

/*
 * What is sent (as it is, or a text that is compressed), how much of it at most; what is read, and how it ends: 0 end of file, an
 * errno otherwise. The peer closes behind it if close is set.
 */
static const struct {
	const char	*text, *raw;
	size_t		 nraw;
	int		 flush;
	size_t		 cut;		/* bytes at the end that do not come */
	bool		 close;
	const char	*gets;
	int		 error;
} rows[] = {
	{ "a NOOP\r\n", NULL, 0, Z_SYNC_FLUSH, 0, true, "a NOOP\r\n", 0 },
	{ "a NOOP\r\n", NULL, 0, Z_SYNC_FLUSH, 0, false, "a NOOP\r\n", ETIMEDOUT },
	{ "a NOOP\r\n", NULL, 0, Z_FINISH, 0, false, "a NOOP\r\n", 0 },
	{ "a NOOP\r\n", NULL, 0, Z_SYNC_FLUSH, 7, true, "a NOOP", 0 },
	{ "", NULL, 0, Z_SYNC_FLUSH, 0, true, "", 0 },
	{ "", NULL, 0, Z_FINISH, 0, false, "", 0 },
	{ NULL, "\xff\xff\xff\xff", 4, 0, 0, false, "", EBADMSG },
	{ NULL, "\x00\x05\x00\x00\x00hello", 10, 0, 0, false, "", EBADMSG },	/* lengths that do not match */
	{ NULL, "\x00\x05\x00\xfa\xffhello\x07", 11, 0, 0, false, "hello", EBADMSG },	/* no such kind of block */
	{ NULL, "\x00\x05\x00\xfa\xffhel", 8, 0, 0, true, "hel", 0 },
	{ NULL, "\x01\x05\x00\xfa\xffhello\xff\xff", 12, 0, 0, false, "hello", 0 },	/* behind the end */
	{ NULL, "\x4b\x04\x42\x00", 4, 0, 0, false, "a", EBADMSG },	/* further back than there is anything */
};

START_TEST(from_the_peer)
{
	unsigned char	 raw[256];
	const char	*send = rows[_i].raw;
	size_t		 n = rows[_i].nraw;
	int		 r;

	if (rows[_i].text != NULL) {
		n = packed(rows[_i].text, strlen(rows[_i].text),
		    rows[_i].flush, raw, sizeof(raw)) - rows[_i].cut;
		send = (const char *)raw;
	}
	ck_assert_int_eq(fdio_write(peer, send, n), 0);
	if (rows[_i].close)
		fdio_close(&peer);
	errno = 0;
	while ((r = conn_fill(&c, 30)) == 1)
		errno = 0;
	ck_assert_int_eq(r, rows[_i].error == 0 ? 0 : -1);
	if (r == -1)
		ck_assert_int_eq(errno, rows[_i].error);
	ck_assert(str_eq(conn_pending(&c), str_from(rows[_i].gets)));
}
END_TEST

/* 64 MiB of nothing in 64 KiB: comes as the reader has room, and what is not read yet is not there yet. */
START_TEST(bomb)
{
	const size_t	 all = (size_t)64 << 20;
	unsigned char	*zeros = calloc(1, all), *raw = malloc(1 << 20);
	size_t		 n, got = 0, some;
	int		 status, r;
	pid_t		 child;

	ck_assert(zeros != NULL && raw != NULL);
	n = packed(zeros, all, Z_FINISH, raw, 1 << 20);
	ck_assert_uint_lt(n, 1 << 17);
	ck_assert((child = fork()) != -1);
	if (child == 0) {
		status = fdio_write(peer, raw, n) == 0 ? 0 : 1;
		free(zeros);
		free(raw);
		_exit(status);
	}
	while ((r = conn_fill(&c, 20000)) == 1) {
		some = conn_pending(&c).n;
		ck_assert_uint_le(some, CONN_IN);
		got += some;
		conn_consume(&c, some);
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(got, all);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	free(zeros);
	free(raw);
}
END_TEST

/* Blocks of no bytes, as fast as they are taken: the time is over nevertheless. */
START_TEST(nothing_without_end)
{
	unsigned char	empty[50000];
	struct buf	after = { .p = NULL };
	size_t		i;
	pid_t		child;

	for (i = 0; i < sizeof(empty); i += 5)
		memcpy(empty + i, "\x00\x00\x00\xff\xff", 5);
	ck_assert((child = fork()) != -1);
	if (child == 0) {
		fdio_close(&c.fd);
		while (fdio_write(peer, empty, sizeof(empty)) == 0)
			continue;
		_exit(0);
	}
	if (_i == 0) {
		ck_assert_int_eq(conn_fill(&c, 100), -1);
		ck_assert_int_eq(errno, ETIMEDOUT);
	} else {
		ck_assert_int_eq(deflate_layer_end(&c, 100, &after), -1);
		ck_assert_int_eq(errno, EBADMSG);
	}
	conn_close(&c);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

/* What the child inflates is what was sent: 0. */
static int
check_sent(const unsigned char *want, size_t n)
{
	unsigned char	in[4096], out[4096];
	z_stream	z = { .zalloc = NULL };
	size_t		at = 0, some;
	ssize_t		got;

	if (inflateInit2(&z, -15) != Z_OK)
		return 1;
	while (at < n && (got = read(peer, in, sizeof(in))) > 0) {
		z.next_in = in;
		z.avail_in = (uInt)got;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			if (inflate(&z, Z_SYNC_FLUSH) < Z_OK &&
			    z.avail_out == sizeof(out) && z.avail_in > 0)
				return 2;
			some = sizeof(out) - z.avail_out;
			if (at + some > n || memcmp(out, want + at, some) != 0)
				return 3;
			at += some;
		} while (z.avail_out == 0);
	}
	(void)inflateEnd(&z);
	return at == n ? 0 : 4;
}

/* More than any buffer has room for, at once, not compressed and compressed; with a pause in which its memory is given back. */
START_TEST(to_the_peer)
{
	const int	 level = _i;
	const size_t	 n = 3 << 20;
	unsigned char	*much = malloc(n);
	uint32_t	 x = 1;
	size_t		 i;
	int		 status;
	pid_t		 child;

	ck_assert_ptr_nonnull(much);
	for (i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		much[i] = (unsigned char)(i < n / 2 ? x >> 24 : 'a' + i % 7);
	}
	ck_assert((child = fork()) != -1);
	if (child == 0) {
		status = check_sent(much, n);
		free(much);
		_exit(status);
	}
	c.io->free(c.io_arg);
	ck_assert_int_eq(deflate_layer_begin(&c, level), 0);
	c.out_stall = 20000;
	ck_assert_int_eq(conn_put(&c, (struct str){ (char *)much, 2000000 }),
	    0);
	ck_assert_uint_lt(c.out.cap, 200000);
	ck_assert_int_eq(conn_flush(&c, 20000), 0);
	deflate_layer_rest(&c);
	ck_assert_int_eq(conn_put(&c, (struct str){ (char *)much + 2000000,
	    n - 2000000 }), 0);
	ck_assert_int_eq(conn_flush(&c, 20000), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	free(much);
}
END_TEST

/* Nobody reads: that is over in time, and so is what goes on afterwards. */
START_TEST(nobody_reads)
{
	unsigned char	*much = malloc(4 << 20);
	size_t		 i;

	ck_assert_ptr_nonnull(much);
	for (i = 0; i < 4 << 20; i++)
		much[i] = (unsigned char)(i * i >> 3);
	c.out_stall = 50;
	ck_assert_int_eq(conn_put(&c, (struct str){ (char *)much, 4 << 20 }),
	    -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	fdio_close(&peer);
	ck_assert_int_eq(conn_flush(&c, 50), -1);
	ck_assert_int_eq(errno, EPIPE);
	free(much);
}
END_TEST

static const size_t	lengths[] = { 1, 16384, 16385, 31000 };

/* Our stream ends with what is sent last, whole, and nothing goes behind it. */
START_TEST(our_end)
{
	size_t		 n = lengths[_i / 2], at = 0;
	unsigned char	 text[32000], in[64000], out[40000];
	z_stream	 z = { .zalloc = NULL };
	ssize_t		 got;

	for (at = 0; at < n; at++)
		text[at] = (unsigned char)(at * at >> 3);
	c.io->free(c.io_arg);
	ck_assert_int_eq(deflate_layer_begin(&c, _i % 2), 0);
	ck_assert_int_eq(conn_put(&c, (struct str){ (char *)text, n }), 0);
	deflate_layer_last(&c);
	ck_assert_int_eq(conn_flush(&c, 5000), 0);
	ck_assert_int_eq(conn_put(&c, STR("more")), 0);
	ck_assert_int_eq(conn_flush(&c, 5000), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
	for (at = 0; (got = read(peer, in + at, sizeof(in) - at)) > 0;)
		at += (size_t)got;
	z.next_in = in;
	z.avail_in = (uInt)at;
	z.next_out = out;
	z.avail_out = sizeof(out);
	ck_assert_int_eq(inflateInit2(&z, -15), Z_OK);
	ck_assert_int_eq(inflate(&z, Z_SYNC_FLUSH), Z_STREAM_END);
	ck_assert_uint_eq(z.avail_in, 0);
	ck_assert_uint_eq(sizeof(out) - z.avail_out, n);
	ck_assert_int_eq(memcmp(out, text, n), 0);
	(void)inflateEnd(&z);
}
END_TEST

/* The last command is flushed or ends the stream; what comes then, the end of a stream in front of it; what is behind the stream. */
static const struct {
	int		 flush;
	const char	*more;		/* compressed; NULL: none */
	int		 more_flush;
	const char	*then;
	bool		 close;
	int		 error;
} ends[] = {
	{ Z_FINISH, NULL, 0, "v NOOP\r\n", false, 0 },
	{ Z_FINISH, NULL, 0, "", true, 0 },
	{ Z_SYNC_FLUSH, "", Z_FINISH, "v NOOP\r\n", false, 0 },
	{ Z_SYNC_FLUSH, "", Z_FINISH, "", false, 0 },
	{ Z_SYNC_FLUSH, NULL, 0, "v NOOP\r\n", false, 0 },
	{ Z_SYNC_FLUSH, NULL, 0, "", false, 0 },	/* waits */
	{ Z_SYNC_FLUSH, NULL, 0, "", true, ECONNRESET },
	{ Z_SYNC_FLUSH, NULL, 0, "\7\7\7\7", false, EBADMSG },
	{ Z_SYNC_FLUSH, NULL, 0, "\4", false, ETIMEDOUT }	/* half a block */
};

START_TEST(their_end)
{
	unsigned char	raw[256];
	struct buf	after;
	size_t		n;
	int		r;

	n = packed("u\r\n", 3, ends[_i].flush, raw, sizeof(raw));
	ck_assert_int_eq(fdio_write(peer, raw, n), 0);
	ck_assert_int_eq(conn_fill(&c, 5000), 1);
	ck_assert(str_eq(conn_pending(&c), STR("u\r\n")));
	conn_consume(&c, 3);
	n = 0;
	if (ends[_i].more != NULL)
		n = packed(ends[_i].more, strlen(ends[_i].more),
		    ends[_i].more_flush, raw, sizeof(raw));
	memcpy(raw + n, ends[_i].then, strlen(ends[_i].then));
	n += strlen(ends[_i].then);
	ck_assert_int_eq(fdio_write(peer, raw, n), 0);
	if (ends[_i].close)
		fdio_close(&peer);
	buf_init(&after, 1024);
	r = deflate_layer_end(&c, 50, &after);
	ck_assert_int_eq(r, ends[_i].error == 0 ? 0 : -1);
	if (r == -1)
		ck_assert_int_eq(errno, ends[_i].error);
	ck_assert_ptr_null(c.io);
	/* it has been read, or is still to be read */
	while (r == 0 && conn_fill(&c, 20) == 1)
		continue;
	ck_assert_int_eq(buf_addstr(&after, conn_pending(&c)), 0);
	ck_assert(str_eq(buf_view(&after), r == 0 ? str_from(ends[_i].then) :
	    STR("")));
	buf_free(&after);
}
END_TEST

int
main(void)
{
	Suite	*s = suite_create("deflate_layer");
	TCase	*t = tcase_create("deflate_layer");
	SRunner	*r = srunner_create(s);
	int	 failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, from_the_peer, 0, nitems(rows));
	tcase_add_test(t, bomb);
	tcase_add_loop_test(t, nothing_without_end, 0, 2);
	tcase_add_loop_test(t, our_end, 0, 2 * nitems(lengths));
	tcase_add_loop_test(t, their_end, 0, nitems(ends));
	tcase_add_loop_test(t, to_the_peer, 0, 2);
	tcase_add_test(t, nobody_reads);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

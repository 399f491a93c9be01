/* tests/fuzz/fuzz_deflate.c - what a client sends after COMPRESS: in pieces, read in pieces, never more than there is room for. */
#include <sys/socket.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "imapd/deflate_layer.h"

#define INPUT_MAX	60000		/* what a socket takes without a reader */
#define OUTPUT_MAX	(256u << 20)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* All that comes of it; deflate gives at most 1032 bytes for one. */
static void
drain(struct conn *c, size_t size, size_t step)
{
	size_t	got = 0, some;
	int	r;

	while ((r = conn_fill(c, 1000)) == 1) {
		some = conn_pending(c).n;
		if (some == 0 || some > CONN_IN)
			abort();
		got += some;
		if (got > size * 1032 + 1032 || got > OUTPUT_MAX)
			abort();
		conn_consume(c, some > step ? some - step : some);
		got -= conn_pending(c).n;
	}
	if (r == -1 && errno != EBADMSG)
		abort();
}

/* The rest is the end of the stream and what is behind it, or neither. */
static void
end(struct conn *c, size_t size)
{
	struct buf	after;

	buf_init(&after, INPUT_MAX);
	if (deflate_layer_end(c, 0, &after) == -1 && errno != EBADMSG &&
	    errno != ECONNRESET && errno != ETIMEDOUT)
		abort();
	if (after.n > size || c->io != NULL)
		abort();
	buf_free(&after);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conn	c;
	int		fd[2];
	size_t		cut;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1 ||
	    fdio_nonblock(fd[0], 1) == -1)
		abort();
	conn_init(&c, fd[0]);
	if (deflate_layer_begin(&c, 1) == -1)
		abort();
	cut = size * data[0] / 256;
	if (fdio_write(fd[1], data + 1, cut) == -1)
		abort();
	if (cut > 0 && conn_fill(&c, 0) == -1 && errno != EBADMSG &&
	    errno != ETIMEDOUT)
		abort();
	conn_consume(&c, conn_pending(&c).n);
	if (cut + 1 < size)
		(void)fdio_write(fd[1], data + 1 + cut, size - 1 - cut);
	fdio_close(&fd[1]);
	if (data[0] % 7 == 0)
		end(&c, size);
	else
		drain(&c, size, data[0] % 5);
	conn_close(&c);
	return 0;
}

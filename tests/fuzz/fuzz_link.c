/*
 * tests/fuzz/fuzz_link.c - packets with descriptors as they come to a
 * program: each descriptor is somebody's or closed, whatever the packet says.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/proc/link.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
send_packet(int fd, const uint8_t *data, size_t size, size_t nfds)
{
	struct buf	b;
	struct msg_fds	fds = { .n = nfds };
	size_t		i;

	for (i = 0; i < nfds; i++)
		fds.fd[i] = 0;
	/* as a peer that does not care for records would */
	b = (struct buf){ .n = size, .cap = size, .max = size };
	if ((b.p = malloc(size + 1)) == NULL)
		return;
	memcpy(b.p, data, size);
	(void)!msg_send(fd, &b, nfds > 0 ? &fds : NULL);
	free(b.p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_event	ev;
	struct buf		rec;
	int			pair[2], first, last;
	size_t			i, nfds = size > 0 ? data[0] % 20u : 0;

	if (size < 2 || size > MSG_MAX)
		return 0;
	first = dup(0);
	close(first);
	need(msg_pair(pair) == 0 && fdio_nonblock(pair[1], 1) == 0 &&
	    fdio_nonblock(pair[0], 1) == 0);
	send_packet(pair[0], data + 1, size - 1, nfds > MSG_FDS ? 0 : nfds);
	buf_init(&rec, MSG_MAX);
	need(link_read(pair[1], &rec, &ev) == 0);
	need(ev.nfds <= CHILD_FDS && (ev.conf == -1 ||
	    ev.verb == LINK_RELOAD));
	need(ev.nfds == 0 || ev.verb == LINK_RELOAD);
	for (i = 0; i < ev.nfds; i++) {
		need(ev.fds[i].fd > 2 && ev.fds[i].name[0] != '\0' &&
		    memchr(ev.fds[i].name, '\0', CHILD_NAME_MAX) != NULL);
		close(ev.fds[i].fd);
	}
	fdio_close(&ev.conf);
	close(pair[0]);
	close(pair[1]);
	last = dup(0);
	close(last);
	need(first == last);
	buf_free(&rec);
	return 0;
}

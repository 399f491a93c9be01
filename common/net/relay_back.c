/*
 * common/net/relay_back.c - a session gives its client back: the mark, and
 * what comes behind it. Runs in a worker of a front, where the session is
 * distrusted: it may send marks without end, more than there is room for, or
 * nothing and never close; and in the session.
 */
#include "common/net/relay_impl.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/proc/msg.h"

#define BACK_MS	3000	/* for a session to give back what it has */

/*
 * No descriptor comes in: there is room for the head of the message alone, and the system closes what does not fit
 * (unix(7)). So a mark costs nothing here, however many come and whatever they carry.
 */
ssize_t
relay_recv(int inner, void *p, size_t n, bool *mark)
{
	struct cmsghdr	head;
	struct iovec	iov = { p, n };
	struct msghdr	mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &head,
		.msg_controllen = sizeof(head)
	};
	ssize_t		got = recvmsg(inner, &mh, MSG_CMSG_CLOEXEC);

	*mark = got > 0 && (mh.msg_flags & MSG_CTRUNC) != 0;
	/* the system joins what came before, but nothing that comes after */
	return *mark ? got - 1 : got;
}

int
relay_give_back(int fd, int token, int64_t timeout)
{
	int64_t		due = now_ms() + timeout;
	struct msg_fds	fds = { .fd = { token }, .n = 1 };
	struct buf	byte;
	int		r;

	buf_init(&byte, 1);
	r = buf_addc(&byte, '.');
	while (r == 0 && (r = msg_send(fd, &byte, &fds)) == -1 &&
	    errno == EAGAIN)
		r = fdio_wait(fd, POLLOUT, due);
	buf_free(&byte);
	return r;
}

/* The next of what comes back: 1; 0: it is all; -1: errno. */
static int
more(int inner, struct buf *all, int64_t due)
{
	bool	mark = false;
	ssize_t	n;

	for (;;) {
		if (all->n == CONN_IN) {
			errno = EMSGSIZE;
			return -1;
		}
		n = relay_recv(inner, all->p + all->n, CONN_IN - all->n,
		    &mark);
		if (mark) {
			errno = EPROTO;
			return -1;
		}
		if (n >= 0) {
			all->n += (size_t)n;
			return n > 0;
		}
		if (errno != EINTR && ((errno != EAGAIN &&
		    errno != EWOULDBLOCK) ||
		    fdio_wait(inner, POLLIN, due) == -1))
			return -1;
	}
}

static int
gather(struct conn *client, int inner, struct str unsent, struct buf *all)
{
	int64_t	due = now_ms() + BACK_MS;
	int	r;

	if (buf_reserve(all, CONN_IN) == -1)
		return -1;
	(void)shutdown(inner, SHUT_WR);
	while ((r = more(inner, all, due)) == 1)
		if (now_ms() >= due) {
			errno = ETIMEDOUT;
			return -1;
		}
	if (r == -1 || buf_addstr(all, unsent) == -1)
		return -1;
	return conn_preload(client, buf_view(all));
}

const char *
relay_take_back(struct conn *client, int inner, struct str unsent)
{
	const char	*why = NULL;
	struct buf	 all;

	buf_init(&all, CONN_IN);
	if (gather(client, inner, unsent, &all) == -1)
		why = errno == EMSGSIZE ? "too much at once" :
		    errno == ETIMEDOUT ? "the session does not end" :
		    errno == EPROTO ? "the session makes no sense" :
		    "the session has failed";
	buf_wipe(&all);		/* it may hold a password */
	return why;
}

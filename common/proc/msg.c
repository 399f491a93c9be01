/*
 * common/proc/msg.c - packets with descriptors over AF_UNIX SEQPACKET. Linked
 * into every program; distrusts the peer, whoever it is.
 */
#include "common/proc/msg.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/record.h"

union control {
	char		bytes[CMSG_SPACE(sizeof(int) * MSG_FDS)];
	struct cmsghdr	align;
};

static void
attach(struct msghdr *mh, union control *ctl, const struct msg_fds *fds)
{
	struct cmsghdr	*c;

	memset(ctl, 0, sizeof(*ctl));
	mh->msg_control = ctl->bytes;
	mh->msg_controllen = CMSG_SPACE(sizeof(int) * fds->n);
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * fds->n);
	memcpy(CMSG_DATA(c), fds->fd, sizeof(int) * fds->n);
}

static int
send_packet(int s, const struct buf *rec, const struct msg_fds *fds, int flags)
{
	struct iovec	iov = { rec->p, rec->n };
	struct msghdr	mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control	ctl;
	ssize_t		n;

	/* An empty packet would read like the end. */
	if (!buf_ok(rec) || rec->n == 0 || (fds != NULL && fds->n > MSG_FDS)) {
		errno = EINVAL;
		return -1;
	}
	if (rec->n > MSG_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fds != NULL && fds->n > 0)
		attach(&mh, &ctl, fds);
	while ((n = sendmsg(s, &mh, flags | MSG_NOSIGNAL)) == -1 &&
	    errno == EINTR)
		continue;
	return n == -1 ? -1 : 0;
}

int
msg_send(int s, const struct buf *rec, const struct msg_fds *fds)
{
	return send_packet(s, rec, fds, 0);
}

/* Takes every descriptor that came, so that none can leak. */
static void
collect(struct msghdr *mh, struct msg_fds *fds)
{
	struct cmsghdr	*c;
	size_t		 i, n;
	int		 fd;

	fds->n = 0;
	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (fds->n < MSG_FDS)
				fds->fd[fds->n++] = fd;
			else
				(void)close(fd);
		}
	}
}

static int
recv_packet(int s, struct buf *rec, struct msg_fds *fds, int flags)
{
	struct msg_fds	 own;
	struct msghdr	 mh = { .msg_iovlen = 1 };
	struct iovec	 iov;
	union control	 ctl;
	ssize_t		 n;

	buf_reset(rec);
	if (fds == NULL)
		fds = &own;
	fds->n = 0;
	if (buf_reserve(rec, MSG_MAX) == -1)
		return -1;
	iov = (struct iovec){ rec->p, MSG_MAX };
	mh.msg_iov = &iov;
	mh.msg_control = ctl.bytes;
	mh.msg_controllen = sizeof(ctl.bytes);
	while ((n = recvmsg(s, &mh, flags | MSG_CMSG_CLOEXEC)) == -1 &&
	    errno == EINTR)
		continue;
	if (n == -1)
		return -1;
	collect(&mh, fds);
	rec->n = (size_t)n;
	if (n > 0 && (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    record_ok(buf_view(rec))) {
		if (fds == &own)
			msg_close_fds(fds);
		return 1;
	}
	msg_close_fds(fds);
	rec->n = 0;
	if (n == 0)
		return 0;
	errno = EPROTO;
	return -1;
}

int
msg_recv(int s, struct buf *rec, struct msg_fds *fds)
{
	return recv_packet(s, rec, fds, 0);
}

int
msg_call(int s, const struct buf *ask, const struct msg_fds *with,
    struct buf *answer, struct msg_fds *fds, int64_t timeout_ms)
{
	int64_t	deadline = now_ms() + timeout_ms;
	int	r;

	while (send_packet(s, ask, with, MSG_DONTWAIT) == -1)
		if (errno != EAGAIN || fdio_wait(s, POLLOUT, deadline) == -1)
			return -1;
	do {
		if (fdio_wait(s, POLLIN, deadline) == -1)
			return -1;
		r = recv_packet(s, answer, fds, MSG_DONTWAIT);
	} while (r == -1 && errno == EAGAIN);
	if (r == 0) {
		errno = ECONNRESET;
		return -1;
	}
	return r == 1 ? 0 : -1;
}

void
msg_close_fds(struct msg_fds *fds)
{
	while (fds->n > 0)
		fdio_close(&fds->fd[--fds->n]);
}

int
msg_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

int
msg_peer(int s, uid_t *uid, pid_t *pid)
{
	struct ucred	cred;
	socklen_t	len = sizeof(cred);

	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	*pid = cred.pid;
	return 0;
}

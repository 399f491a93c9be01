/*
 * common/proc/msg.h - records and descriptors between processes:
 * AF_UNIX SOCK_SEQPACKET, one packet is one record. Bounded and timed; a
 * malformed packet gives EPROTO and the peer is dropped, not we.
 */
#ifndef PROC_MSG_H
#define PROC_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

#define MSG_MAX		65536	/* bytes in a packet */
#define MSG_FDS		16	/* descriptors in a packet */

struct msg_fds {
	int	fd[MSG_FDS];	/* close-on-exec, owned by the receiver */
	size_t	n;
};

/* fds may be NULL. Non-blocking sockets: -1 EAGAIN. The sender keeps its descriptors. */
int	msg_send(int, const struct buf *, const struct msg_fds *) must_check;
/* Replaces rec's content (max >= MSG_MAX is the caller's duty). 1: a record; 0: the peer has gone; -1: errno (EAGAIN, EPROTO). With fds NULL any descriptor that comes is closed. */
int	msg_recv(int, struct buf *, struct msg_fds *) must_check;
/* Send and wait for the answer up to timeout_ms: 0, or -1 (ETIMEDOUT, EPIPE/ECONNRESET when the peer has gone, EPROTO). After an error the two are out of step: close it. */
int	msg_call(int, const struct buf *, const struct msg_fds *, struct buf *, struct msg_fds *, int64_t) must_check;
void	msg_close_fds(struct msg_fds *);
int	msg_pair(int[2]) must_check;	/* SEQPACKET, close-on-exec, blocking */

int	msg_connect(const char *) must_check;	/* path; blocking, close-on-exec */
int	msg_connect_now(const char *) must_check;	/* non-blocking; -1 EAGAIN: as many wait there as may */
/* Bind (replacing a dead socket; EADDRINUSE if somebody listens, EEXIST if it is no socket) and listen; mode, and owner unless (uid_t)-1. Non-blocking. */
int	msg_listen(const char *, mode_t, uid_t, gid_t) must_check;
/*
 * accept4 with these flags and close-on-exec. -1: nobody is there; or none can be had for want of descriptors or memory:
 * that is logged, and *due is when to look again (now_ms), for the socket stays readable.
 */
int	msg_accept(int, int flags, int64_t *due) must_check;
/* Peer's uid and pid from the kernel. */
int	msg_peer(int, uid_t *, pid_t *) must_check;

/*
 * A client that connects when needed and once again if the server was restarted (then the question may be asked
 * twice). Any error closes the connection; the next call begins anew.
 */
struct msg_client {
	const char	*path;
	int		 fd;	/* -1: not connected */
};
int	msg_client_call(struct msg_client *, const struct buf *, const struct msg_fds *, struct buf *, int64_t) must_check;
/* A packet without answer that never blocks; -1: it was not sent (EAGAIN: the peer is busy). */
int	msg_client_hint(struct msg_client *, const struct buf *) must_check;

#endif

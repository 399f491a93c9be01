/*
 * common/net/conn.h - buffered blocking I/O on one connection with a deadline on
 * every wait, in the clear or through TLS (tls.h). Reads and writes are
 * done on a non-blocking descriptor with poll(2).
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/line.h"

#define CONN_IN	65536		/* input buffer: longest line that conn_line can give */

/*
 * What stands between the buffers and the descriptor. Both answer like recv(2) and send(2): -1 EAGAIN with
 * *want = POLLIN or POLLOUT when they have to wait for that.
 */
struct conn_io {
	ssize_t	(*recv)(void *, void *, size_t, short *want);
	ssize_t	(*send)(void *, const void *, size_t, short *want);
	void	(*free)(void *);
};

struct conn {
	int		 fd;		/* owned */
	const struct conn_io *io;	/* NULL: the descriptor itself */
	void		*io_arg;	/* owned, for io->free */
	char		*in;		/* CONN_IN bytes, allocated at first need, freed by conn_idle_trim */
	size_t		 in_from, in_to;
	size_t		 in_most;	/* bytes ever used of it: what has to be wiped */
	struct buf	 out;
	int64_t		 out_stall;	/* ms: conn_put waits as long as something goes out at least so often; 0: 60 s for all of it */
	int64_t		 deadline;	/* now_ms scale: limit for the whole of what comes; -1 none */
	const volatile int *stop;	/* if not NULL and *stop != 0 a wait ends with ECANCELED */
	int		 master;	/* a socket, or -1: when its other side has closed it a wait ends with ECANCELED */
	bool		 eof;
};

void	conn_init(struct conn *, int);
/* Bytes that somebody else has received on this connection already (at most CONN_IN). */
int	conn_preload(struct conn *, struct str) must_check;
void	conn_close(struct conn *);	/* no flush */
/* Overwrites what was consumed: it was a password. */
void	conn_wipe(struct conn *);
/* Bytes already received and not yet consumed. */
struct str conn_pending(const struct conn *);
void	conn_consume(struct conn *, size_t);
/* Reads at least one more byte into the buffer (flushing output first), waiting up to timeout_ms, but not beyond the deadline even if there is something: 1 got some, 0 end of file, -1 errno (ETIMEDOUT, ECANCELED, ECONNRESET, ENOBUFS when the buffer is full). */
int	conn_fill(struct conn *, int64_t) must_check;
/*
 * One line of at most max bytes: status of line_scan; LINE_MORE means the connection failed or
 * ended (errno as conn_fill, 0 for end of file). The view is valid until the next conn_ call that reads.
 * Output is flushed only when no complete line is buffered (RFC 2920: pipelining).
 */
enum line_status conn_line(struct conn *, size_t, int64_t, struct str *);
/* Is a further complete line buffered? */
bool	conn_has_line(const struct conn *);
int	conn_put(struct conn *, struct str);	/* buffered, or sent at once where there is no memory; flushed when over 32 KiB, see out_stall; any length */
int	conn_putf(struct conn *, const char *, ...) printf_like(2, 3);
int	conn_flush(struct conn *, int64_t) must_check;
/* Past the buffers, as struct conn_io says. */
ssize_t	conn_recv_some(struct conn *, void *, size_t, short *want) must_check;
ssize_t	conn_send_some(struct conn *, const void *, size_t, short *want) must_check;
/* Waits for POLLIN or POLLOUT until the deadline (now_ms scale), as everything here does: 0, or -1 with errno. */
int	conn_wait(struct conn *, short, int64_t) must_check;
/* Gives unused buffers back while waiting for a slow client. */
void	conn_idle_trim(struct conn *);

#endif

/*
 * keys/signers.c - threads with an event loop each, on the same sockets: who
 * is free takes the next question. What an RSA key takes (a millisecond) holds
 * up one of them. The sockets are apart from each other, so that one front that
 * was taken over can use up its own places only.
 */
#include "keys/signers.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/proc/peers.h"

#define CLIENTS_MAX	200		/* of a socket and a thread */
#define STACK		(256u << 10)

struct signer {
	struct vault		*vault;
	struct event_base	*base;
	struct peers		*peers[SIGNERS_DOORS];
	struct buf		 answer;
};

size_t
signers_wanted(void)
{
	long	n = sysconf(_SC_NPROCESSORS_ONLN);

	/* one may be busy with a long key while another serves */
	return n < 2 ? 2 : n > SIGNERS_MAX ? SIGNERS_MAX : (size_t)n;
}

static int
packet(void *arg, struct peer *peer, struct buf *rec, struct msg_fds *fds)
{
	struct signer	*s = arg;

	(void)fds;
	if (vault_answer(s->vault, buf_view(rec), &s->answer) == -1) {
		log_warn("request role=%u why=\"malformed\"", peer_role(peer));
		return -1;
	}
	return peer_send(peer, &s->answer);
}

static void *
run(void *arg)
{
	struct signer	*s = arg;

	if (event_base_dispatch(s->base) == -1)
		log_error("start why=\"event loop ended\"");
	return NULL;
}

/* What one thread needs; if it cannot be had the program ends, so nothing is given back. */
static struct signer *
prepare(struct vault *v, const int *sockets, size_t n)
{
	static const struct peers_ops	 ops = { packet, NULL };
	struct signer			*s;
	size_t				 i;
	int				 fd;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->vault = v;
	buf_init(&s->answer, MSG_MAX);
	if ((s->base = event_base_new()) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		fd = fcntl(sockets[i], F_DUPFD_CLOEXEC, 0);
		if (fd == -1 || peers_new(&s->peers[i], s->base, CLIENTS_MAX,
		    &ops, s) == -1 ||
		    peers_listen(s->peers[i], fd, (unsigned)i) == -1)
			return NULL;
	}
	return s;
}

int
signers_start(size_t n, struct vault *v, const int *sockets, size_t nsockets,
    struct diag *why)
{
	pthread_attr_t	 attr;
	pthread_t	 thread;
	struct signer	*s;
	size_t		 i;
	int		 r;

	if (nsockets > SIGNERS_DOORS)
		return diag_set(why, "too many sockets");
	if ((r = pthread_attr_init(&attr)) != 0 ||
	    (r = pthread_attr_setstacksize(&attr, STACK)) != 0) {
		errno = r;
		return diag_errno(why, "threads");
	}
	for (i = 0; i < n; i++) {
		if ((s = prepare(v, sockets, nsockets)) == NULL)
			return diag_set(why, "event loop");
		if ((r = pthread_create(&thread, &attr, run, s)) != 0) {
			errno = r;
			return diag_errno(why, "thread");
		}
		(void)pthread_detach(thread);
	}
	(void)pthread_attr_destroy(&attr);
	return 0;
}

/*
 * common/net/entry_take.c - the proven connection becomes a session's, and
 * what remains of the front when its client has logged in over TLS. Runs in a
 * worker of a front; keys signs for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/net/entry.h"
#include "common/net/relay.h"
#include "common/net/tls.h"
#include "common/proc/sig.h"

/* A client whose session is a process of its own, while its TLS is here. */
struct carried {
	struct conn	 conn;
	int		 inner;
	int64_t		 idle;
	char		 client[ADDR_TEXT_SIZE];
};

static const char *
carry(struct carried *k)
{
	struct relay_result	done;

	relay_run(&k->conn, k->inner, k->idle, sig_wake_fd(), &done);
	log_debug("relay client=%s in=%llu out=%llu", k->client,
	    (unsigned long long)done.from_client,
	    (unsigned long long)done.to_client);
	return done.why;
}

/* In a thread that ends with it. */
static void
carry_detached(void *arg)
{
	struct carried	*k = arg;
	const char	*why = carry(k);

	conn_close(&k->conn);
	fdio_close(&k->inner);
	log_debug("disconnect client=%s why=\"%s\"", k->client, why);
	free(k);
}

/* In a thread, or here if there can be none. The session's end of the relay is its own from now on. */
static void
begin_carrying(struct entry *e, int *inner, const char **end)
{
	struct conn	*c = e->conn;
	struct carried	 here, *k;

	/* the client's password was in it */
	conn_wipe(c);
	conn_idle_trim(c);
	c->stop = NULL;
	c->deadline = -1;
	here = (struct carried){ .conn = *c, .inner = *inner,
	    .idle = e->idle };
	memcpy(here.client, e->client, sizeof(here.client));
	if ((k = malloc(sizeof(*k))) != NULL) {
		*k = here;
		if (server_detach(e->peer, carry_detached, k) == 0) {
			conn_init(c, -1);
			*inner = -1;
			e->detached = true;
			return;
		}
		free(k);
	}
	*end = carry(&here);
	*c = here.conn;
}

static enum login_result
take(struct entry *e, const char **end)
{
	struct conn		*c = e->conn;
	enum login_result	 r;
	int			 ours, other, saved;

	if (!tls_is_on(c))
		return login_take(&e->login, c->fd, conn_pending(c));
	if (relay_pair(&ours, &other) == -1) {
		e->login.broken = true;
		return LOGIN_TEMP;
	}
	/* what the client said already goes the way of the rest */
	r = login_take(&e->login, other, STR(""));
	saved = errno;
	fdio_close(&other);
	if (r == LOGIN_OK) {
		entry_end(e);
		begin_carrying(e, &ours, end);
	}
	fdio_close(&ours);
	errno = saved;
	return r;
}

enum entry_result
entry_admit(struct entry *e, enum login_result r, const char *note,
    const char **end)
{
	if (r == LOGIN_FAIL)
		return ENTRY_FAILED;
	if (r == LOGIN_TEMP)
		return ENTRY_LATER;
	if (r == LOGIN_OK) {
		e->login.note = note;
		switch (take(e, end)) {
		case LOGIN_OK:
			if (*end == NULL)
				*end = "logged in";
			return ENTRY_TAKEN;
		case LOGIN_TEMP:
			return e->login.broken ? ENTRY_BROKEN : ENTRY_LATER;
		case LOGIN_FAIL:
		case LOGIN_MORE:
			break;
		}
	}
	errno = EPROTO;
	return ENTRY_BROKEN;
}

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

/* In a thread, or here: a client whose session is a process of its own, while its TLS is here. */
struct carried {
	struct entry_kept	*kept;
	entry_resume		*resume;
	int			 inner;
	int64_t			 idle;
	char			 client[ADDR_TEXT_SIZE];
};

/* In a thread, with memory of its own. */
struct detached {
	struct carried		 carried;
	struct entry_kept	 kept;
};

/* True: it is back. */
static bool
carry(const struct carried *k, const char **end)
{
	struct relay_result	done;

	relay_run(&k->kept->conn, k->inner, k->idle, sig_wake_fd(), &done);
	log_debug("relay client=%s in=%llu out=%llu", k->client,
	    (unsigned long long)done.from_client,
	    (unsigned long long)done.to_client);
	*end = done.why;
	if (!done.back)
		return false;
	if (k->resume == NULL) {
		log_warn("relay client=%s why=\"the session gave it back\"",
		    k->client);
		*end = "the session gave it back";
		return false;
	}
	k->kept->end = done.why;
	return true;
}

static void
carry_detached(void *arg)
{
	struct detached	*d = arg;
	struct carried	*k = &d->carried;
	const char	*end = NULL;
	bool		 back;

	back = carry(k, &end);
	fdio_close(&k->inner);
	if (back)
		k->resume(k->kept);
	else {
		conn_close(&k->kept->conn);
		log_debug("disconnect client=%s why=\"%s\"", k->client, end);
	}
	free(d);
}

/* The thread has no second one to give the connection to. */
static void
keep(struct entry_kept *k, const struct entry *e)
{
	struct server_session	peer = *e->peer;

	peer.worker = NULL;
	*k = (struct entry_kept){
		.conn = *e->conn, .peer = peer, .listener = e->listener,
		.errors = e->errors
	};
	memcpy(k->before, e->before, sizeof(k->before));
}

/* All that the thread needs is copied: of the present connection nothing stays. */
static bool
detach(struct entry *e, const struct carried *here)
{
	struct detached	*d = malloc(sizeof(*d));

	if (d == NULL)
		return false;
	d->carried = *here;
	d->kept = *here->kept;
	d->carried.kept = &d->kept;
	if (server_detach(e->peer, carry_detached, d) == 0)
		return true;
	free(d);
	return false;
}

bool
entry_carry(struct entry *e, struct entry_kept *kept, entry_resume *resume,
    const char **end)
{
	struct conn	*c = e->conn;
	struct carried	 here = {
		.kept = kept, .resume = resume, .inner = e->inner,
		.idle = e->idle
	};
	bool		 back;

	if (e->inner == -1)
		return false;
	entry_end(e);
	/* the client's password was in it */
	conn_wipe(c);
	conn_idle_trim(c);
	c->stop = NULL;
	c->deadline = -1;
	keep(kept, e);
	memcpy(here.client, e->client, sizeof(here.client));
	e->inner = -1;
	if (detach(e, &here)) {
		conn_init(c, -1);
		e->detached = true;
		return false;
	}
	back = carry(&here, end);
	fdio_close(&here.inner);
	if (back)
		conn_init(c, -1);
	else
		*c = kept->conn;
	return back;
}

static enum login_result
take(struct entry *e)
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
		e->inner = ours;
		strlcpy(e->before, e->login.user, sizeof(e->before));
	} else
		fdio_close(&ours);
	errno = saved;
	return r;
}

enum entry_result
entry_admit(struct entry *e, enum login_result r, const char *note)
{
	if (r == LOGIN_FAIL)
		return ENTRY_FAILED;
	if (r == LOGIN_TEMP)
		return ENTRY_LATER;
	if (r == LOGIN_OK) {
		e->login.note = note;
		switch (take(e)) {
		case LOGIN_OK:
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

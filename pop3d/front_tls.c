/*
 * pop3d/front_tls.c - the connection becomes encrypted, and what remains of
 * the front when its client has logged in over TLS. Runs in a worker as
 * ph-login; keys signs for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/net/relay.h"
#include "common/net/tls.h"
#include "common/proc/sig.h"
#include "pop3d/front_impl.h"

#define HANDSHAKE_TIMEOUT	30000

/* What the mechanisms may ask for. What is not to be had is empty. */
static void
learn(struct front *f)
{
	struct conn	*c = &f->talk.conn;
	char		 text[TLS_TEXT_MAX];

	strlcpy(f->tls, tls_text(c, text, sizeof(text)), sizeof(f->tls));
	if (tls_binding(c, "tls-exporter", &f->exporter) == -1)
		buf_free(&f->exporter);
	if (tls_binding(c, "tls-server-end-point", &f->end_point) == -1)
		buf_free(&f->end_point);
	if (tls_peer_certificate(c, &f->certificate) != 1)
		buf_free(&f->certificate);
	f->facts.encrypted = true;
	f->facts.binding = f->exporter.n > 0 || f->end_point.n > 0;
	f->facts.certificate = f->certificate.n > 0;
}

bool
front_shake_hands(struct front *f)
{
	struct diag	why = { "" };

	if (f->listener->tls == NULL)
		diag_set(&why, "there are no certificates");
	else if (tls_server_start(f->listener->tls, &f->talk.conn,
	    HANDSHAKE_TIMEOUT, &why) == 0) {
		f->may_stls = false;
		learn(f);
		log_debug("tls client=%s tls=\"%s\"", f->client, f->tls);
		return true;
	}
	log_info("tls-failed client=%s why=\"%s\"", f->client, why.text);
	f->talk.end = "TLS handshake";
	return false;
}

/*
 * RFC 2595, 4. Whatever came in the clear behind the command could be
 * somebody else's (CVE-2011-0411): who does so is not served. What comes in
 * the clear later on is no handshake.
 */
bool
front_stls(struct front *f, const struct command *c)
{
	struct conn	*conn = &f->talk.conn;

	(void)c;
	if (!f->may_stls || f->talk.utf8) {
		/* RFC 6856, 2.1 */
		talk_bad(&f->talk, f->talk.utf8 ? "not after UTF8" :
		    tls_is_on(conn) ? "the connection is encrypted" :
		    "there is no encryption here");
		return true;
	}
	if (conn_pending(conn).n > 0) {
		log_warn("stls client=%s why=\"more came along in the clear\"",
		    f->client);
		talk_err(&f->talk, "nothing may follow STLS, closing");
		f->talk.end = "more came along with STLS";
		return false;
	}
	talk_ok(&f->talk, "begin the TLS handshake");
	if (conn_flush(conn, f->talk.idle) == -1) {
		f->talk.end = "the client has gone";
		return false;
	}
	/* RFC 2595, 4: nothing that was said before counts */
	f->has_user = false;
	explicit_bzero(f->user, sizeof(f->user));
	conn_idle_trim(conn);
	return front_shake_hands(f);
}

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
begin_carrying(struct front *f, int *inner)
{
	struct conn	*c = &f->talk.conn;
	struct carried	 here, *k;

	/* the client's password was in it */
	conn_wipe(c);
	conn_idle_trim(c);
	c->stop = NULL;
	c->deadline = -1;
	here = (struct carried){ .conn = *c, .inner = *inner,
	    .idle = f->talk.idle };
	memcpy(here.client, f->client, sizeof(here.client));
	if ((k = malloc(sizeof(*k))) != NULL) {
		*k = here;
		if (server_detach(f->peer, carry_detached, k) == 0) {
			conn_init(c, -1);
			*inner = -1;
			f->detached = true;
			return;
		}
		free(k);
	}
	f->talk.end = carry(&here);
	*c = here.conn;
}

enum login_result
front_take(struct front *f)
{
	struct conn		*c = &f->talk.conn;
	enum login_result	 r;
	int			 ours, other, saved;

	if (!tls_is_on(c))
		return login_take(&f->login, c->fd, conn_pending(c));
	if (relay_pair(&ours, &other) == -1) {
		f->login.broken = true;
		return LOGIN_TEMP;
	}
	/* what the client said already goes the way of the rest */
	r = login_take(&f->login, other, STR(""));
	saved = errno;
	fdio_close(&other);
	if (r == LOGIN_OK) {
		login_end(&f->login);
		front_forget(f);
		begin_carrying(f, &ours);
	}
	fdio_close(&ours);
	errno = saved;
	return r;
}

void
front_forget(struct front *f)
{
	buf_wipe(&f->exporter);
	buf_wipe(&f->end_point);
	buf_wipe(&f->certificate);
}

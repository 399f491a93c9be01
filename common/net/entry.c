/*
 * common/net/entry.c - before the login. Runs in a worker of a front, as
 * ph-login in a chroot with nothing but the sockets of auth and keys; the
 * peer is hostile. Who the client is, auth decides.
 */
#include "common/net/entry.h"

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/fmt/base64.h"
#include "common/net/tls.h"
#include "common/proc/msg.h"

#define AUTH_PATH	"auth"
#define STRESS_TIMEOUT	10000
#define HANDSHAKE_TIMEOUT 30000
#define BINDING_MAX	64	/* what auth takes */
#define CERTIFICATE_MAX	16384
#define PENDING_MAX	16384

/* What the mechanisms may ask for. What is not to be had is empty. */
static void
learn(struct entry *e)
{
	char	text[TLS_TEXT_MAX];

	e->may_start_tls = false;
	strlcpy(e->tls, tls_text(e->conn, text, sizeof(text)),
	    sizeof(e->tls));
	if (tls_binding(e->conn, "tls-exporter", &e->exporter) == -1)
		buf_free(&e->exporter);
	if (tls_binding(e->conn, "tls-server-end-point", &e->end_point) == -1)
		buf_free(&e->end_point);
	if (tls_peer_certificate(e->conn, &e->certificate) != 1)
		buf_free(&e->certificate);
	e->facts.encrypted = true;
	e->facts.binding = e->exporter.n > 0 || e->end_point.n > 0;
	e->facts.certificate = e->certificate.n > 0;
}

void
entry_begin(struct entry *e, struct conn *conn, const struct listener *l,
    const struct server_session *peer, const char *service, int64_t idle)
{
	*e = (struct entry){ .listener = l, .peer = peer, .conn = conn,
	    .service = service, .idle = idle, .inner = -1,
	    .may_start_tls = l->tls != NULL };
	if (peer->stress && idle > STRESS_TIMEOUT)
		e->idle = STRESS_TIMEOUT;
	login_init(&e->login, AUTH_PATH);
	buf_init(&e->exporter, BINDING_MAX);
	buf_init(&e->end_point, BINDING_MAX);
	buf_init(&e->certificate, CERTIFICATE_MAX);
	e->facts.cleartext_ok = mechanisms_cleartext_ok(
	    mechanisms_cleartext_of(l->settings, service), &peer->peer);
	if (peer->peer.valid)
		addr_text(&peer->peer, false, e->client);
	if (peer->local.valid)
		addr_text(&peer->local, false, e->local);
	if (tls_is_on(conn))
		learn(e);
}

void
entry_begin_again(struct entry *e, struct conn *conn,
    const struct entry_kept *k, const char *service, int64_t idle)
{
	entry_begin(e, conn, k->listener, &k->peer, service, idle);
	e->errors = k->errors;
	memcpy(e->before, k->before, sizeof(e->before));
}

void
entry_end(struct entry *e)
{
	buf_wipe(&e->exporter);
	buf_wipe(&e->end_point);
	buf_wipe(&e->certificate);
	login_end(&e->login);
}

int
entry_shake_hands(struct entry *e, const char **end)
{
	struct diag	why = { "" };

	if (e->listener->tls == NULL)
		diag_set(&why, "there are no certificates");
	else if (tls_server_start(e->listener->tls, e->conn,
	    HANDSHAKE_TIMEOUT, &why) == 0) {
		learn(e);
		log_debug("tls client=%s tls=\"%s\"", e->client, e->tls);
		return 0;
	}
	log_info("tls-failed client=%s why=\"%s\"", e->client, why.text);
	*end = "TLS handshake";
	return -1;
}

bool
entry_may_be(const struct entry *e)
{
	return e->before[0] == '\0' || strcmp(e->before, e->login.user) == 0;
}

struct login_facts
entry_facts(const struct entry *e)
{
	return (struct login_facts){
		.service = e->service, .client = e->client, .local = e->local,
		.tls = e->tls, .exporter = buf_view(&e->exporter),
		.end_point = buf_view(&e->end_point),
		.certificate = buf_view(&e->certificate)
	};
}

int
entry_ready(struct entry *e)
{
	/* over TLS it goes the way of the rest, see entry_take.c */
	if (!e->facts.encrypted && conn_pending(e->conn).n > PENDING_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (conn_flush(e->conn, e->idle) == 0)
		return 0;
	errno = EPIPE;
	return -1;
}

/* ---- SASL */

int
entry_challenge(struct conn *c, struct str data)
{
	struct buf	text;
	int		r;

	buf_init(&text, BASE64_LEN(MSG_MAX));
	r = base64_encode(&text, data);
	if (r == 0)
		r = conn_putf(c, "+ %.*s\r\n", STR_ARG(buf_view(&text)));
	buf_wipe(&text);
	return r;
}

enum entry_turn
entry_answer(struct str line, struct buf *out)
{
	buf_reset(out);
	if (str_eq(line, STR("*")))
		return ENTRY_TURN_CANCELLED;
	return base64_decode(out, line) == 0 ? ENTRY_TURN_OK : ENTRY_TURN_BAD;
}

bool
entry_initial(struct str text, struct buf *out)
{
	buf_reset(out);
	return str_eq(text, STR("=")) ||
	    (text.n > 0 && base64_decode(out, text) == 0);
}

/* RFC 4422, 3.6 */
static enum entry_turn
last_word(struct entry *e, struct buf *answer, entry_ask *ask, void *arg)
{
	enum entry_turn	turn;

	if (!e->login.has_data)
		return ENTRY_TURN_OK;
	turn = ask(arg, e->login.data, answer);
	return turn == ENTRY_TURN_OK && answer->n > 0 ? ENTRY_TURN_NOT_EMPTY :
	    turn;
}

enum entry_turn
entry_converse(struct entry *e, enum mechanism m, bool has_initial,
    struct buf *answer, entry_ask *ask, void *arg, enum login_result *r)
{
	struct login_facts	now = entry_facts(e);
	struct str		initial = buf_view(answer);
	enum entry_turn		turn = ENTRY_TURN_OK;

	*r = login_sasl(&e->login, &now, str_from(mechanism_name(m)),
	    has_initial ? &initial : NULL);
	while (*r == LOGIN_MORE && turn == ENTRY_TURN_OK) {
		turn = ask(arg, e->login.data, answer);
		if (turn == ENTRY_TURN_OK)
			*r = login_step(&e->login, buf_view(answer));
	}
	if (*r == LOGIN_OK && turn == ENTRY_TURN_OK)
		turn = last_word(e, answer, ask, arg);
	if (turn != ENTRY_TURN_OK)
		login_cancel(&e->login);
	return turn;
}

/* Kinds that are not here say nothing of him. */
static const struct {
	const char	*kind, *text;
} failures[] = {
	{ AUTH_WRONG, "wrong user name or password" },
	{ AUTH_DENIED, "not for this user, or not from there" },
	{ AUTH_CLEARTEXT, "not without an encrypted connection" },
	{ AUTH_BLOCKED, "too many failures, come again later" },
	{ AUTH_MECHANISM_UNKNOWN, "there is no such mechanism here" },
	{ AUTH_SYNTAX, "this is no message of the mechanism" },
	{ AUTH_CANCELLED, "cancelled" }
};

const char *
entry_failure(const char *kind)
{
	size_t	i;

	for (i = 0; i < nitems(failures); i++)
		if (strcmp(failures[i].kind, kind) == 0)
			return failures[i].text;
	return "authentication failed";
}

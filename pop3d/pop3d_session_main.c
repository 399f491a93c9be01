/*
 * pop3d/pop3d_session_main.c - pop3d-session: one session after its login.
 * Started by the master as the mailbox's user, with the client's connection
 * and a sealed record of who it is; can reach that mailbox and nothing else.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/net/addr.h"
#include "common/proc/given.h"
#include "common/proc/sig.h"
#include "pop3d/capa.h"
#include "pop3d/transaction.h"

struct login {
	struct given	given;
	char		names[64];	/* pop3.dovecot-uidl */
};

/* Before the first byte of the client's, or a name in the mailbox, is looked at. */
static int
enter(struct given *g, struct box **box, struct diag *why)
{
	struct sandbox_path	place = { box_path(g->mailbox),
				    SANDBOX_READ | SANDBOX_WRITE };

	if (box_attach(box, g->mailbox, "", true, why) == -1 ||
	    given_enter(g, &place, 1, why) == -1)
		return -1;
	return box_load(*box, why);
}

static void
refuse(struct talk *t, const struct given *g, const char *code,
    const char *text, const char *why)
{
	char	safe[LOG_SAFE_MAX];

	talk_err(t, "%s %s", code, text);
	log_warn("session-refused user=%s client=%s why=%s", g->user,
	    g->client, log_safe(safe, sizeof(safe), str_from(why)));
}

/* What can be said of the connection here, as the front did before. */
static void
set_offer(struct talk *t, const struct given *g, const struct settings *set)
{
	struct mechanism_facts	facts = { .encrypted = g->tls[0] != '\0' };
	struct addr		client;

	facts.binding = facts.encrypted;
	facts.cleartext_ok = addr_parse(str_from(g->client), &client) == 0 &&
	    mechanisms_cleartext_ok(set->pop3_cleartext, &client);
	capa_offer(&t->offer, set, &facts);
	t->utf8 = strcmp(g->note, "utf8") == 0 || !set->pop3_surrogates;
}

/* RFC 1939, 4: the maildrop is locked, or the client has to come again. */
static bool
lock(struct talk *t, const struct given *g, struct box *box)
{
	if (box_lock(box) == 0)
		return true;
	if (errno == EWOULDBLOCK) {
		refuse(t, g, "[IN-USE]",
		    "another session has this mailbox open", "in use");
		return false;
	}
	/* a full disk must not keep the user from deleting mail */
	log_warn("lock user=%s why=\"%s\"", g->user, strerror(errno));
	return true;
}

/* RFC 2449, 6.5. A login that is refused does not prolong it. */
static bool
is_too_soon(struct talk *t, const struct given *g, const struct box *box)
{
	int64_t	least = t->offer.delay, since;

	if (least == 0)
		return false;
	/* the first one ever is noted at its end, see serve */
	if ((since = box_last_use(box)) == -1)
		return false;
	if (since < least) {
		talk_err(t, "[LOGIN-DELAY] not before %lld seconds from now",
		    (long long)(least - since + 999) / 1000);
		log_info("session-refused user=%s client=%s why=\"too soon\"",
		    g->user, g->client);
		return true;
	}
	if (box_note_use(box) == -1)
		log_warn("lock user=%s why=\"%s\"", g->user, strerror(errno));
	return false;
}

static void
log_end(const struct talk *t, const struct given *g,
    const struct transaction *x)
{
	char	user[LOG_SAFE_MAX];

	log_info("session-end user=%s client=%s local=%s tls=\"%s\" "
	    "retrieved=%zu deleted=%zu bytes=%" PRIu64 " why=\"%s\"",
	    log_safe(user, sizeof(user), str_from(g->user)), g->client,
	    g->local, g->tls, x->retrieved, x->deleted, x->bytes,
	    t->end != NULL ? t->end : "quit");
}

static void
serve(struct talk *t, const struct login *l, struct box **box)
{
	const struct given	*g = &l->given;
	struct transaction	 x;

	if (!lock(t, g, *box))
		return;
	if (box_adopt_names(*box,
	    strcmp(l->names, "none") != 0 ? l->names : NULL) == -1) {
		refuse(t, g, "[SYS/TEMP]", "temporary failure",
		    strerror(errno));
		return;
	}
	if (is_too_soon(t, g, *box))
		return;
	if (transaction_run(&x, t, *box) == -1) {
		refuse(t, g, "[SYS/TEMP]", "temporary failure",
		    strerror(errno));
		return;
	}
	/* also of use after a session that was cut off: sizes are costly */
	if (box_save_uids(*box) == -1)
		log_warn("uid-list user=%s why=\"%s\"", g->user,
		    strerror(errno));
	/* only now: what was adopted is on disk */
	else if (box_last_use(*box) == -1 && box_note_use(*box) == -1)
		log_warn("lock user=%s why=\"%s\"", g->user, strerror(errno));
	/* unlocked before the client knows that it may come again */
	box_close(box);
	talk_close(t);
	log_end(t, g, &x);
}

static void
session(struct login *l)
{
	struct given	*g = &l->given;
	struct diag	 why = { "" };
	struct talk	 t;
	struct box	*box = NULL;
	int		 r;

	talk_init(&t, g->connection, g->settings->pop3.idle_timeout,
	    g->settings->pop3_errors, sig_stop_flag());
	set_offer(&t, g, g->settings);
	strlcpy(l->names, g->settings->pop3_dovecot_names, sizeof(l->names));
	settings_free(&g->settings);	/* what comes now fits into its place */
	r = enter(g, &box, &why);
	if (r == -1 && box_path(g->mailbox) == NULL)
		refuse(&t, g, "[SYS/PERM]",
		    "this mailbox cannot be read by POP3", why.text);
	else if (r == -1 || conn_preload(&t.conn, g->pending) == -1)
		refuse(&t, g, "[SYS/TEMP]", "the mailbox cannot be opened",
		    r == -1 ? why.text : strerror(errno));
	else {
		buf_wipe(&g->record);
		serve(&t, l, &box);
	}
	talk_close(&t);
	box_close(&box);
}

int
main(int argc, char *argv[])
{
	struct login	l;
	int		status;

	(void)argv;
	if ((status = given_take("pop3d-session", argc, &l.given)) == 0)
		session(&l);
	given_end(&l.given);
	return status;
}

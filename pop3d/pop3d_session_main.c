/*
 * pop3d/pop3d_session_main.c - pop3d-session: one session after its login.
 * Started by the master as the mailbox's user, with the client's connection
 * and a sealed record of who it is; can reach that mailbox and nothing else.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/net/addr.h"
#include "common/proc/child.h"
#include "common/proc/msg.h"
#include "common/proc/priv.h"
#include "common/proc/proto_auth.h"
#include "common/proc/sandbox.h"
#include "common/proc/settings.h"
#include "common/proc/sig.h"
#include "pop3d/capa.h"
#include "pop3d/transaction.h"

#define PATH_LIMIT	1100

struct login {
	char		user[AUTH_USER_MAX + 1];
	char		mailbox[PATH_LIMIT];
	char		client[80], local[80], tls[80];
	char		note[AUTH_NOTE_MAX + 1];
	char		names[64];	/* pop3.dovecot-uidl */
	struct buf	record;
	struct str	pending;	/* view into record */
	int		filter;		/* of the sandbox */
};

/* Before the first byte of the client's, or a name in the mailbox, is looked at. */
static int
enter(struct login *l, struct box **box, struct diag *why)
{
	struct sandbox_path	place = { box_path(l->mailbox),
				    SANDBOX_READ | SANDBOX_WRITE };

	if (priv_harden(true) == -1)
		return diag_errno(why, "harden");
	if (box_attach(box, l->mailbox, "", true, why) == -1 ||
	    sandbox_enter_given(SANDBOX_SESSION, l->filter, &place, 1, why) ==
	    -1)
		return -1;
	fdio_close(&l->filter);
	return box_load(*box, why);
}

static int
read_login(int fd, struct login *l)
{
	struct str	rec;

	buf_init(&l->record, MSG_MAX);
	if (fdio_slurp(fd, &l->record) == -1)
		return -1;
	rec = buf_view(&l->record);
	if (!record_gets(rec, AUTH_USER, l->user, sizeof(l->user)) ||
	    !record_gets(rec, AUTH_MAILBOX, l->mailbox, sizeof(l->mailbox)) ||
	    !record_gets(rec, AUTH_CLIENT, l->client, sizeof(l->client)) ||
	    !record_gets(rec, AUTH_LOCAL, l->local, sizeof(l->local)) ||
	    !record_gets(rec, AUTH_TLS, l->tls, sizeof(l->tls)) ||
	    !record_gets(rec, AUTH_NOTE, l->note, sizeof(l->note))) {
		errno = EPROTO;
		return -1;
	}
	if (!record_get(rec, AUTH_PENDING, &l->pending))
		l->pending = STR("");
	return 0;
}

static void
refuse(struct talk *t, const struct login *l, const char *code,
    const char *text, const char *why)
{
	char	safe[LOG_SAFE_MAX];

	talk_err(t, "%s %s", code, text);
	log_warn("session-refused user=%s client=%s why=%s", l->user,
	    l->client, log_safe(safe, sizeof(safe), str_from(why)));
}

/* What can be said of the connection here, as the front did before. */
static void
set_offer(struct talk *t, const struct login *l, const struct settings *set)
{
	struct mechanism_facts	facts = { .encrypted = l->tls[0] != '\0' };
	struct addr		client;

	facts.binding = facts.encrypted;
	facts.cleartext_ok = addr_parse(str_from(l->client), &client) == 0 &&
	    mechanisms_cleartext_ok(set->pop3_cleartext, &client);
	capa_offer(&t->offer, set, &facts);
	t->utf8 = strcmp(l->note, "utf8") == 0 || !set->pop3_surrogates;
}

/* RFC 1939, 4: the maildrop is locked, or the client has to come again. */
static bool
lock(struct talk *t, const struct login *l, struct box *box)
{
	if (box_lock(box) == 0)
		return true;
	if (errno == EWOULDBLOCK) {
		refuse(t, l, "[IN-USE]",
		    "another session has this mailbox open", "in use");
		return false;
	}
	/* a full disk must not keep the user from deleting mail */
	log_warn("lock user=%s why=\"%s\"", l->user, strerror(errno));
	return true;
}

/* RFC 2449, 6.5. A login that is refused does not prolong it. */
static bool
is_too_soon(struct talk *t, const struct login *l, const struct box *box)
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
		    l->user, l->client);
		return true;
	}
	if (box_note_use(box) == -1)
		log_warn("lock user=%s why=\"%s\"", l->user, strerror(errno));
	return false;
}

static void
log_end(const struct talk *t, const struct login *l,
    const struct transaction *x)
{
	char	user[LOG_SAFE_MAX];

	log_info("session-end user=%s client=%s local=%s tls=\"%s\" "
	    "retrieved=%zu deleted=%zu bytes=%" PRIu64 " why=\"%s\"",
	    log_safe(user, sizeof(user), str_from(l->user)), l->client,
	    l->local, l->tls, x->retrieved, x->deleted, x->bytes,
	    t->end != NULL ? t->end : "quit");
}

static void
serve(struct talk *t, const struct login *l, struct box **box)
{
	struct transaction	x;

	if (!lock(t, l, *box))
		return;
	if (strcmp(l->names, "none") != 0 &&
	    box_adopt_names(*box, l->names) == -1) {
		refuse(t, l, "[SYS/TEMP]", "temporary failure",
		    strerror(errno));
		return;
	}
	if (is_too_soon(t, l, *box))
		return;
	if (transaction_run(&x, t, *box) == -1) {
		refuse(t, l, "[SYS/TEMP]", "temporary failure",
		    strerror(errno));
		return;
	}
	/* also of use after a session that was cut off: sizes are costly */
	if (box_save_uids(*box) == -1)
		log_warn("uid-list user=%s why=\"%s\"", l->user,
		    strerror(errno));
	/* only now: what was adopted is on disk */
	else if (box_last_use(*box) == -1 && box_note_use(*box) == -1)
		log_warn("lock user=%s why=\"%s\"", l->user, strerror(errno));
	/* unlocked before the client knows that it may come again */
	box_close(box);
	talk_close(t);
	log_end(t, l, &x);
}

static int
session(int client, struct login *l, struct settings **set)
{
	struct diag	 why = { "" };
	struct talk	 t;
	struct box	*box = NULL;
	int		 r;

	if (fdio_nonblock(client, 1) == -1 || sig_init(SIG_EV_TERM) == -1)
		return EX_OSERR;
	talk_init(&t, client, (*set)->pop3.idle_timeout, (*set)->pop3_errors,
	    sig_stop_flag());
	set_offer(&t, l, *set);
	strlcpy(l->names, (*set)->pop3_dovecot_names, sizeof(l->names));
	settings_free(set);	/* what comes now fits into its place */
	r = enter(l, &box, &why);
	if (r == -1 && box_path(l->mailbox) == NULL)
		refuse(&t, l, "[SYS/PERM]",
		    "this mailbox cannot be read by POP3", why.text);
	else if (r == -1 || conn_preload(&t.conn, l->pending) == -1)
		refuse(&t, l, "[SYS/TEMP]", "the mailbox cannot be opened",
		    r == -1 ? why.text : strerror(errno));
	else {
		buf_wipe(&l->record);
		serve(&t, l, &box);
	}
	talk_close(&t);
	box_close(&box);
	return EX_OK;
}

int
main(int argc, char *argv[])
{
	struct child_fd	 fds[CHILD_FDS];
	struct settings	*set;
	struct login	 l;
	struct diag	 why;
	int		 n, client, record, status;

	(void)argv;
	if (argc != 1 || fcntl(FD_CONF, F_GET_SEALS) == -1) {
		fprintf(stderr, "pop3d-session is started by posthouse(8)\n");
		return EX_USAGE;
	}
	log_open(FD_LOG, "pop3d-session");
	if (settings_load_fd(FD_CONF, &set, &why) == -1)
		errx(EX_CONFIG, "%s", why.text);
	log_set_level(settings_log_level(set));
	n = child_fds(fds);
	client = n < 1 ? -1 : child_fd_find(fds, (size_t)n, "client", 0);
	record = n < 1 ? -1 : child_fd_find(fds, (size_t)n, "login", 0);
	l.filter = n < 1 ? -1 : child_fd_find(fds, (size_t)n, "filter", 0);
	if (client == -1 || record == -1 || read_login(record, &l) == -1) {
		log_error("start why=\"no login from the master\"");
		return EX_PROTOCOL;
	}
	fdio_close(&record);
	status = session(client, &l, &set);
	buf_wipe(&l.record);
	settings_free(&set);
	return status;
}

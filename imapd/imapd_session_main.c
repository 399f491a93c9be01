/*
 * imapd/imapd_session_main.c - imapd-session: one session after its login.
 * Started by the master as the mailbox's user, with the client's connection
 * and a sealed record of who it is; can reach that user's mail and what is
 * shared, and nothing else.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/proc/given.h"
#include "common/proc/sig.h"
#include "common/store/box.h"
#include "imapd/commands.h"
#include "imapd/guard.h"
#include "imapd/numbers.h"
#include "imapd/place.h"
#include "imapd/unauthenticate.h"

/* The tagged reply to the login: the front's note begins with its tag. */
static struct str
login_tag(const struct given *g)
{
	struct str	tag = str_from(g->note);
	const char	*blank = memchr(tag.p, ' ', tag.n);

	if (blank != NULL)
		tag.n = (size_t)(blank - tag.p);
	return tag.n > 0 ? tag : STR("*");
}

static void
welcome(struct session *s, const struct given *g)
{
	struct buf	out;

	buf_init(&out, 8192);
	buf_addf(&out, "%.*s OK [CAPABILITY ", STR_ARG(login_tag(g)));
	if (session_capabilities(s, &out) == 0)
		buf_adds(&out, "] logged in\r\n");
	say_buf(s, &out);
	buf_free(&out);
}

static void
refuse(struct session *s, const struct given *g, const char *why)
{
	char		safe[LOG_SAFE_MAX], user[LOG_SAFE_MAX];
	struct buf	out;

	buf_init(&out, 1024);
	buf_addf(&out, "%.*s NO [UNAVAILABLE] the mailbox cannot be opened"
	    "\r\n* BYE come again later\r\n", STR_ARG(login_tag(g)));
	say_buf(s, &out);
	buf_free(&out);
	s->end = "refused";
	log_warn("session-refused user=%s client=%s why=%s",
	    log_safe(user, sizeof(user), str_from(g->user)), g->client,
	    log_safe(safe, sizeof(safe), str_from(why)));
}

static void
log_end(const struct session *s, const struct given *g)
{
	char	user[LOG_SAFE_MAX];

	log_info("session-end user=%s client=%s local=%s tls=\"%s\" "
	    "commands=%" PRIu64 " in=%" PRIu64 " out=%" PRIu64 " why=\"%s\"",
	    log_safe(user, sizeof(user), str_from(g->user)), g->client,
	    g->local, g->tls, s->commands, s->bytes_in, s->bytes_out,
	    s->end != NULL ? s->end : "logout");
}

/* Before the first byte of the client's, or a name in the mailbox, is looked at. */
static int
enter(struct session *s, struct given *g, struct diag *why)
{
	struct sandbox_path	places[2] = {
		{ box_path(g->mailbox), SANDBOX_READ | SANDBOX_WRITE },
		{ s->set->imap.shared, SANDBOX_READ | SANDBOX_WRITE },
	};

	if (places_open(s, why) == -1)
		return -1;
	return given_enter(g, places, *s->set->imap.shared == '\0' ? 1 : 2,
	    why);
}

/* In the middle of anything, which is left as it is: files are never in need of being finished. */
static void
broken(struct session *s)
{
	char	user[LOG_SAFE_MAX];

	log_warn("mailbox user=%s why=\"a file of its index broke while it "
	    "was in use\"", log_safe(user, sizeof(user), str_from(s->user)));
	say(s, "BYE [UNAVAILABLE] the mailbox was damaged underfoot, come "
	    "again");
	s->end = "a broken index";
}

static void
session(struct given *g)
{
	struct session	s = { .state = S_AUTH };
	struct diag	why = { "" };
	bool		whole = true;

	conn_init(&s.conn, g->connection);
	s.conn.stop = sig_stop_flag();
	s.set = g->settings;
	s.conn.out_stall = s.set->imap.in.idle_timeout;
	s.user = g->user;
	s.client = g->client;
	s.mailbox = g->mailbox;
	s.by = g->by;
	s.quota = g->quota;
	s.encrypted = g->tls[0] != '\0';
	s.same_host = g->client[0] != '\0' && strcmp(g->client, g->local) == 0;
	s.may_go_back = auth_note_is_back(g->note);
	if (enter(&s, g, &why) == -1)
		refuse(&s, g, why.text);
	else if (conn_preload(&s.conn, g->pending) == -1)
		refuse(&s, g, strerror(errno));
	else {
		buf_wipe(&g->record);
		welcome(&s, g);
		whole = guard_run(commands_run, &s);
		if (!whole)
			broken(&s);
		log_end(&s, g);
	}
	if (whole) {
		result_clear(&s);
		places_close(&s);
	}
	if (whole && s.back)
		unauthenticate_end(&s);
	else if (conn_flush(&s.conn, 10000) == -1)
		log_debug("the last words did not arrive");
	conn_close(&s.conn);
}

int
main(int argc, char *argv[])
{
	struct given	g;
	int		status;

	(void)argv;
	if ((status = given_take("imapd-session", argc, &g)) == 0)
		session(&g);
	given_end(&g);
	return status;
}

/*
 * deliver/remote_auth.c - logs in at a smarthost (RFC 4954), over TLS. A
 * password that is wrong is the administrator's to mend: mail waits. What
 * held it is wiped; it is never logged.
 */
#include <stdlib.h>
#include <string.h>

#include "common/fmt/base64.h"
#include "common/store/digest.h"
#include "deliver/remote_session.h"

#define LINE_MAX	12288u	/* RFC 4954 4 */
#define NONCE		18	/* random bytes */

struct login {
	struct session	*s;
	struct str	 user, password;
	struct verdict	*why;
	struct buf	 text;		/* decoded, either way */
};

static int
fail(struct login *l, const char *what)
{
	verdict_set(l->why, "4.7.0", "%s: AUTH: %s", l->s->peer, what);
	return -1;
}

/* Says l->text, encoded, behind a word; 0 if the server goes on with the code. */
static int
say(struct login *l, const char *word, unsigned code)
{
	struct session	*s = l->s;
	struct buf	*out = &s->conn.out;
	int		 r = -1;

	/* room for all of it at once: no copy stays behind */
	if (buf_reserve(out, LINE_MAX) == -1)
		return fail(l, "out of memory");
	buf_adds(out, word);
	if (l->text.n == 0 && word[0] != '\0')
		buf_adds(out, "=");	/* an empty first response, RFC 4954 4 */
	if (base64_encode(out, buf_view(&l->text)) == 0 &&
	    session_put(s, "AUTH", "%s", "") == 0)
		r = session_flush(s, s->r->set->remote.command_timeout, l->why);
	buf_wipe(out);
	buf_wipe(&l->text);
	if (r == -1 || session_reply(s, "AUTH",
	    s->r->set->remote.command_timeout, l->why) == -1)
		return -1;
	if (s->reply.code == code)
		return 0;
	if (s->reply.code < 400)
		return fail(l, "the server does not go by the protocol");
	verdict_reply(l->why, &s->reply);
	l->why->status[0] = '4';
	return -1;
}

/* The server's challenge behind "334 ", decoded into l->text. */
static int
challenge(struct login *l)
{
	struct str	s = str_from(l->s->reply.text + 3);

	buf_reset(&l->text);
	if (base64_decode(&l->text, str_trim(s)) == 0)
		return 0;
	return fail(l, "the server's challenge is not in base64");
}

static int
plain(struct login *l)
{
	buf_addc(&l->text, '\0');
	buf_addstr(&l->text, l->user);
	buf_addc(&l->text, '\0');
	buf_addstr(&l->text, l->password);
	return say(l, "AUTH PLAIN ", 235);
}

/* It asks for name and password, in whatever words. */
static int
login(struct login *l)
{
	struct session	*s = l->s;

	session_put(s, "AUTH", "AUTH LOGIN");
	if (session_reply(s, "AUTH", s->r->set->remote.command_timeout,
	    l->why) == -1)
		return -1;
	if (s->reply.code != 334) {
		verdict_reply(l->why, &s->reply);
		l->why->status[0] = '4';
		return -1;
	}
	buf_addstr(&l->text, l->user);
	if (say(l, "", 334) == -1)
		return -1;
	buf_addstr(&l->text, l->password);
	return say(l, "", 235);
}

static int
scram_talk(struct login *l, struct scram *m, const char *word)
{
	struct buf	in;
	int		r;

	if (say(l, word, 334) == -1 || challenge(l) == -1)
		return -1;
	in = l->text;
	buf_init(&l->text, LINE_MAX);
	r = scram_answer(m, buf_view(&in), l->password, &l->text);
	buf_free(&in);
	if (r == -1)
		return fail(l, "the server's first message makes no sense");
	if (say(l, "", 334) == -1 || challenge(l) == -1)
		return -1;
	if (!scram_proven(m, buf_view(&l->text)))
		return fail(l, "the server does not know the password");
	buf_reset(&l->text);
	return say(l, "", 235);
}

static int
scram(struct login *l, const struct scram_hash *h, const char *word)
{
	char		random[NONCE];
	struct buf	nonce;
	struct scram	m;
	int		r;

	arc4random_buf(random, sizeof(random));
	buf_init(&nonce, 64);
	if (base64_encode(&nonce, (struct str){ random, NONCE }) == -1)
		return fail(l, "out of memory");
	r = scram_begin(&m, h, l->user, buf_view(&nonce), &l->text);
	r = r == -1 ? fail(l, "the name is too long") :
	    scram_talk(l, &m, word);
	scram_free(&m);
	buf_free(&nonce);
	return r;
}

static int
run(struct login *l)
{
	unsigned	offer = l->s->ehlo.auth;

	if (offer & EHLO_SCRAM_SHA256)
		return scram(l, &digest_scram_sha256, "AUTH SCRAM-SHA-256 ");
	if (offer & EHLO_SCRAM_SHA1)
		return scram(l, &digest_scram_sha1, "AUTH SCRAM-SHA-1 ");
	if (offer & EHLO_PLAIN)
		return plain(l);
	if (offer & EHLO_LOGIN)
		return login(l);
	return fail(l, "not offered, or no mechanism that is known here");
}

enum open_result
session_auth(struct session *s, const char *user, struct verdict *why)
{
	struct login	l = { .s = s, .user = str_from(user), .why = why };
	int		r;

	if (!auth_password(s->r->passwords, s->called, user, &l.password)) {
		verdict_set(why, "4.7.0", "no password for %s at %s in "
		    "remote.passwords", user, s->called);
		return OPEN_TEMP;
	}
	buf_init(&l.text, LINE_MAX);
	r = run(&l);
	buf_wipe(&l.text);
	return r == -1 ? OPEN_TEMP : OPEN_OK;
}

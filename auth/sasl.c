/* auth/sasl.c - SASL mechanisms by their messages. Pure; the client's messages are a stranger's. */
#include "auth/sasl.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/cur.h"
#include "common/fmt/saslprep.h"
#include "common/fmt/utf8.h"
#include "common/store/digest.h"

static enum sasl_result
syntax(struct sasl *s, const char *why)
{
	s->why = why;
	return SASL_SYNTAX;
}

static bool
set_name(struct str in, char name[AUTH_USER_MAX + 1])
{
	return saslprep(in, name, AUTH_USER_MAX + 1) == 0;
}

/* With the name that is there. What cannot be a password is one that is wrong. */
static enum sasl_result
password(struct sasl *s, struct str in)
{
	if (s->user[0] == '\0')
		s->why = "impossible name";
	else if (in.n == 0 || str_has_control(in) ||
	    str_copy(s->pass, sizeof(s->pass), in) == -1)
		s->why = "impossible password";
	else
		return SASL_PASSWORD;
	return SASL_WRONG;
}

/* A name that nobody can have is refused with the password, as any that nobody has. */
enum sasl_result
sasl_login(struct sasl *s, struct str user, struct str pass)
{
	(void)set_name(user, s->user);
	return password(s, pass);
}

/* RFC 4616: [authzid] NUL authcid NUL passwd, each of the latter two at least one character. */
static enum sasl_result
plain(struct sasl *s, struct str in, struct buf *out)
{
	struct cur	c = cur_from(in);
	struct str	authzid, user, pass;

	(void)out;
	if (!cur_until(&c, '\0', &authzid) || !cur_until(&c, '\0', &user))
		return syntax(s, "PLAIN: no two NULs");
	pass = cur_rest(&c);
	if (user.n == 0 || pass.n == 0)
		return syntax(s, "PLAIN: empty name or password");
	if (memchr(pass.p, '\0', pass.n) != NULL)
		return syntax(s, "PLAIN: more than two NULs");
	if (!utf8_ok(in))
		return syntax(s, "PLAIN: not UTF-8");
	if (authzid.n > 0 && !set_name(authzid, s->authzid))
		return syntax(s, "PLAIN: impossible authorization identity");
	return sasl_login(s, user, pass);
}

/* draft-murchison-sasl-login: a name, then a password; some send the name at once. */
static enum sasl_result
login(struct sasl *s, struct str in, struct buf *out)
{
	if (s->step == 1) {
		(void)set_name(in, s->user);
		buf_adds(out, "Password:");
		return SASL_MORE;
	}
	return password(s, in);
}

static enum sasl_result
scram_result(struct sasl *s, enum scram_status st, enum sasl_result good)
{
	static const struct {
		enum sasl_result	 result;
		const char		*why;
	} results[] = {
		[SCRAM_OK] = { SASL_PROVEN, NULL },
		[SCRAM_SYNTAX] = { SASL_SYNTAX, "SCRAM: malformed message" },
		[SCRAM_TYPE] = { SASL_TYPE, "SCRAM: no such channel binding" },
		[SCRAM_DOWNGRADE] = { SASL_WRONG,
		    "SCRAM: -PLUS was hidden from the client" },
		[SCRAM_BINDING] = { SASL_WRONG,
		    "SCRAM: bound to another connection" },
		[SCRAM_PROOF] = { SASL_WRONG, "wrong password" }
	};

	if (st == SCRAM_OK)
		return good;
	s->why = results[st].why;
	return results[st].result;
}

static enum sasl_result
scram(struct sasl *s, struct str in, struct buf *out)
{
	enum scram_status	st;

	(void)out;
	if (s->step > 1)
		return scram_result(s, scram_server_final(&s->scram, in),
		    SASL_PROOF);
	if (!utf8_ok(in))
		return syntax(s, "SCRAM: not UTF-8");
	st = scram_server_begin(&s->scram, sasl_hash(s), &s->channel, in);
	if (st != SCRAM_OK)
		return scram_result(s, st, SASL_SALT);
	if (s->scram.authzid[0] != '\0' &&
	    !set_name(str_from(s->scram.authzid), s->authzid))
		return syntax(s, "SCRAM: impossible authorization identity");
	(void)set_name(str_from(s->scram.user), s->user);
	return SASL_SALT;
}

/* RFC 4422 A: nothing, or the name to be. */
static enum sasl_result
external(struct sasl *s, struct str in, struct buf *out)
{
	(void)out;
	if (in.n > 0 && !set_name(in, s->authzid))
		return syntax(s, "EXTERNAL: impossible name");
	return SASL_CERTIFICATE;
}

enum oauth_form
sasl_form(const struct sasl *s)
{
	return s->mechanism == MECHANISM_XOAUTH2 ? OAUTH_X2 : OAUTH_BEARER;
}

/* A token; or the answer to why it was refused, after which it is over. */
static enum sasl_result
oauth(struct sasl *s, struct str in, struct buf *out)
{
	struct oauth_message	m;

	(void)out;
	if (s->step > 1) {
		if (!oauth_is_end(in))
			s->why = "OAuth: more after the refusal";
		return SASL_WRONG;
	}
	if (!oauth_parse(sasl_form(s), in, &m))
		return syntax(s, "OAuth: malformed message");
	if (m.user[0] != '\0' && !set_name(str_from(m.user), s->user))
		return syntax(s, "OAuth: impossible name");
	return buf_addstr(&s->token, m.token) == 0 ? SASL_TOKEN :
	    syntax(s, "OAuth: no room for the token");
}

enum sasl_result
sasl_refuse(struct sasl *s, struct str json, const char *why, struct buf *out)
{
	s->why = why;
	buf_wipe(&s->token);
	buf_addstr(out, json);
	return SASL_MORE;
}

static const struct {
	enum sasl_result (*run)(struct sasl *, struct str, struct buf *);
	unsigned	 steps;		/* messages of the client */
	const char	*first;		/* the challenge, if it does not begin */
} mechanisms[] = {
	[MECHANISM_NONE] = { NULL, 0, NULL },
	[MECHANISM_PLAIN] = { plain, 1, "" },
	[MECHANISM_LOGIN] = { login, 2, "Username:" },
	[MECHANISM_SCRAM_SHA_1] = { scram, 2, "" },
	[MECHANISM_SCRAM_SHA_256] = { scram, 2, "" },
	[MECHANISM_SCRAM_SHA_1_PLUS] = { scram, 2, "" },
	[MECHANISM_SCRAM_SHA_256_PLUS] = { scram, 2, "" },
	[MECHANISM_EXTERNAL] = { external, 1, "" },
	[MECHANISM_OAUTHBEARER] = { oauth, 2, "" },
	[MECHANISM_XOAUTH2] = { oauth, 2, "" }
};

void
sasl_init(struct sasl *s, enum mechanism m, const struct facts *f, bool offered)
{
	memset(s, 0, sizeof(*s));
	s->mechanism = m;
	buf_init(&s->token, AUTH_RESPONSE_MAX);
	s->channel = (struct scram_channel){ .plus = mechanism_binds(m),
	    .offered = offered, .exporter = { f->exporter, f->exporter_n },
	    .end_point = { f->end_point, f->end_point_n } };
}

enum sasl_result
sasl_step(struct sasl *s, const struct str *in, struct buf *out)
{
	if (in == NULL && s->step == 0 && mechanisms[s->mechanism].first != NULL) {
		buf_adds(out, mechanisms[s->mechanism].first);
		return SASL_MORE;
	}
	if (in == NULL || s->step >= mechanisms[s->mechanism].steps)
		return syntax(s, "a message too many");
	s->step++;
	return mechanisms[s->mechanism].run(s, *in, out);
}

const struct scram_hash *
sasl_hash(const struct sasl *s)
{
	return s->mechanism == MECHANISM_SCRAM_SHA_1 ||
	    s->mechanism == MECHANISM_SCRAM_SHA_1_PLUS ? &digest_scram_sha1 :
	    &digest_scram_sha256;
}

enum sasl_result
sasl_salt(struct sasl *s, struct str nonce, const struct scram_keys *k,
    struct buf *out)
{
	if (scram_server_salt(&s->scram, nonce, (struct str){
	    (const char *)k->salt, k->salt_n }, k->iterations, out) == 0)
		return SASL_MORE;
	s->why = "out of memory";
	return SASL_WRONG;
}

enum sasl_result
sasl_prove(struct sasl *s, const struct scram_keys *k, struct buf *out)
{
	return scram_result(s, scram_server_prove(&s->scram, k, out),
	    SASL_PROVEN);
}

void
sasl_free(struct sasl *s)
{
	scram_server_free(&s->scram);
	buf_wipe(&s->token);
	explicit_bzero(s, sizeof(*s));
}

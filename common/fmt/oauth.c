/* common/fmt/oauth.c - RFC 7628 3.1 and 3.2.2, and XOAUTH2; pure. The message is a stranger's. */
#include "common/fmt/oauth.h"

#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/json.h"

#define SEPARATOR	'\x01'
#define KEY_MAX		32u
#define SCHEME		STR("Bearer")

static bool
is_key(unsigned char c)
{
	return is_alpha(c);
}

/* RFC 6750 2.1, without the padding */
static bool
is_token(unsigned char c)
{
	return is_alnum(c) || (c != '\0' && strchr("-._~+/", c) != NULL);
}

static bool
is_value(unsigned char c)
{
	return is_vchar(c) || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 1*token *"=", and nothing else. */
static bool
token_ok(struct str s)
{
	size_t	i = 0;

	while (i < s.n && is_token((unsigned char)s.p[i]))
		i++;
	if (i == 0)
		return false;
	while (i < s.n && s.p[i] == '=')
		i++;
	return i == s.n;
}

/* "Bearer TOKEN"; nothing at all is a question, RFC 7628 4.3. */
static bool
auth_value(struct str value, struct str *token)
{
	struct cur	c = cur_from(value);

	*token = STR("");
	if (value.n == 0)
		return true;
	if (!cur_word(&c, SCHEME) || !cur_byte(&c, ' '))
		return false;
	while (cur_byte(&c, ' '))
		continue;
	*token = cur_rest(&c);
	return token_ok(*token);
}

/* Each byte of UTF-8 may be in a name; a control character may not. */
static bool
user_put(char *dst, size_t *n, char c)
{
	if (*n >= OAUTH_USER_MAX || (unsigned char)c < ' ' || c == 0x7f)
		return false;
	dst[(*n)++] = c;
	dst[*n] = '\0';
	return true;
}

/* saslname of RFC 5801 4: comma and equals sign are spelled out. */
static bool
saslname(struct cur *c, char *user)
{
	size_t	n = 0;
	int	b;

	while ((b = cur_peek(c)) != -1 && b != ',') {
		if (b != '=') {
			c->p++;
			if (!user_put(user, &n, (char)b))
				return false;
		} else if (cur_word(c, STR("=2C"))) {
			if (!user_put(user, &n, ','))
				return false;
		} else if (!cur_word(c, STR("=3D")) ||
		    !user_put(user, &n, '='))
			return false;
	}
	return n > 0;
}

/* gs2-header without channel binding: there is none for these mechanisms. */
static bool
gs2_header(struct cur *c, char *user)
{
	if (!cur_byte(c, 'n') && !cur_byte(c, 'y'))
		return false;
	if (!cur_byte(c, ','))
		return false;
	if (cur_byte(c, 'a') && (!cur_byte(c, '=') || !saslname(c, user)))
		return false;
	return cur_byte(c, ',');
}

/* key "=" value ^A */
static bool
pair(struct cur *c, struct str *key, struct str *value)
{
	size_t	i;

	if (!cur_span(c, is_key, KEY_MAX, key) || !cur_byte(c, '=') ||
	    !cur_until(c, SEPARATOR, value))
		return false;
	for (i = 0; i < value->n; i++)
		if (!is_value((unsigned char)value->p[i]))
			return false;
	return true;
}

/* *kvpair ^A, with "auth" once. */
static bool
pairs(struct cur *c, struct str *token)
{
	struct str	key, value;
	bool		found = false;

	while (!cur_byte(c, SEPARATOR)) {
		if (!pair(c, &key, &value))
			return false;
		if (!str_eq_nocase(key, STR("auth")))
			continue;
		if (found || !auth_value(value, token))
			return false;
		found = true;
	}
	return found && cur_done(c);
}

static bool
user_copy(struct str s, char *user)
{
	size_t	i, n = 0;

	for (i = 0; i < s.n; i++)
		if (!user_put(user, &n, s.p[i]))
			return false;
	return true;
}

/* "user=" name ^A "auth=Bearer " token ^A ^A */
static bool
parse_x2(struct cur *c, struct oauth_message *out)
{
	struct str	user;

	return cur_word(c, STR("user=")) && cur_until(c, SEPARATOR, &user) &&
	    user_copy(user, out->user) && pairs(c, &out->token);
}

bool
oauth_parse(enum oauth_form form, struct str in, struct oauth_message *out)
{
	struct cur	c = cur_from(in);

	out->user[0] = '\0';
	out->token = STR("");
	if (form == OAUTH_X2)
		return parse_x2(&c, out);
	return gs2_header(&c, out->user) && cur_byte(&c, SEPARATOR) &&
	    pairs(&c, &out->token);
}

bool
oauth_is_end(struct str s)
{
	return s.n == 0 || (s.n == 1 && s.p[0] == SEPARATOR);
}

static const struct {
	const char	*name, *number;
} errors[] = {
	[OAUTH_INVALID_REQUEST] = { "invalid_request", "400" },
	[OAUTH_INVALID_TOKEN] = { "invalid_token", "401" },
	[OAUTH_INSUFFICIENT_SCOPE] = { "insufficient_scope", "403" }
};

static void
member(struct buf *b, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	buf_addf(b, ",\"%s\":", name);
	json_quote(str_from(value), b);
}

int
oauth_error_json(struct buf *b, enum oauth_form form, enum oauth_error e,
    const char *scope, const char *discovery)
{
	buf_addf(b, "{\"status\":\"%s\"",
	    form == OAUTH_X2 ? errors[e].number : errors[e].name);
	if (form == OAUTH_X2)
		member(b, "schemes", "bearer");
	member(b, "scope", scope);
	member(b, "openid-configuration", discovery);
	return buf_addc(b, '}');
}

/* common/fmt/mime.c - Content-Type and Content-Transfer-Encoding; pure. */
#include "common/fmt/mime.h"
#include "common/fmt/header.h"

#include <string.h>

#include "common/fmt/cur.h"

#define TOKEN_MAX	512u
#define VALUE_MAX	1024u

static bool
is_token(unsigned char c)
{
	return is_vchar(c) && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* A token or a quoted-string; what is longer than the room for it has length 0. */
static bool
value(struct cur *c, char *dst, size_t size)
{
	struct str	token;
	size_t		n = 0;

	if (!cur_byte(c, '"')) {
		if (!cur_span(c, is_token, TOKEN_MAX, &token))
			return false;
		if (str_copy(dst, size, token) == -1)
			dst[0] = '\0';
		return true;
	}
	while (!cur_done(c) && *c->p != '"') {
		if (*c->p == '\\' && cur_left(c) > 1)
			c->p++;
		if (n < size)
			dst[n] = *c->p;
		n++;
		c->p++;
	}
	dst[n < size ? n : 0] = '\0';
	return cur_byte(c, '"');
}

static bool
boundary_ok(const char *s)
{
	size_t	n = strlen(s);

	if (n == 0 || s[n - 1] == ' ')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > 126)
			return false;
	return true;
}

bool
mime_type(struct str body, struct mime_type *t)
{
	struct cur	c = cur_from(body);
	struct str	name;
	char		text[MIME_BOUNDARY_MAX + 2];

	t->boundary[0] = '\0';
	header_skip_cfws(&c);
	if (!cur_span(&c, is_token, TOKEN_MAX, &t->type))
		return false;
	header_skip_cfws(&c);
	if (!cur_byte(&c, '/'))
		return false;
	header_skip_cfws(&c);
	if (!cur_span(&c, is_token, TOKEN_MAX, &t->subtype))
		return false;
	for (header_skip_cfws(&c); cur_byte(&c, ';'); header_skip_cfws(&c)) {
		header_skip_cfws(&c);
		if (!cur_span(&c, is_token, TOKEN_MAX, &name))
			continue;	/* "; ;", as some write */
		header_skip_cfws(&c);
		if (!cur_byte(&c, '='))
			return true;	/* what is known counts */
		header_skip_cfws(&c);
		if (!value(&c, text, sizeof(text)))
			return true;
		if (str_eq_nocase(name, STR("boundary")) &&
		    strlen(text) <= MIME_BOUNDARY_MAX && boundary_ok(text))
			memcpy(t->boundary, text, strlen(text) + 1);
	}
	return true;
}

bool
mime_type_is(const struct mime_type *t, const char *type, const char *subtype)
{
	return str_eq_nocase(t->type, str_from(type)) && (subtype == NULL ||
	    str_eq_nocase(t->subtype, str_from(subtype)));
}

enum mime_encoding
mime_encoding(struct str body)
{
	static const char *const names[] = {
		[MIME_7BIT] = "7bit", [MIME_8BIT] = "8bit",
		[MIME_BINARY] = "binary", [MIME_QP] = "quoted-printable",
		[MIME_BASE64] = "base64"
	};
	struct cur	c = cur_from(body);
	struct str	token;
	size_t		i;

	header_skip_cfws(&c);
	if (!cur_span(&c, is_token, TOKEN_MAX, &token))
		return MIME_UNKNOWN;
	for (i = 0; i < nitems(names); i++)
		if (str_eq_nocase(token, str_from(names[i])))
			return (enum mime_encoding)i;
	return MIME_UNKNOWN;
}

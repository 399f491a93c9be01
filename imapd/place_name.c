/* imapd/place_name.c - names of mailboxes and folders; pure. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "common/fmt/mutf7.h"
#include "common/fmt/utf8.h"
#include "common/store/maildir.h"
#include "imapd/place_name.h"

#define POINTS_MAX	(2 * PLACE_NAME_MAX)	/* U+0390 is two octets and becomes three */

static void
skip(struct str *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

bool
name_space(const struct name_rules *r, struct str name, bool *shared,
    bool *inbox, struct str *rest)
{
	struct str	of = str_from(r->shared);

	*rest = name;
	*inbox = str_eq_nocase(name, STR("INBOX"));
	*shared = r->shared != NULL && name.n >= of.n &&
	    memcmp(name.p, of.p, of.n) == 0;
	if (*shared || *inbox) {
		skip(rest, *inbox ? name.n : of.n);
		return true;
	}
	of = str_from(r->prefix);
	if (!str_starts_nocase(name, of))
		return false;
	skip(rest, of.n);
	/* With a prefix of this name the inbox has a second one. */
	if (of.n > 0 && str_eq(*rest, STR("INBOX"))) {
		*inbox = true;
		skip(rest, rest->n);
	}
	return true;
}

/* Parts between separators, none of them empty. */
static const char *
check_parts(struct str s, char separator)
{
	char	other = separator == '/' ? '.' : '/';
	size_t	i;

	if (s.n == 0)
		return "it is empty";
	if (s.p[0] == separator)
		return "it begins with the separator";
	if (s.p[s.n - 1] == separator)
		return "it ends with the separator";
	if (s.p[0] == '~')
		return "it begins with '~'";
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == other)
			return other == '/' ? "'/' cannot be in it" :
			    "'.' cannot be in it";
		if (s.p[i] == separator && s.p[i + 1] == separator)
			return "two separators follow each other";
	}
	return NULL;
}

/* RFC 6855, 3: what is below U+0020 and from U+007F to U+009F, and what separates lines and paragraphs. */
static bool
has_control(struct str s)
{
	size_t		i, n;
	uint32_t	c;

	for (i = 0; i < s.n; i += n > 0 ? n : 1) {
		n = utf8_length((struct str){ s.p + i, s.n - i });
		c = n > 0 ? utf8_point(s.p + i, n) : 0;
		if ((c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029)
			return true;
	}
	return str_has_control(s);
}

/* As text: is it any, and has it control characters? */
static bool
is_odd(struct str coded)
{
	struct buf	plain;
	bool		odd;

	buf_init(&plain, 4096);
	odd = !mutf7_to_utf8(coded, &plain) ||
	    has_control(buf_view(&plain));
	buf_free(&plain);
	return odd;
}

const char *
name_to_folder(const struct name_rules *r, bool shared, struct str rest,
    char *folder, size_t of, bool *odd)
{
	const char	*wrong = check_parts(rest, r->separator);
	struct buf	 coded;
	char		*p;

	*odd = false;
	if (wrong != NULL)
		return wrong;
	if (rest.n > PLACE_NAME_MAX)
		return "it is too long";
	buf_init(&coded, 4096);
	if (!r->utf8)
		buf_addstr(&coded, rest);
	else if (!mutf7_from_utf8(rest, &coded))
		wrong = "it is not in UTF-8";
	if (wrong == NULL && str_copy(folder, of, buf_view(&coded)) == -1)
		wrong = errno == EINVAL ? "there is a NUL in it" :
		    "it is too long";
	buf_free(&coded);
	if (wrong != NULL)
		return wrong;
	*odd = is_odd(str_from(folder));
	for (p = folder; *p != '\0'; p++)
		if (*p == r->separator)
			*p = '.';
	/* "inbox/x" is below the inbox. */
	if (!shared && *r->prefix == '\0' &&
	    strncasecmp(folder, "INBOX.", 6) == 0)
		memcpy(folder, "INBOX", 5);
	return maildir_folder_found(folder) ? NULL : "no folder can be called so";
}

int
name_from_folder(const struct name_rules *r, bool shared, const char *folder,
    struct buf *out)
{
	size_t	at;

	if (!shared && *folder == '\0')
		return buf_adds(out, "INBOX");
	buf_adds(out, shared ? r->shared : r->prefix);
	at = out->n;
	if (!r->utf8 || !mutf7_to_utf8(str_from(folder), out))
		buf_adds(out, folder);
	if (r->separator != '.')
		for (; at < out->n; at++)
			if (out->p[at] == '.')
				out->p[at] = r->separator;
	return buf_ok(out) ? 0 : -1;
}

int
name_compose(struct str name, struct buf *out)
{
	const utf8proc_option_t	how = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
	int32_t			points[POINTS_MAX];
	utf8proc_ssize_t	i, n;
	size_t			at = out->n;

	if (utf8_is_ascii(name))
		return 0;
	n = utf8proc_decompose((const unsigned char *)name.p,
	    (utf8proc_ssize_t)name.n, points, POINTS_MAX, how);
	if (n < 0 || n > POINTS_MAX ||
	    (n = utf8proc_normalize_utf32(points, n, how)) < 0)
		return -1;
	for (i = 0; i < n; i++)
		(void)utf8_put(out, (uint32_t)points[i]);
	if (!buf_ok(out))
		return -1;
	return !str_eq(name, (struct str){ out->p + at, out->n - at });
}

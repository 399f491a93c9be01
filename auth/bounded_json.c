/*
 * auth/bounded_json.c - what jansson does not bound by itself. Runs in auth
 * and introspect; the text is a stranger's.
 */
#include "auth/bounded_json.h"

#include <stdlib.h>
#include <string.h>

void
bounded_json_seed(void)
{
	size_t	seed;

	do {
		arc4random_buf(&seed, sizeof(seed));
	} while (seed == 0);
	json_object_seed(seed);
}

/* jansson calls itself for each bracket; its own limit is 2048. */
static bool
too_deep(struct str s)
{
	size_t	i, depth = 0;
	bool	quoted = false;

	for (i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (s.p[i] == '{' || s.p[i] == '[') {
			if (++depth > BOUNDED_JSON_DEPTH)
				return true;
		} else if ((s.p[i] == '}' || s.p[i] == ']') && depth > 0)
			depth--;
	}
	return false;
}

json_t *
bounded_json(struct str text, size_t max)
{
	json_t	*j;

	if (text.n > max || too_deep(text))
		return NULL;
	j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (j != NULL && !json_is_object(j)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

enum json_text
bounded_json_text(const json_t *object, const char *member, char *dst,
    size_t size)
{
	const json_t	*v = json_object_get(object, member);
	size_t		 i, n;

	dst[0] = '\0';
	if (v == NULL)
		return JSON_TEXT_NONE;
	if (!json_is_string(v) || (n = json_string_length(v)) >= size)
		return JSON_TEXT_WRONG;
	for (i = 0; i < n; i++)
		if ((unsigned char)json_string_value(v)[i] < ' ' ||
		    json_string_value(v)[i] == 0x7f)
			return JSON_TEXT_WRONG;
	memcpy(dst, json_string_value(v), n + 1);
	return JSON_TEXT_OK;
}

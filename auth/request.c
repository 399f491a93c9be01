/* auth/request.c - a login as the front asks for it. Pure; distrusts the front. */
#include "auth/request.h"

#include <string.h>

#include "common/fmt/record.h"

static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

/* One IPv4 address, or the network that one subscriber has. */
static void
unit_of(const char *client, char out[ADDR_TEXT_SIZE])
{
	struct addr	a;
	struct network	n;

	if (addr_parse(str_from(client), &a) == -1) {
		strlcpy(out, "local", ADDR_TEXT_SIZE);
		return;
	}
	n = network_of_client(&a);
	(void)addr_text(&n.addr, false, out);
}

bool
request_parse(struct str rec, struct request *r)
{
	struct str	verb;

	if (!record_ok(rec) || !record_get(rec, AUTH_VERB, &verb) ||
	    !str_eq(verb, STR("login")) ||
	    !record_gets(rec, AUTH_SERVICE, r->service, sizeof(r->service)) ||
	    !record_gets(rec, AUTH_USER, r->user, sizeof(r->user)) ||
	    !record_gets(rec, AUTH_PASS, r->pass, sizeof(r->pass)) ||
	    !record_gets(rec, AUTH_CLIENT, r->client, sizeof(r->client)) ||
	    !is_plain(r->service) || !is_plain(r->client))
		return false;
	if (!record_get(rec, AUTH_PENDING, &r->pending))
		r->pending = STR("");
	unit_of(r->client, r->unit);
	return r->pending.n <= REQUEST_PENDING_MAX;
}

void
request_local_name(const struct request *r, const char *domain, char *out,
    size_t size)
{
	const char	*at = strrchr(r->user, '@');

	out[0] = '\0';
	if (at == NULL || at == r->user || strcasecmp(at + 1, domain) != 0)
		return;
	if (str_copy(out, size, (struct str){ r->user,
	    (size_t)(at - r->user) }) == -1)
		out[0] = '\0';
}

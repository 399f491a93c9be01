/* route/source_key.c - what stands left of the colon in a source file. Pure. */
#include "route/source_key.h"

#include <string.h>

#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "route/hop_name.h"

/* The key of an alias: its name in lower case. */
static const char *
alias_key(struct str name, struct buf *key)
{
	char	lower[LOCAL_MAX + 1];

	if (memchr(name.p, '@', name.n) != NULL)
		return "an alias has no domain, expected a name without @ "
		    "(addresses stand in virtual tables)";
	if (str_lower(lower, sizeof(lower), name) == -1)
		return "this name is too long";
	buf_adds(key, lower);
	return NULL;
}

/* "ann@example.net" or "@example.net", in the one form that is looked up. */
static const char *
address_key(struct str name, struct buf *key, char domain[DOMAIN_MAX + 1])
{
	struct cur	c = cur_from(name);
	struct path	p = { { "", 0 }, { "", 0 }, false };
	char		local[LOCAL_MAX + 1], lower[LOCAL_MAX + 1];

	if (cur_byte(&c, '@') ? !path_domain(&c, PATH_UTF8, &p.domain) :
	    !path_mailbox(&c, PATH_UTF8, false, &p))
		return "this is no address, expected name@domain or @domain";
	if (!cur_done(&c))
		return "text after the address, expected a colon";
	if (path_local_plain(p.local, local, sizeof(local)) == -1)
		return "this name is too long";
	if (str_lower(lower, sizeof(lower), str_from(local)) == -1 ||
	    hop_name_canonical(p.domain, domain, DOMAIN_MAX + 1) == -1)
		return "this address is too long";
	buf_addf(key, "%s@%s", lower, domain);
	return NULL;
}

static const char *
virtual_key(const struct site *site, struct str name, struct buf *key)
{
	char				 domain[DOMAIN_MAX + 1];
	const char			*what = address_key(name, key, domain);
	const struct site_domain	*d;

	if (what != NULL)
		return what;
	d = site_find(site, str_from(domain));
	if (d == NULL || d->kind == SITE_RELAY)
		return "this domain is not ours, expected one of domain or "
		    "virtual-domain";
	return NULL;
}

const char *
source_key(const struct site *site, enum table_kind kind, struct str name,
    struct buf *key)
{
	char	domain[DOMAIN_MAX + 1];

	switch (kind) {
	case TABLE_ALIASES:
		return alias_key(name, key);
	case TABLE_VIRTUAL:
		return virtual_key(site, name, key);
	case TABLE_SENDERS:
	case TABLE_KINDS:
		break;
	}
	if (!str_eq(name, STR("*")))
		return address_key(name, key, domain);
	buf_adds(key, "*");
	return NULL;
}

/* route/site.h - the settings, prepared so that a domain or a client is found at once. Pure. */
#ifndef ROUTE_SITE_H
#define ROUTE_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/fmt/path.h"
#include "common/net/addr.h"
#include "common/proc/settings.h"
#include "route/hop_pattern.h"

#define SITE_OWN_MAX	64

enum site_kind { SITE_FOREIGN, SITE_LOCAL, SITE_VIRTUAL, SITE_RELAY };

struct site_domain {
	char			 name[DOMAIN_MAX + 1];	/* hop_name_canonical */
	enum site_kind		 kind;
	const struct setting_item *item;	/* NULL: by nature (host name, address) */
	const struct setting_item *catch_all;	/* or NULL */
};

struct site {
	const struct settings	*settings;	/* borrowed */
	struct site_domain	*domains;	/* sorted by name */
	size_t			 ndomains;
	struct site_domain	 literal;	/* what an own address answers with */
	struct network		*relay;		/* same order as settings->relay_from */
	struct addr		 own[SITE_OWN_MAX];	/* addresses of this host */
	size_t			 nown;
	struct hop_patterns	 transports;	/* to refuse what would be returned */
	const char		*first;		/* added to addresses without a domain */
};

/* own: addresses of this host; more than SITE_OWN_MAX are left out. The settings must outlive it. */
int	site_init(struct site *, const struct settings *, const struct addr *own, size_t) must_check;
void	site_free(struct site *);
/* The first catch-all that is for no domain of ours, or NULL. */
const struct setting_item *site_stray_catch_all(const struct site *);
/* They are others now. */
void	site_set_own(struct site *, const struct addr *, size_t);
/* A domain in its one form (hop_name_canonical), or [literal]; NULL: foreign. */
const struct site_domain *site_find(const struct site *, struct str);
/* The transport line that says that mail for this domain is not sent, or NULL. */
const struct setting_item *site_refused(const struct site *, struct str);
/* The relay-from entry that has this client, or NULL. */
const struct setting_item *site_relay(const struct site *, const struct addr *);

#endif

/* route/site.c - the settings, prepared for look-ups. Pure. */
#include "route/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "route/hop_name.h"

static int
add_domain(struct site *s, const char *name, enum site_kind kind,
    const struct setting_item *item)
{
	struct site_domain	*d = &s->domains[s->ndomains];

	*d = (struct site_domain){ .kind = kind, .item = item };
	if (hop_name_canonical(str_from(name), d->name,
	    sizeof(d->name)) == -1)
		return -1;
	s->ndomains++;
	return 0;
}

static int
add_list(struct site *s, const struct setting_list *list, enum site_kind kind)
{
	size_t	i;

	for (i = 0; i < list->n; i++)
		if (add_domain(s, list->items[i].text, kind,
		    &list->items[i]) == -1)
			return -1;
	return 0;
}

/* A domain that is named twice keeps its first meaning: local, virtual, relay. */
static int
by_name(const void *a, const void *b)
{
	const struct site_domain	*x = a, *y = b;
	int				 r = strcmp(x->name, y->name);

	if (r != 0)
		return r;
	/* the host name is local only if nobody says otherwise */
	if ((x->item == NULL) != (y->item == NULL))
		return x->item == NULL ? 1 : -1;
	return (int)x->kind - (int)y->kind;
}

static int
compare_key(const void *key, const void *domain)
{
	const struct str		*k = key;
	const struct site_domain	*d = domain;

	return str_cmp(*k, str_from(d->name));
}

static void
sort_domains(struct site *s)
{
	size_t	i, n = 0;

	qsort(s->domains, s->ndomains, sizeof(*s->domains), by_name);
	for (i = 0; i < s->ndomains; i++)
		if (n == 0 || strcmp(s->domains[i].name,
		    s->domains[n - 1].name) != 0)
			s->domains[n++] = s->domains[i];
	s->ndomains = n;
}

static struct site_domain *
find_name(const struct site *s, struct str name)
{
	return bsearch(&name, s->domains, s->ndomains, sizeof(*s->domains),
	    compare_key);
}

static struct site_domain *
find_written(const struct site *s, const char *text)
{
	char	name[DOMAIN_MAX + 1];

	if (hop_name_canonical(str_from(text), name, sizeof(name)) == -1)
		return NULL;
	return find_name(s, str_from(name));
}

static void
add_catch_alls(struct site *s)
{
	const struct setting_list	*list = &s->settings->catch_all;
	struct site_domain		*d;
	size_t				 i;

	for (i = 0; i < list->n; i++)
		if ((d = find_written(s, list->items[i].text)) != NULL &&
		    d->catch_all == NULL)
			d->catch_all = &list->items[i];
}

const struct setting_item *
site_stray_catch_all(const struct site *s)
{
	const struct setting_list	*list = &s->settings->catch_all;
	const struct site_domain	*d;
	size_t				 i;

	for (i = 0; i < list->n; i++) {
		d = find_written(s, list->items[i].text);
		if (d == NULL || d->kind == SITE_RELAY)
			return &list->items[i];
	}
	return NULL;
}

static int
add_networks(struct site *s)
{
	const struct setting_list	*list = &s->settings->relay_from;
	size_t				 i;

	if ((s->relay = calloc(list->n + 1, sizeof(*s->relay))) == NULL)
		return -1;
	for (i = 0; i < list->n; i++)
		if (network_parse(str_from(list->items[i].text),
		    &s->relay[i]) == -1)
			return -1;
	return 0;
}

void
site_set_own(struct site *s, const struct addr *own, size_t n)
{
	s->nown = n < SITE_OWN_MAX ? n : SITE_OWN_MAX;
	if (s->nown > 0)
		memcpy(s->own, own, s->nown * sizeof(*own));
}

int
site_init(struct site *s, const struct settings *st, const struct addr *own,
    size_t nown)
{
	struct diag	why;

	*s = (struct site){ .settings = st };
	s->domains = calloc(st->domains.n + st->virtual_domains.n +
	    st->relay_domains.n + 1, sizeof(*s->domains));
	if (s->domains == NULL ||
	    add_list(s, &st->domains, SITE_LOCAL) == -1 ||
	    add_list(s, &st->virtual_domains, SITE_VIRTUAL) == -1 ||
	    add_list(s, &st->relay_domains, SITE_RELAY) == -1 ||
	    add_domain(s, st->hostname, SITE_LOCAL, NULL) == -1 ||
	    add_networks(s) == -1 || hop_patterns_init(&s->transports,
	    &st->remote.transports, &why) == -1) {
		site_free(s);
		return -1;
	}
	sort_domains(s);
	add_catch_alls(s);
	s->literal = (struct site_domain){ .kind = SITE_LOCAL };
	site_set_own(s, own, nown);
	s->first = st->domains.n > 0 ? st->domains.items[0].text :
	    st->hostname;
	return 0;
}

void
site_free(struct site *s)
{
	free(s->domains);
	hop_patterns_free(&s->transports);
	free(s->relay);
	*s = (struct site){ .settings = NULL };
}

static const struct site_domain *
find_literal(const struct site *s, struct str name)
{
	struct addr	a;
	size_t		i;

	if (name.n < 2 || addr_parse((struct str){ name.p + 1, name.n - 2 },
	    &a) == -1)
		return NULL;
	for (i = 0; i < s->nown; i++)
		if (memcmp(s->own[i].ip, a.ip, sizeof(a.ip)) == 0)
			return &s->literal;
	return NULL;
}

const struct site_domain *
site_find(const struct site *s, struct str name)
{
	if (name.n > 0 && name.p[0] == '[')
		return find_literal(s, name);
	return find_name(s, name);
}

const struct setting_item *
site_relay(const struct site *s, const struct addr *client)
{
	size_t	i;

	for (i = 0; i < s->settings->relay_from.n; i++)
		if (network_has(&s->relay[i], client))
			return &s->settings->relay_from.items[i];
	return NULL;
}

const struct setting_item *
site_refused(const struct site *s, struct str domain)
{
	const struct hop_pattern	*line;
	char				 name[HOP_NAME_MAX + 3];
	size_t				 n;

	/* what has no A-labels is found out by hop */
	if (s->transports.n == 0 || ((domain.n == 0 || domain.p[0] == '[') ?
	    str_lower(name, sizeof(name), domain) :
	    hop_name_ascii(domain, name)) == -1)
		return NULL;
	if ((line = hop_patterns_find(&s->transports, name, &n)) == NULL &&
	    (line = hop_patterns_any(&s->transports, &n)) == NULL)
		return NULL;
	return strcmp(line->item->more, "none") == 0 ? line->item : NULL;
}

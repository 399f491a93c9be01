/*
 * route/hop_settle.c - the settings of a destination. A line for the
 * recipient's domain counts more than one for its server, and both more
 * than one for everything.
 */
#include <stdio.h>
#include <string.h>

#include "route/hop_choose.h"

static const struct hop_pattern *
find(const struct hop_patterns *p, const struct hop_plan *plan,
    const char *host, size_t *n)
{
	const struct hop_pattern	*found;

	if ((found = hop_patterns_find(p, plan->domain, n)) == NULL &&
	    *host != '\0')
		found = hop_patterns_find(p, host, n);
	return found != NULL ? found : hop_patterns_any(p, n);
}

static const char *
value(const struct hop_patterns *p, const struct hop_plan *plan,
    const char *host)
{
	const struct hop_pattern	*found;
	size_t				 n;

	found = find(p, plan, host, &n);
	return found == NULL ? NULL : found->item->more;
}

static const char *
tls(const struct hop_site *site, const struct hop_plan *plan, const char *host)
{
	const char	*level = value(&site->tls, plan, host);

	if (plan->implicit_tls)
		return "implicit";
	if (plan->kind == HOP_KIND_PATH)
		return "off";
	return level == NULL ? "opportunistic" : level;
}

/* The first line of each family. */
static void
sources(const struct hop_site *site, const struct hop_plan *plan,
    const char *host, struct hop_choice *c)
{
	const struct hop_pattern	*found;
	struct addr			 a;
	size_t				 n, i;

	found = find(&site->sources, plan, host, &n);
	for (i = 0; i < n && c->nsources < nitems(c->sources); i++) {
		if (addr_parse(str_from(found[i].item->more), &a) == -1 ||
		    (c->nsources == 1 &&
		    addr_is_v4(&a) == addr_is_v4(&c->sources[0])))
			continue;
		c->sources[c->nsources++] = a;
	}
}

static void
place(const struct hop_site *site, const struct hop_plan *p, const char *host,
    char *out, size_t size)
{
	char	text[ADDR_TEXT_SIZE];
	bool	usual = !p->lmtp && p->port == (p->implicit_tls ? 465 :
		    (unsigned)site->settings->remote.port);

	if (p->kind == HOP_KIND_PATH)
		snprintf(out, size, "%s", p->path);
	else if (p->kind == HOP_KIND_ADDR && usual)
		snprintf(out, size, "[%s]", addr_text(&p->addr, true, text));
	else if (p->kind == HOP_KIND_ADDR)
		snprintf(out, size, "[%s]:%u", addr_text(&p->addr, true, text),
		    p->port);
	else if (usual)
		snprintf(out, size, "%s", host);
	else
		snprintf(out, size, "%s:%u", host, p->port);
}

/*
 * A connection is used again for whatever has the same key: so what protects
 * it and where it comes from are part of the key, unless they are usual.
 */
static void
name(const struct hop_site *site, const struct hop_plan *p, const char *host,
    struct hop_choice *c)
{
	char	where[HOP_NAME_MAX + ADDR_TEXT_SIZE], text[ADDR_TEXT_SIZE];
	size_t	n, i;

	place(site, p, host, where, sizeof(where));
	n = (size_t)snprintf(c->key, sizeof(c->key), "%s:%s",
	    p->implicit_tls ? "smtps" : c->protocol, where);
	if (!p->implicit_tls && p->kind != HOP_KIND_PATH &&
	    strcmp(c->tls, "opportunistic") != 0)
		n += (size_t)snprintf(c->key + n, sizeof(c->key) - n, " tls=%s",
		    c->tls);
	for (i = 0; i < c->nsources; i++)
		n += (size_t)snprintf(c->key + n, sizeof(c->key) - n,
		    " from=%s", addr_text(&c->sources[i], false, text));
}

void
hop_settle(const struct hop_site *site, const struct hop_plan *plan,
    const char *host, struct hop_choice *c)
{
	c->protocol = plan->lmtp ? "lmtp" : "smtp";
	c->tls = tls(site, plan, host);
	c->connections = value(&site->connections, plan, host);
	c->rate = value(&site->rates, plan, host);
	if (plan->kind != HOP_KIND_PATH)
		sources(site, plan, host, c);
	name(site, plan, host, c);
}

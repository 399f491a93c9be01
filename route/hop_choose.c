/*
 * route/hop_choose.c - which hosts in which order (RFC 5321 5.1, RFC 7505).
 * What servers of strangers said has been cut to size in hop_facts.c.
 */
#include "route/hop_choose.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"

#define WHY_MAX		8192u
#define PREF_NONE	65536u	/* worse than any */

/* What is being chosen from. */
struct work {
	const struct hop_site	*site;
	const struct hop_plan	*plan;
	const struct facts	*facts;
	hop_chance		*chance;
	struct hop_choice	*out;
	unsigned		 limit;	/* hosts of this preference and worse are us or behind us */
	bool			 us;
};

void
hop_choice_init(struct hop_choice *c)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->why, WHY_MAX);
}

void
hop_choice_free(struct hop_choice *c)
{
	buf_free(&c->why);
}

void
hop_refuse(struct hop_choice *c, unsigned code, const char *status,
    const char *fmt, ...)
{
	va_list	ap;

	c->code = code;
	c->status = status;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

static bool
is_temporary(const struct fact_look *l)
{
	return l->asked && l->result >= DNS_SERVFAIL;
}

static void
refuse_for(struct hop_choice *c, enum dns_type type, const char *name,
    const struct fact_look *l)
{
	hop_refuse(c, 450, l->result == DNS_BOGUS ? "4.7.0" : "4.4.3",
	    "%s of %s: %s%s%s", dns_type_name(type), name,
	    dns_result_name(l->result), *l->why == '\0' ? "" : ": ", l->why);
}

/* What a transport line names and DNS does not know waits for whoever wrote the line. */
static void
refuse_never(const struct work *w, const char *status, const char *what)
{
	const char	*name = w->facts->name;

	if (w->plan->item != NULL && (w->plan->kind == HOP_KIND_HOST ||
	    strcmp(name, w->plan->domain) != 0))
		hop_refuse(w->out, 450, "4.4.4", "%s %s (%s:%u: transport)",
		    name, what, w->plan->item->file, w->plan->item->line);
	else
		hop_refuse(w->out, 550, status, "%s %s", name, what);
}

/* Where a connection makes no sense: everybody, nobody, this very link. */
static bool
is_unusable(const struct addr *a)
{
	if (addr_is_v4(a))
		return a->ip[12] == 0 || a->ip[12] >= 224;
	return a->ip[0] == 0xff ||
	    (a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) ||
	    memcmp(a->ip, &(struct addr){ .port = 0 }, sizeof(a->ip)) == 0;
}

static bool
is_us(const struct work *w, const struct fact_host *h)
{
	size_t	i;

	if (w->facts->is_mx && strcmp(h->name, w->site->hostname) == 0)
		return true;
	for (i = 0; i < h->naddrs; i++)
		if (hop_site_us(w->site, &h->addrs[i], w->plan->port))
			return true;
	return false;
}

/* RFC 5321 5.1: what is not better than us would only bring it back. */
static void
find_us(struct work *w)
{
	const struct facts	*f = w->facts;
	size_t			 i;

	w->limit = PREF_NONE;
	for (i = 0; i < f->nhosts; i++) {
		if (w->limit != PREF_NONE || w->plan->lmtp ||
		    !is_us(w, &f->hosts[i]))
			continue;
		w->us = true;
		w->limit = f->hosts[i].pref;
		if (f->nhosts > 1)
			record_putf(&w->out->why, HOP_WHY, "%s is this host: "
			    "preference %u and worse are left out",
			    f->hosts[i].name, w->limit);
		else
			record_putf(&w->out->why, HOP_WHY, "%s is this host",
			    f->hosts[i].name);
	}
}

static void
shuffle(size_t *list, size_t n, hop_chance *chance)
{
	size_t	i, j, tmp;

	for (i = n; i > 1; i--) {
		j = chance((uint32_t)i);
		tmp = list[i - 1];
		list[i - 1] = list[j];
		list[j] = tmp;
	}
}

static size_t
of_family(const struct work *w, const struct fact_host *h, bool v4, size_t *out)
{
	size_t	i, n = 0;

	if (v4 ? !w->site->v4 : !w->site->v6)
		return 0;
	for (i = 0; i < h->naddrs && n < FACTS_ADDRS; i++)
		if (addr_is_v4(&h->addrs[i]) == v4 &&
		    !is_unusable(&h->addrs[i]))
			out[n++] = i;
	shuffle(out, n, w->chance);
	return n;
}

static void
add_target(struct hop_choice *c, const struct hop_target *t)
{
	if (c->ntargets < HOP_TARGETS)
		c->targets[c->ntargets++] = *t;
}

/* One host's addresses, IPv6 and IPv4 in turn; the last of many leave room for other hosts. */
static void
add_host(struct work *w, const struct fact_host *h)
{
	size_t			six[FACTS_ADDRS], four[FACTS_ADDRS], n6, n4, i;
	size_t			room = HOP_TARGETS / w->facts->nhosts;
	struct hop_target	t = { .host = h->name, .port = w->plan->port,
				    .pref = h->pref };

	n6 = of_family(w, h, false, six);
	n4 = of_family(w, h, true, four);
	for (i = 0; room > 0 && (i < n6 || i < n4); i++) {
		if (i < n6) {
			t.addr = h->addrs[six[i]];
			add_target(w->out, &t);
			room--;
		}
		if (i < n4 && room > 0) {
			t.addr = h->addrs[four[i]];
			add_target(w->out, &t);
			room--;
		}
	}
}

/* The hosts are sorted by preference; equals come in random order. */
static void
add_hosts(struct work *w)
{
	const struct facts	*f = w->facts;
	size_t			 order[FACTS_HOSTS], i, j, n;

	for (i = 0; i < f->nhosts && f->hosts[i].pref < w->limit; i = j) {
		for (j = i, n = 0; j < f->nhosts &&
		    f->hosts[j].pref == f->hosts[i].pref; j++)
			order[n++] = j;
		shuffle(order, n, w->chance);
		for (n = 0; n < j - i; n++)
			add_host(w, &f->hosts[order[n]]);
	}
}

/* Those with the best preference that can be reached have the same name for all who share them. */
static const char *
first_of_best(const struct hop_choice *c)
{
	const char	*first = c->targets[0].host;
	size_t		 i;

	for (i = 1; i < c->ntargets; i++)
		if (c->targets[i].pref == c->targets[0].pref &&
		    strcmp(c->targets[i].host, first) < 0)
			first = c->targets[i].host;
	return first;
}

static const struct fact_host *
find_temporary(const struct work *w)
{
	const struct fact_host	*h;

	for (h = w->facts->hosts; h < w->facts->hosts + w->facts->nhosts; h++)
		if (h->pref < w->limit &&
		    (is_temporary(&h->a) || is_temporary(&h->aaaa)))
			return h;
	return NULL;
}

/* Nothing to be tried: is that for ever? */
static void
refuse_all(const struct work *w)
{
	const struct facts	*f = w->facts;
	const struct fact_host	*h;

	if (w->us && f->hosts[0].pref >= w->limit) {
		hop_refuse(w->out, 550, "5.4.6", "mail for %s loops back: its "
		    "best mail server, %s, is this host", w->plan->domain,
		    f->hosts[0].name);
		return;
	}
	if (f->nhosts > 0 && (h = find_temporary(w)) != NULL) {
		if (is_temporary(&h->aaaa) && (!is_temporary(&h->a) ||
		    h->aaaa.result == DNS_BOGUS))
			refuse_for(w->out, DNS_AAAA, h->name, &h->aaaa);
		else
			refuse_for(w->out, DNS_A, h->name, &h->a);
		return;
	}
	if (f->is_mx && !f->implicit)
		refuse_never(w, "5.4.4", "has MX records, but no server of "
		    "them has an address that can be used");
	else if (f->hosts[0].local == 0 &&
	    (f->hosts[0].a.result == DNS_NXDOMAIN ||
	    f->hosts[0].aaaa.result == DNS_NXDOMAIN))
		refuse_never(w, "5.1.2", "does not exist in DNS");
	else
		refuse_never(w, "5.4.4", f->is_mx ? "has neither MX records "
		    "nor an address that can be used" :
		    "has no address that can be used");
}

/* False: the choice is made without looking at hosts. */
static bool
mx_ok(const struct work *w)
{
	const struct facts	*f = w->facts;

	if (is_temporary(&f->mx))	/* or there was no memory for a host */
		refuse_for(w->out, DNS_MX, f->name, &f->mx);
	else if (!f->is_mx || f->implicit)
		return true;
	else if (f->mx.result == DNS_NXDOMAIN)
		refuse_never(w, "5.1.2", "does not exist in DNS");
	else if (f->null_mx)
		refuse_never(w, "5.1.10", "does not take mail (null MX)");
	else
		return true;
	return false;
}

static void
accept_all(const struct work *w)
{
	struct hop_choice	*c = w->out;

	c->code = 250;
	c->status = "2.0.0";
	hop_settle(w->site, w->plan, first_of_best(c), c);
	c->expires = facts_expire(w->facts);
	snprintf(c->text, sizeof(c->text), "%s goes to %.200s, %zu address%s",
	    w->plan->domain, c->key, c->ntargets, c->ntargets == 1 ? "" : "es");
}

static void
choose_looked_up(struct work *w)
{
	hop_why_facts(w->facts, w->out);
	if (!mx_ok(w))
		return;
	find_us(w);
	add_hosts(w);
	if (w->out->ntargets > 0)
		accept_all(w);
	else
		refuse_all(w);
}

static void
choose_one(const struct work *w)
{
	const struct hop_plan	*p = w->plan;
	struct hop_choice	*c = w->out;
	struct hop_target	 t = { .host = "", .addr = p->addr,
				    .port = p->port };

	if (p->kind == HOP_KIND_PATH) {
		t.path = p->path;
		t.port = 0;
	} else if ((p->literal && hop_site_own(w->site, &p->addr)) ||
	    (!p->lmtp && hop_site_us(w->site, &p->addr, p->port))) {
		hop_refuse(c, 550, "5.4.6", "mail for %s loops back: the "
		    "address is this host's", p->domain);
		return;
	} else if (p->literal && (is_unusable(&p->addr) ||
	    !(addr_is_v4(&p->addr) ? w->site->v4 : w->site->v6))) {
		hop_refuse(c, 550, "5.4.4", "%s cannot be used as an address "
		    "here", p->domain);
		return;
	}
	add_target(c, &t);
	c->code = 250;
	c->status = "2.0.0";
	c->expires = 3600;
	hop_settle(w->site, p, "", c);
	snprintf(c->text, sizeof(c->text), "%s goes to %.200s", p->domain,
	    c->key);
}

void
hop_choose(const struct hop_site *site, const struct hop_plan *plan,
    const struct facts *facts, hop_chance *chance, struct hop_choice *out)
{
	struct work	w = { site, plan, facts, chance, out, PREF_NONE, false };
	struct buf	why = out->why;

	buf_reset(&why);
	memset(out, 0, sizeof(*out));
	out->why = why;
	out->expires = 10;
	out->status = "";
	hop_why_plan(plan, out);
	switch (plan->kind) {
	case HOP_KIND_BAD:
		hop_refuse(out, 550, "5.1.2", "no such domain can exist");
		break;
	case HOP_KIND_NONE:
		hop_refuse(out, 550, "5.4.4", "mail for %s is not sent from "
		    "here", plan->domain);
		break;
	case HOP_KIND_ADDR:
	case HOP_KIND_PATH:
		choose_one(&w);
		break;
	case HOP_KIND_MX:
	case HOP_KIND_HOST:
		choose_looked_up(&w);
		break;
	}
}

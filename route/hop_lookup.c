/* route/hop_lookup.c - the questions to DNS that one set of facts needs. */
#include "route/hop_lookup.h"

#include <stdlib.h>
#include <string.h>

#define QUERIES	(1 + 2 * FACTS_HOSTS)

struct query {
	struct hop_lookup	*lookup;
	struct dns_query	*dns;		/* NULL: not under way */
	size_t			 host;
	enum dns_type		 type;
};

struct hop_lookup {
	struct hop_lookup_conf	 conf;
	struct facts		 facts;
	struct query		 queries[QUERIES];
	size_t			 nqueries, open;
	struct event		*timer;
	hop_lookup_done		*done;
	void			*arg;
};

static struct fact_look *
look_of(const struct query *q)
{
	struct facts	*f = &q->lookup->facts;

	switch (q->type) {
	case DNS_MX:
		return &f->mx;
	case DNS_A:
		return &f->hosts[q->host].a;
	case DNS_AAAA:
		return &f->hosts[q->host].aaaa;
	}
	abort();
}

static void
fail(const struct query *q, enum dns_result result, const char *why)
{
	struct dns_reply	reply = { .result = result, .why = why };

	facts_look(look_of(q), &reply);
}

/* Out of memory is no answer either: later. */
static const char	no_memory[] = "out of memory";

static void	answered(void *, const struct dns_reply *);

static void
ask(struct hop_lookup *l, const char *name, size_t host, enum dns_type type)
{
	struct query	*q = &l->queries[l->nqueries++];

	*q = (struct query){ l, NULL, host, type };
	if ((q->dns = dns_ask(l->conf.dns, name, type, answered, q)) == NULL)
		fail(q, DNS_SERVFAIL, no_memory);
	else
		l->open++;
}

static bool
local_addrs(struct hop_lookup *l, struct fact_host *h)
{
	const struct host_entry	*e;
	size_t			 n, i;

	n = hosts_find(l->conf.hosts, h->name, &e);
	for (i = 0; i < n; i++)
		if (facts_add_addr(h, &e[i].addr) == -1)
			return false;
	h->local = n == 0 ? 0 : e->line;
	return n > 0;
}

static void
ask_addrs(struct hop_lookup *l)
{
	struct facts	*f = &l->facts;
	size_t		 i;

	for (i = 0; i < f->nhosts; i++) {
		if (local_addrs(l, &f->hosts[i]))
			continue;
		if (l->conf.v6)
			ask(l, f->hosts[i].name, i, DNS_AAAA);
		if (l->conf.v4)
			ask(l, f->hosts[i].name, i, DNS_A);
	}
}

static void
add_self(struct hop_lookup *l)
{
	struct fact_look	*mx = &l->facts.mx;

	l->facts.implicit = true;
	if (facts_add_host(&l->facts, l->facts.name, 0, 0) == -1) {
		l->facts.implicit = false;
		mx->asked = true;
		mx->result = DNS_SERVFAIL;
		strlcpy(mx->why, no_memory, sizeof(mx->why));
	}
}

static bool
is_local(const struct hop_lookup *l)
{
	const struct host_entry	*e;

	return hosts_find(l->conf.hosts, l->facts.name, &e) > 0;
}

/* RFC 7505: "." is null MX only where it is alone. */
static void
take_mx(struct hop_lookup *l, const struct dns_reply *r)
{
	struct facts	*f = &l->facts;
	char		 name[HOP_NAME_MAX + 1];
	uint16_t	 pref;
	size_t		 i;

	for (i = 0; i < r->n; i++)
		if (!dns_mx(r, i, &pref, name))
			f->left_out++;
		else if (*name == '\0')
			f->null_mx = r->n == 1;
		else if (facts_add_host(f, name, pref,
		    l->conf.chance(UINT32_MAX)) == -1)
			f->left_out++;
}

static void
take_addrs(struct fact_host *h, const struct dns_reply *r)
{
	struct addr	a;
	size_t		i;

	for (i = 0; i < r->n; i++)
		if (dns_addr(r, i, &a) && facts_add_addr(h, &a) == -1)
			h->left_out++;
}

/* No MX record: the domain is its own server. A failed question says nothing of the kind. */
static void
after_mx(struct hop_lookup *l)
{
	enum dns_result	r = l->facts.mx.result;

	if (r == DNS_EMPTY || (r == DNS_NXDOMAIN && is_local(l)))
		add_self(l);
	ask_addrs(l);
}

static void
answered(void *arg, const struct dns_reply *r)
{
	struct query		*q = arg;
	struct hop_lookup	*l = q->lookup;

	q->dns = NULL;
	l->open--;
	facts_look(look_of(q), r);
	if (q->type == DNS_MX) {
		if (r->result == DNS_FOUND)
			take_mx(l, r);
		after_mx(l);
	} else
		take_addrs(&l->facts.hosts[q->host], r);
	if (l->open == 0)
		event_active(l->timer, EV_TIMEOUT, 0);
}

/* All is known, or time is up. */
static void
finish(evutil_socket_t fd, short what, void *arg)
{
	struct hop_lookup	*l = arg;
	hop_lookup_done		*done = l->done;
	void			*done_arg = l->arg;
	struct facts		 facts;
	size_t			 i;

	(void)fd;
	(void)what;
	for (i = 0; i < l->nqueries; i++)
		if (l->queries[i].dns != NULL)
			fail(&l->queries[i], DNS_TIMEOUT, "");
	facts = l->facts;
	facts_init(&l->facts, false, "");
	hop_lookup_cancel(&l);
	done(done_arg, &facts);
}

struct hop_lookup *
hop_lookup_start(const struct hop_lookup_conf *conf, bool is_mx,
    const char *name, hop_lookup_done *done, void *arg)
{
	struct hop_lookup	*l;
	struct timeval		 limit = {
		.tv_sec = conf->timeout / 1000,
		.tv_usec = conf->timeout % 1000 * 1000
	};

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	l->conf = *conf;
	l->done = done;
	l->arg = arg;
	facts_init(&l->facts, is_mx, name);
	if ((l->timer = evtimer_new(conf->base, finish, l)) == NULL ||
	    evtimer_add(l->timer, &limit) == -1) {
		hop_lookup_cancel(&l);
		return NULL;
	}
	if (is_mx)
		ask(l, name, 0, DNS_MX);
	else {
		add_self(l);
		ask_addrs(l);
	}
	if (l->open == 0)
		event_active(l->timer, EV_TIMEOUT, 0);
	return l;
}

void
hop_lookup_cancel(struct hop_lookup **lp)
{
	struct hop_lookup	*l = *lp;
	size_t			 i;

	if (l == NULL)
		return;
	for (i = 0; i < l->nqueries; i++)
		if (l->queries[i].dns != NULL)
			dns_cancel(l->queries[i].dns);
	if (l->timer != NULL)
		event_free(l->timer);
	facts_free(&l->facts);
	free(l);
	*lp = NULL;
}

/*
 * route/hop_engine.c - next hops for any number of questions at a time. The
 * domains come from mail addresses, their facts from DNS: strangers' both.
 */
#include "route/hop_engine.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "route/hop_cache.h"
#include "route/hop_system.h"
#include "route/own.h"

/* The plan is made anew when the facts are there: the settings may be others by then. */
struct question {
	struct hop_waiter	 waiter;
	hop_answered		*answered;
	void			*arg;
	size_t			 n;
	char			 domain[];
};

struct hop_engine {
	struct event_base	*base;
	struct hop_site		 site;
	struct own		 own;
	struct hosts		 hosts;
	struct dns		*dns;
	struct event		*readable;
	struct hop_cache	 cache;
	struct hop_choice	 choice;
	struct hop_counters	 count;
	size_t			 under_way;
};

int
hop_engine_new(struct hop_engine **out, struct event_base *base,
    const struct settings *st, struct diag *why)
{
	struct hop_engine	*e;

	*out = NULL;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return diag_errno(why, "hop");
	e->base = base;
	own_open(&e->own, now_ms());
	hop_cache_init(&e->cache, arc4random(), HOP_CACHE_ENTRIES,
	    HOP_CACHE_BYTES);
	hop_choice_init(&e->choice);
	*out = e;
	if (hop_system_hosts(&e->hosts) == -1) {
		diag_errno(why, "/etc/hosts");
		goto fail;
	}
	if (hop_site_init(&e->site, st, e->own.addrs, e->own.n, why) == -1 ||
	    hop_system_dns(&e->dns, st, why) == -1)
		goto fail;
	return 0;
fail:
	hop_engine_free(out);
	return -1;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	struct hop_engine	*e = arg;

	(void)fd;
	(void)what;
	dns_process(e->dns);
}

int
hop_engine_start(struct hop_engine *e)
{
	e->readable = event_new(e->base, dns_fd(e->dns), EV_READ | EV_PERSIST,
	    readable, e);
	return e->readable == NULL ? -1 : event_add(e->readable, NULL);
}

static void
forget_waiters(struct hop_entry *entry)
{
	struct hop_waiter	*w;

	while ((w = TAILQ_FIRST(&entry->waiters)) != NULL) {
		TAILQ_REMOVE(&entry->waiters, w, link);
		free(w->question);
	}
}

void
hop_engine_free(struct hop_engine **ep)
{
	struct hop_engine	*e = *ep;
	struct hop_entry	*entry;

	if (e == NULL)
		return;
	TAILQ_FOREACH(entry, &e->cache.used, used)
		forget_waiters(entry);
	hop_cache_free(&e->cache);
	if (e->readable != NULL)
		event_free(e->readable);
	dns_close(&e->dns);
	hosts_free(&e->hosts);
	hop_site_free(&e->site);
	own_close(&e->own);
	hop_choice_free(&e->choice);
	free(e);
	*ep = NULL;
}

static bool
same_list(const struct setting_list *a, const struct setting_list *b)
{
	size_t	i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return true;
}

bool
hop_engine_same_dns(const struct settings *a, const struct settings *b)
{
	return same_list(&a->dns.servers, &b->dns.servers) &&
	    a->dns.dnssec == b->dns.dnssec &&
	    strcmp(a->dns.trust_anchor, b->dns.trust_anchor) == 0;
}

int
hop_engine_reload(struct hop_engine *e, const struct settings *st,
    struct diag *why)
{
	struct hop_site	fresh;

	if (hop_site_init(&fresh, st, e->own.addrs, e->own.n, why) == -1)
		return -1;
	hop_site_free(&e->site);
	e->site = fresh;
	hop_cache_clear(&e->cache);
	return 0;
}

static void
tell(struct hop_engine *e, hop_answered *answered, void *arg)
{
	if (e->choice.code == 450)
		e->count.failed++;
	else if (e->choice.code != 250)
		e->count.refused++;
	answered(arg, &e->choice);
}

static void
tell_later(struct hop_engine *e, const char *status, const char *why,
    hop_answered *answered, void *arg)
{
	buf_reset(&e->choice.why);
	hop_refuse(&e->choice, 450, status, "%s", why);
	tell(e, answered, arg);
}

static bool
has_lookup(const struct hop_plan *p)
{
	return p->kind == HOP_KIND_MX || p->kind == HOP_KIND_HOST;
}

static bool
is_for(const struct facts *f, const struct hop_plan *p)
{
	return f->is_mx == (p->kind == HOP_KIND_MX) &&
	    strcmp(f->name, p->name) == 0;
}

static void
tell_choice(struct hop_engine *e, const struct hop_plan *plan,
    const struct hop_entry *entry, hop_answered *answered, void *arg)
{
	int64_t	now = now_ms(), left;

	if (own_refresh(&e->own, now))
		hop_site_set_own(&e->site, e->own.addrs, e->own.n);
	hop_choose(&e->site, plan, entry == NULL ? NULL : &entry->facts,
	    arc4random_uniform, &e->choice);
	if (entry != NULL) {
		left = (entry->until - now) / 1000;
		if (left < (int64_t)e->choice.expires)
			e->choice.expires = left < 10 ? 10 : (unsigned)left;
	}
	tell(e, answered, arg);
}

static void
answer(struct hop_engine *e, const struct hop_entry *entry,
    const struct question *q)
{
	struct hop_plan	plan;

	hop_plan_make(&e->site, (struct str){ q->domain, q->n }, &plan);
	if (has_lookup(&plan) && !is_for(&entry->facts, &plan))
		tell_later(e, "4.3.5", "the configuration has changed",
		    q->answered, q->arg);
	else
		tell_choice(e, &plan, has_lookup(&plan) ? entry : NULL,
		    q->answered, q->arg);
}

static void
looked_up(void *arg, struct facts *facts)
{
	struct hop_entry	*entry = arg;
	struct hop_engine	*e = entry->owner;
	struct hop_waiter	*w;

	entry->lookup = NULL;
	e->under_way--;
	hop_cache_fill(&e->cache, entry, facts, now_ms());
	while ((w = TAILQ_FIRST(&entry->waiters)) != NULL) {
		TAILQ_REMOVE(&entry->waiters, w, link);
		answer(e, entry, w->question);
		free(w->question);
	}
}

static int
look_up(struct hop_engine *e, struct hop_entry *entry)
{
	const struct hop_lookup_conf	conf = {
		e->base, e->dns, &e->hosts, e->site.v4, e->site.v6,
		e->site.settings->dns.timeout, arc4random_uniform
	};
	char				name[HOP_NAME_MAX + 1];

	strlcpy(name, entry->facts.name, sizeof(name));
	entry->owner = e;
	entry->lookup = hop_lookup_start(&conf, entry->facts.is_mx, name,
	    looked_up, entry);
	if (entry->lookup == NULL)
		return -1;
	e->under_way++;
	e->count.looked_up++;
	return 0;
}

static struct question *
question_new(struct str domain, hop_answered *answered, void *arg)
{
	struct question	*q;

	if ((q = malloc(sizeof(*q) + domain.n)) == NULL)
		return NULL;
	q->waiter.question = q;
	q->answered = answered;
	q->arg = arg;
	q->n = domain.n;
	memcpy(q->domain, domain.p, domain.n);
	return q;
}

/* The entry waits for nobody yet if it is new, and goes if it cannot begin. */
static int
wait_for(struct hop_engine *e, const struct hop_plan *plan,
    struct hop_entry *entry, struct question *q)
{
	if (entry == NULL)
		entry = hop_cache_add(&e->cache, plan->kind == HOP_KIND_MX,
		    plan->name);
	if (entry == NULL)
		goto fail;
	if (entry->lookup != NULL)
		e->count.joined++;
	else if (look_up(e, entry) == -1) {
		hop_cache_remove(&e->cache, entry);
		goto fail;
	}
	TAILQ_INSERT_TAIL(&entry->waiters, &q->waiter, link);
	return 0;
fail:
	free(q);
	return -1;
}

int
hop_engine_ask(struct hop_engine *e, struct str domain, hop_answered *answered,
    void *arg)
{
	struct hop_plan		 plan;
	struct hop_entry	*entry;
	struct question		*q;

	e->count.questions++;
	hop_plan_make(&e->site, domain, &plan);
	if (!has_lookup(&plan)) {
		tell_choice(e, &plan, NULL, answered, arg);
		return 0;
	}
	entry = hop_cache_find(&e->cache, plan.kind == HOP_KIND_MX, plan.name);
	if (entry != NULL && entry->lookup == NULL && now_ms() < entry->until) {
		e->count.cached++;
		tell_choice(e, &plan, entry, answered, arg);
		return 0;
	}
	if ((entry == NULL || entry->lookup == NULL) &&
	    e->under_way >= HOP_UNDER_WAY) {
		tell_later(e, "4.3.2", "too many look-ups are under way",
		    answered, arg);
		return 0;
	}
	if ((q = question_new(domain, answered, arg)) == NULL)
		return -1;
	return wait_for(e, &plan, entry, q);
}

void
hop_engine_count(const struct hop_engine *e, struct hop_counters *out)
{
	*out = e->count;
	out->entries = e->cache.n;
	out->bytes = e->cache.bytes;
	out->under_way = e->under_way;
}

/* route/hop_facts.c - what DNS said, within bounds. */
#include "route/hop_facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/fmt/cur.h"

#define EXPIRE_MIN	10u
#define EXPIRE_MAX	3600u

void
facts_init(struct facts *f, bool is_mx, const char *name)
{
	memset(f, 0, sizeof(*f));
	f->is_mx = is_mx;
	strlcpy(f->name, name, sizeof(f->name));
}

static void
host_free(struct fact_host *h)
{
	free(h->name);
	free(h->addrs);
	memset(h, 0, sizeof(*h));
}

void
facts_free(struct facts *f)
{
	size_t	i;

	for (i = 0; i < f->nhosts; i++)
		host_free(&f->hosts[i]);
	free(f->hosts);
	f->hosts = NULL;
	f->nhosts = 0;
}

static void
remove_host(struct facts *f, size_t i)
{
	host_free(&f->hosts[i]);
	f->nhosts--;
	memmove(&f->hosts[i], &f->hosts[i + 1],
	    (f->nhosts - i) * sizeof(*f->hosts));
}

static bool
is_better(const struct fact_host *a, uint16_t pref, uint32_t lot)
{
	return a->pref < pref || (a->pref == pref && a->lot <= lot);
}

int
facts_add_host(struct facts *f, const char *name, uint16_t pref, uint32_t lot)
{
	struct fact_host	*list = f->hosts;
	char			*copy;
	size_t			 at = f->nhosts, i;

	/* Named twice: its better place counts. */
	for (i = 0; i < f->nhosts; i++)
		if (strcmp(list[i].name, name) == 0) {
			if (list[i].pref <= pref)
				return 0;
			remove_host(f, i);
			at = f->nhosts;
		}
	while (at > 0 && !is_better(&list[at - 1], pref, lot))
		at--;
	if (f->nhosts == FACTS_HOSTS)
		f->left_out++;
	if (at == FACTS_HOSTS)
		return 0;
	if (list == NULL && (list = f->hosts = calloc(FACTS_HOSTS,
	    sizeof(*list))) == NULL)
		return -1;
	if ((copy = strdup(name)) == NULL)
		return -1;
	if (f->nhosts == FACTS_HOSTS)
		host_free(&list[--f->nhosts]);
	memmove(&list[at + 1], &list[at], (f->nhosts - at) * sizeof(*list));
	list[at] = (struct fact_host){ .name = copy, .pref = pref, .lot = lot };
	f->nhosts++;
	return 0;
}

size_t
facts_of_family(const struct fact_host *h, bool v4)
{
	size_t	i, n = 0;

	for (i = 0; i < h->naddrs; i++)
		n += addr_is_v4(&h->addrs[i]) == v4;
	return n;
}

int
facts_add_addr(struct fact_host *h, const struct addr *a)
{
	struct addr	*more;

	if (facts_of_family(h, addr_is_v4(a)) >= FACTS_ADDRS) {
		h->left_out++;
		return 0;
	}
	more = reallocarray(h->addrs, h->naddrs + 1, sizeof(*more));
	if (more == NULL)
		return -1;
	h->addrs = more;
	h->addrs[h->naddrs++] = *a;
	return 0;
}

void
facts_look(struct fact_look *l, const struct dns_reply *r)
{
	size_t	i;

	l->asked = true;
	l->result = r->result;
	l->ttl = r->ttl;
	l->secure = r->secure;
	strlcpy(l->why, r->why, sizeof(l->why));
	/* it may quote what a server said */
	for (i = 0; l->why[i] != '\0'; i++)
		if (!is_vchar((unsigned char)l->why[i]))
			l->why[i] = ' ';
}

static unsigned
least(unsigned so_far, const struct fact_look *l)
{
	unsigned	ttl = l->result < DNS_SERVFAIL ? l->ttl : 0;

	return l->asked && ttl < so_far ? ttl : so_far;
}

unsigned
facts_expire(const struct facts *f)
{
	unsigned	ttl = least(EXPIRE_MAX, &f->mx);
	size_t		i;

	for (i = 0; i < f->nhosts; i++)
		ttl = least(least(ttl, &f->hosts[i].a), &f->hosts[i].aaaa);
	return ttl < EXPIRE_MIN ? EXPIRE_MIN : ttl;
}

size_t
facts_size(const struct facts *f)
{
	size_t	n = sizeof(*f), i;

	if (f->hosts != NULL)
		n += FACTS_HOSTS * sizeof(*f->hosts);
	for (i = 0; i < f->nhosts; i++)
		n += strlen(f->hosts[i].name) + 1 +
		    f->hosts[i].naddrs * sizeof(struct addr);
	return n;
}

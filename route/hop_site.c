/* route/hop_site.c - the settings of mail to other hosts, prepared. */
#include "route/hop_site.h"

#include <stdlib.h>
#include <string.h>

static int
prepare(struct hop_site *s, struct diag *why)
{
	const struct remote_settings	*r = &s->settings->remote;

	if (hop_patterns_init(&s->transports, &r->transports, why) == -1 ||
	    hop_patterns_init(&s->tls, &r->tls, why) == -1 ||
	    hop_patterns_init(&s->sources, &r->sources, why) == -1 ||
	    hop_patterns_init(&s->connections, &r->connections, why) == -1 ||
	    hop_patterns_init(&s->rates, &r->rates, why) == -1)
		return -1;
	if (hop_name_ascii(str_from(s->settings->hostname), s->hostname) == -1)
		return diag_set(why, "hostname %s: no such name can exist",
		    s->settings->hostname);
	return 0;
}

static int
listeners(struct hop_site *s, struct diag *why)
{
	const struct setting_list	*l = &s->settings->smtp.in.listen;
	size_t				 i;

	if (l->n == 0)
		return 0;
	if ((s->listen = calloc(l->n, sizeof(*s->listen))) == NULL)
		return diag_errno(why, "settings");
	for (i = 0; i < l->n; i++)
		if (addr_parse_listen(l->items[i].text, &s->listen[i]) == -1)
			return diag_errno(why, "smtp.listen %s",
			    l->items[i].text);
	s->nlisten = l->n;
	return 0;
}

void
hop_site_set_own(struct hop_site *s, const struct addr *own, size_t n)
{
	s->nown = n < HOP_OWN_MAX ? n : HOP_OWN_MAX;
	if (s->nown > 0)
		memcpy(s->own, own, s->nown * sizeof(*own));
}

int
hop_site_init(struct hop_site *s, const struct settings *settings,
    const struct addr *own, size_t nown, struct diag *why)
{
	memset(s, 0, sizeof(*s));
	s->settings = settings;
	s->v4 = strcmp(settings->remote.family, "ipv6") != 0;
	s->v6 = strcmp(settings->remote.family, "ipv4") != 0;
	hop_site_set_own(s, own, nown);
	if (prepare(s, why) == -1 || listeners(s, why) == -1) {
		hop_site_free(s);
		return -1;
	}
	return 0;
}

void
hop_site_free(struct hop_site *s)
{
	hop_patterns_free(&s->transports);
	hop_patterns_free(&s->tls);
	hop_patterns_free(&s->sources);
	hop_patterns_free(&s->connections);
	hop_patterns_free(&s->rates);
	free(s->listen);
	s->listen = NULL;
	s->nlisten = 0;
}

static bool
same(const struct addr *a, const struct addr *b)
{
	return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* 0.0.0.0 and ::, which connect(2) takes for this host */
static bool
is_unspecified(const struct addr *a)
{
	static const struct addr	zero = { .valid = true };
	static const uint8_t		four[4];

	return same(a, &zero) ||
	    (addr_is_v4(a) && memcmp(a->ip + 12, four, sizeof(four)) == 0);
}

static bool
is_loopback(const struct addr *a)
{
	static const struct addr	one = { .ip = { [15] = 1 } };

	return (addr_is_v4(a) && a->ip[12] == 127) || same(a, &one);
}

bool
hop_site_own(const struct hop_site *s, const struct addr *a)
{
	size_t	i;

	for (i = 0; i < s->nown; i++)
		if (same(&s->own[i], a))
			return true;
	return is_unspecified(a) || is_loopback(a);
}

/* "*" is ::, which takes both families. */
static bool
takes(const struct addr *listen, const struct addr *a)
{
	static const struct addr	all = { .valid = true };

	if (!is_unspecified(listen))
		return same(listen, a) || is_unspecified(a);
	return same(listen, &all) || addr_is_v4(a);
}

bool
hop_site_us(const struct hop_site *s, const struct addr *a, unsigned port)
{
	size_t	i;

	if (!hop_site_own(s, a))
		return false;
	for (i = 0; i < s->nlisten; i++)
		if (s->listen[i].port == port && takes(&s->listen[i], a))
			return true;
	return false;
}

/* route/hop_plan.c - what has to be looked up for a domain. */
#include "route/hop_plan.h"

#include <stdlib.h>
#include <string.h>

#define SMTPS_PORT	465
#define LMTP_PORT	24

/* HOST or HOST:PORT of a transport line, which the settings' reader has proven. */
static void
host_of(const char *text, unsigned port, struct hop_plan *p)
{
	const char		*colon = strrchr(text, ':');
	struct str		 host = str_from(text);
	unsigned long long	 number;

	p->port = port;
	if (colon != NULL && (*text != '[' || colon[-1] == ']') &&
	    str_number(str_from(colon + 1), 65535, &number) == 0) {
		p->port = (unsigned)number;
		host.n = (size_t)(colon - text);
	}
	if (hop_name_literal(host, &p->addr))
		p->kind = HOP_KIND_ADDR;
	else if (hop_name_ascii(host, p->name) == 0)
		p->kind = HOP_KIND_HOST;
	else
		p->kind = HOP_KIND_BAD;
}

static bool
word(const char **text, const char *prefix)
{
	size_t	n = strlen(prefix);

	if (strncmp(*text, prefix, n) != 0)
		return false;
	*text += n;
	return true;
}

/* False: "smtp", as if there were no line. */
static bool
transport(const struct hop_site *s, const char *target, struct hop_plan *p)
{
	unsigned	port = (unsigned)s->settings->remote.port;

	if (strcmp(target, "none") == 0)
		p->kind = HOP_KIND_NONE;
	else if (word(&target, "mx:"))
		p->kind = hop_name_ascii(str_from(target), p->name) == 0 ?
		    HOP_KIND_MX : HOP_KIND_BAD;
	else if (word(&target, "smtp:"))
		host_of(target, port, p);
	else if (word(&target, "smtps:")) {
		p->implicit_tls = true;
		host_of(target, SMTPS_PORT, p);
	} else if (word(&target, "lmtp:")) {
		p->lmtp = true;
		if (*target != '/')
			host_of(target, LMTP_PORT, p);
		else {
			p->kind = HOP_KIND_PATH;
			strlcpy(p->path, target, sizeof(p->path));
		}
	} else
		return false;
	return true;
}

void
hop_plan_make(const struct hop_site *s, struct str domain, struct hop_plan *p)
{
	const struct hop_pattern	*line;
	size_t				 n;

	memset(p, 0, sizeof(*p));
	p->port = (unsigned)s->settings->remote.port;
	p->literal = hop_name_literal(domain, &p->addr);
	if (p->literal ? str_lower(p->domain, sizeof(p->domain), domain) == -1 :
	    hop_name_ascii(domain, p->domain) == -1) {
		p->kind = HOP_KIND_BAD;
		return;
	}
	if ((line = hop_patterns_find(&s->transports, p->domain, &n)) != NULL ||
	    (line = hop_patterns_any(&s->transports, &n)) != NULL) {
		p->item = line->item;
		if (transport(s, line->item->more, p)) {
			p->literal = false;
			return;
		}
	}
	p->kind = p->literal ? HOP_KIND_ADDR : HOP_KIND_MX;
	if (!p->literal)
		strlcpy(p->name, p->domain, sizeof(p->name));
}

int
hop_plan_prove(const struct hop_site *s, struct diag *why)
{
	const struct setting_list	*l = &s->settings->remote.transports;
	struct hop_plan			 p;
	size_t				 i;

	for (i = 0; i < l->n; i++) {
		memset(&p, 0, sizeof(p));
		if (transport(s, l->items[i].more, &p) &&
		    p.kind == HOP_KIND_BAD)
			return diag_at(why, l->items[i].file, l->items[i].line,
			    1, "%s: no such host can exist, expected labels "
			    "of IDNA 2008", l->items[i].more);
	}
	return 0;
}

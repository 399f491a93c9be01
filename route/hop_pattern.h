/*
 * route/hop_pattern.h - the patterns of posthouse.conf(5) for mail to other
 * hosts: a domain, ".domain" for all below it, "*". The most exact counts.
 */
#ifndef ROUTE_HOP_PATTERN_H
#define ROUTE_HOP_PATTERN_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/diag.h"
#include "common/proc/settings.h"

struct hop_pattern {
	char			  *text;	/* lower case, A-labels */
	const struct setting_item *item;
};

struct hop_patterns {
	struct hop_pattern	*list;	/* by text, then in the order of the file */
	size_t			 n;
};

/* The items are borrowed. -1: ENOMEM, or *why for a name that cannot exist (IDNA). */
int	hop_patterns_init(struct hop_patterns *, const struct setting_list *, struct diag *) must_check;
void	hop_patterns_free(struct hop_patterns *);
/*
 * For a domain in lower case with A-labels: the first line of the most exact
 * pattern, and how many lines have the same; "*" is left to hop_patterns_any.
 * NULL: none.
 */
const struct hop_pattern *hop_patterns_find(const struct hop_patterns *, const char *domain, size_t *);
const struct hop_pattern *hop_patterns_any(const struct hop_patterns *, size_t *);

#endif

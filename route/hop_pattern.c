/* route/hop_pattern.c - the most exact pattern for a domain, by bisection. */
#include "route/hop_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "route/hop_name.h"

static int
normal(const struct setting_item *item, char **out, struct diag *why)
{
	char		 text[HOP_NAME_MAX + 2] = ".";
	const char	*s = item->text;
	bool		 below = *s == '.';

	if (strcmp(s, "*") == 0)
		strlcpy(text, s, sizeof(text));
	else if (hop_name_ascii(str_from(s + below), text + below) == -1)
		return diag_at(why, item->file, item->line, 1, "%s: no such "
		    "domain can exist, expected labels of IDNA 2008", s);
	if ((*out = strdup(text)) == NULL)
		return diag_errno(why, "settings");
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	const struct hop_pattern	*x = a, *y = b;
	int				 r = strcmp(x->text, y->text);

	if (r != 0)
		return r;
	return x->item < y->item ? -1 : x->item > y->item;
}

int
hop_patterns_init(struct hop_patterns *p, const struct setting_list *from,
    struct diag *why)
{
	size_t	i;

	*p = (struct hop_patterns){ NULL, 0 };
	if (from->n == 0)
		return 0;
	if ((p->list = calloc(from->n, sizeof(*p->list))) == NULL)
		return diag_errno(why, "settings");
	for (i = 0; i < from->n; i++) {
		p->list[i].item = &from->items[i];
		if (normal(&from->items[i], &p->list[i].text, why) == -1) {
			hop_patterns_free(p);
			return -1;
		}
		p->n++;
	}
	qsort(p->list, p->n, sizeof(*p->list), by_text);
	return 0;
}

void
hop_patterns_free(struct hop_patterns *p)
{
	size_t	i;

	for (i = 0; i < p->n; i++)
		free(p->list[i].text);
	free(p->list);
	*p = (struct hop_patterns){ NULL, 0 };
}

static const struct hop_pattern *
find(const struct hop_patterns *p, const char *text, size_t *n)
{
	size_t	low = 0, high = p->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(p->list[mid].text, text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*n = 0;
	while (low + *n < p->n && strcmp(p->list[low + *n].text, text) == 0)
		(*n)++;
	return *n == 0 ? NULL : &p->list[low];
}

const struct hop_pattern *
hop_patterns_find(const struct hop_patterns *p, const char *domain, size_t *n)
{
	const struct hop_pattern	*found = find(p, domain, n);

	/* ".example.org" is below example.org; the longest comes first. */
	if (*domain == '[')
		return found;
	while (found == NULL && (domain = strchr(domain + 1, '.')) != NULL)
		found = find(p, domain, n);
	return found;
}

const struct hop_pattern *
hop_patterns_any(const struct hop_patterns *p, size_t *n)
{
	return find(p, "*", n);
}

/* route/why.c - the reasons, as they are collected. Pure. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/walk.h"

#define WHY_MAX		12288	/* of all; they have to fit in one answer */
#define WHY_LINE	512

static void
add(struct walk *w, const char *line)
{
	struct buf	*why = &w->out->why;

	if (why->n > WHY_MAX)
		return;
	record_puts(why, ROUTE_WHY, line);
	if (why->n > WHY_MAX)
		record_puts(why, ROUTE_WHY, "(more is left out)");
}

void
walk_why(struct walk *w, const char *fmt, ...)
{
	char	line[WHY_LINE];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	add(w, line);
}

void
walk_why_domain(struct walk *w, const struct node *n)
{
	const char	*written = strrchr(n->addr, '@') + 1;

	if (strcasecmp(written, n->domain) != 0)
		walk_why(w, "%s is %s", written, n->domain);
}

void
walk_why_item(struct walk *w, const struct setting_item *it, const char *fmt,
    ...)
{
	char	line[WHY_LINE];
	va_list	ap;
	int	n = 0;

	if (it != NULL && it->line != 0)
		n = snprintf(line, sizeof(line), "%s:%u: ", it->file, it->line);
	else
		n = snprintf(line, sizeof(line), "default: ");
	if (n < 0 || (size_t)n >= sizeof(line))
		n = 0;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	add(w, line);
}

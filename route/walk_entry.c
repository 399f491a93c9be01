/*
 * route/walk_entry.c - an entry of the compiled tables, target by target.
 * Pure but for the look-ups; what stands in a table is taken for damaged
 * until it proves to be a record.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/value.h"
#include "route/walk.h"

/* "@domain" keeps the local part; a sub-address goes along to addresses of ours. */
static enum outcome
follow(struct walk *w, struct node *n, struct str target, struct str ext)
{
	char		 text[2 * ADDR_MAX];
	struct node	 child;
	const char	*sep = w->site->settings->separator;

	if (target.n > ADDR_MAX)
		return OUT_BAD;
	if (target.n > 0 && target.p[0] == '@') {
		snprintf(text, sizeof(text), "%.*s%.*s",
		    (int)(strrchr(n->addr, '@') - n->addr), n->addr,
		    STR_ARG(target));
		target = str_from(text);
	}
	if (!walk_node(w, target, n, &child)) {
		walk_why(w, "\"%.*s\" is no address", STR_ARG(target));
		return OUT_BAD;
	}
	if (w->expn) {
		record_putf(&w->out->names, ROUTE_NAME, "<%s>", child.addr);
		return OUT_OK;
	}
	if (ext.n > 0 && strchr(child.local, sep[0]) == NULL &&
	    site_find(w->site, str_from(child.domain)) != NULL &&
	    (size_t)snprintf(text, sizeof(text), "%s%s%.*s@%s", child.local,
	    sep, STR_ARG(ext), child.domain) < sizeof(text))
		if (!walk_node(w, str_from(text), n, &child) &&
		    !walk_node(w, target, n, &child))
			return OUT_BAD;
	return walk_resolve(w, &child);
}

static enum outcome
deliver_to(struct walk *w, const struct node *n, enum final_kind kind,
    struct str arg)
{
	struct final	f = { .kind = kind, .arg = arg, .ext = STR("") };

	if (w->expn)
		return OUT_OK;	/* nobody outside has to know the command */
	f.user = str_from(w->site->settings->local.alias_user);
	f.addr = str_from(n->addr);
	walk_why(w, "%s %.*s, as %s", kind == FINAL_PIPE ? "command" : "file",
	    STR_ARG(arg), w->site->settings->local.alias_user);
	return walk_final(w, &f);
}

static enum outcome
user_itself(struct walk *w, const struct node *n, struct str name)
{
	char		lower[LOCAL_MAX + 1];
	enum outcome	o;

	if (str_lower(lower, sizeof(lower), name) == -1)
		return OUT_BAD;
	if (w->expn) {
		record_putf(&w->out->names, ROUTE_NAME, "<%s@%s>", lower,
		    w->site->first);
		return OUT_OK;
	}
	o = walk_user(w, n, lower, STR(""));
	return o == OUT_NONE ? walk_nobody(w, n) : o;
}

static enum outcome
target(struct walk *w, struct node *n, const struct field *f, struct str ext,
    struct str place)
{
	switch (f->tag) {
	case VALUE_ADDRESS:
		walk_why(w, "%.*s: %s is %.*s", STR_ARG(place), n->addr,
		    STR_ARG(f->value));
		return follow(w, n, f->value, ext);
	case VALUE_USER:
		walk_why(w, "%.*s: %s is the user %.*s", STR_ARG(place),
		    n->addr, STR_ARG(f->value));
		return user_itself(w, n, f->value);
	case VALUE_PIPE:
	case VALUE_FILE:
		walk_why(w, "%.*s: %s", STR_ARG(place), n->addr);
		return deliver_to(w, n, f->tag == VALUE_PIPE ? FINAL_PIPE :
		    FINAL_FILE, f->value);
	}
	return OUT_OK;
}

/*
 * All targets of an entry: one that is known makes the whole known, one that
 * must wait makes it wait; a loop or a failure ends it.
 */
enum outcome
walk_expand(struct walk *w, struct node *n, struct str value, struct str ext)
{
	struct cur	c = cur_from(value);
	struct str	place = STR("");
	struct field	f;
	enum outcome	o, all = OUT_UNKNOWN;

	while (record_next(&c, &f)) {
		if (f.tag == VALUE_PLACE) {
			place = f.value;
			continue;
		}
		o = target(w, n, &f, ext, place);
		if (o == OUT_OK || o == OUT_CONFIG)
			all = all == OUT_CONFIG ? OUT_CONFIG : o;
		else if (o != OUT_UNKNOWN && o != OUT_BAD)
			return o;
	}
	if (!cur_done(&c)) {
		errno = EPROTO;
		return walk_failed(w, "compiled table", n->addr);
	}
	return all;
}

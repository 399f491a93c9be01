/*
 * route/walk.c - from an address of ours to its final recipients: postmaster,
 * virtual addresses, aliases, users, catch-all. Pure but for the look-ups
 * that it is given. Addresses come from outside, tables from route -c;
 * neither is trusted to end.
 */
#include "route/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/hop_name.h"

bool
walk_node(struct walk *w, struct str text, const struct node *parent,
    struct node *n)
{
	struct cur	 c = cur_from(text);
	struct path	 p;
	struct buf	*b = &w->engine->scratch;
	bool		 bare = true;

	*n = (struct node){ .parent = parent, .skip = SKIP_NOTHING };
	if (parent != NULL && w->direct)
		n->skip = SKIP_ALIAS;
	n->depth = parent == NULL ? 0 : parent->depth + 1;
	if (!path_mailbox(&c, PATH_UTF8, bare, &p) || !cur_done(&c))
		return false;
	if (p.domain.n == 0)
		p.domain = str_from(w->site->first);
	buf_reset(b);
	return path_local_plain(p.local, n->local, sizeof(n->local)) == 0 &&
	    str_lower(n->lower, sizeof(n->lower), str_from(n->local)) == 0 &&
	    hop_name_canonical(p.domain, n->domain, sizeof(n->domain)) == 0 &&
	    path_format(&p, b) == 0 &&
	    str_copy(n->addr, sizeof(n->addr), buf_view(b)) == 0;
}

/* Adds it unless it is there already. */
enum outcome
walk_final(struct walk *w, const struct final *f)
{
	struct decision	*d = w->out;
	struct buf	*b = &w->engine->scratch;
	int		 r;

	/* the same mailbox by two ways is one recipient */
	buf_reset(b);
	buf_addc(b, (char)f->kind);
	record_put(b, 'u', f->user);
	record_put(b, 'e', f->ext);
	record_put(b, 'a', f->arg);
	if (!buf_ok(b) || (r = seen_add(&w->engine->finals,
	    buf_view(b))) == -1)
		return OUT_TEMP;
	if (r == 0)
		return OUT_OK;
	if (d->nfinals == ROUTE_FINALS) {
		walk_why(w, "more than %u recipients", ROUTE_FINALS);
		return OUT_WIDE;
	}
	buf_reset(b);
	final_encode(b, f);
	if (!buf_ok(b))
		return OUT_TEMP;
	record_put(&d->finals, ROUTE_FINAL, buf_view(b));
	if (!buf_ok(&d->finals))
		return OUT_TEMP;
	if (d->nfinals++ == 0)
		d->kind = f->kind;
	return OUT_OK;
}

enum outcome
walk_failed(struct walk *w, const char *what, const char *key)
{
	walk_why(w, "%s: look-up of %s failed: %s", what, key, strerror(errno));
	return OUT_TEMP;
}

enum outcome
walk_user(struct walk *w, const struct node *n, const char *name, struct str ext)
{
	struct buf	 place;
	uid_t		 uid = 0;
	struct final	 f = { .kind = FINAL_USER };
	const char	*where;
	enum outcome	 o = OUT_NONE;
	int		 r;

	buf_init(&place, 2048);
	r = w->tables->user(w->tables->arg, str_from(name), &uid, &place);
	where = buf_cstr(&place);
	if (r == -1 || where == NULL)
		o = walk_failed(w, "users", name);
	else if (r == 0)
		walk_why(w, "users: no %s", name);
	else if ((long long)uid < w->site->settings->local.min_uid)
		walk_why(w, "%s: user %s is no recipient, its number %u is "
		    "below local.min-uid", where, name, (unsigned)uid);
	else {
		walk_why(w, "%s: user %s%s%.*s", where, name,
		    ext.n > 0 ? ", sub-address " : "", STR_ARG(ext));
		f.user = str_from(name);
		f.ext = ext;
		f.addr = str_from(n->addr);
		o = walk_final(w, &f);
	}
	buf_free(&place);
	return o;
}

static enum outcome
try_virtual(struct walk *w, struct node *n, struct str local, struct str ext)
{
	char		key[ADDR_MAX + 1];
	struct str	value;
	int		r;

	if (w->site->settings->virtuals.n == 0)
		return OUT_NONE;
	snprintf(key, sizeof(key), "%.*s@%s", STR_ARG(local), n->domain);
	r = w->tables->virtual_(w->tables->arg, str_from(key), &value);
	if (r == -1)
		return walk_failed(w, "virtual", key);
	if (r == 0) {
		walk_why(w, "virtual: no %s", key);
		return OUT_NONE;
	}
	n->by = SKIP_VIRTUAL;
	return walk_expand(w, n, value, ext);
}

static enum outcome
try_alias(struct walk *w, struct node *n, struct str local)
{
	char		key[LOCAL_MAX + 1];
	struct str	value;
	int		r;

	if (w->site->settings->aliases.n == 0)
		return OUT_NONE;
	snprintf(key, sizeof(key), "%.*s", STR_ARG(local));
	r = w->tables->alias(w->tables->arg, str_from(key), &value);
	if (r == -1)
		return walk_failed(w, "aliases", key);
	if (r == 0) {
		walk_why(w, "aliases: no %s", key);
		return OUT_NONE;
	}
	n->by = SKIP_ALIAS;
	return walk_expand(w, n, value, STR(""));
}

/* One spelling of the local part: with its sub-address or without. */
static enum outcome
try_local(struct walk *w, struct node *n, const struct site_domain *d,
    struct str local, struct str ext)
{
	char		name[ADDR_MAX + 1];
	enum outcome	o = OUT_NONE;

	if (n->skip < SKIP_VIRTUAL)
		o = try_virtual(w, n, local, ext);
	if (o == OUT_NONE && d->kind == SITE_LOCAL) {
		if (n->skip < SKIP_ALIAS)
			o = try_alias(w, n, local);
		if (o == OUT_NONE) {
			snprintf(name, sizeof(name), "%.*s", STR_ARG(local));
			o = walk_user(w, n, name, ext);
		}
	}
	if (o == OUT_NONE && d->kind == SITE_VIRTUAL) {
		/* a user whose name is an address */
		snprintf(name, sizeof(name), "%.*s@%s", STR_ARG(local),
		    n->domain);
		o = walk_user(w, n, name, ext);
	}
	return o;
}

static enum outcome
try_catch_all(struct walk *w, struct node *n, const struct site_domain *d)
{
	struct node	child;
	enum outcome	o = OUT_NONE;

	if (n->skip < SKIP_VIRTUAL)
		o = try_virtual(w, n, STR(""), STR(""));
	if (o != OUT_NONE || d->catch_all == NULL ||
	    (n->parent != NULL && w->direct))
		return o;
	walk_why_item(w, d->catch_all, "catch-all of %s is %s", d->name,
	    d->catch_all->more);
	if (!walk_node(w, str_from(d->catch_all->more), n, &child))
		return OUT_BAD;
	return walk_resolve(w, &child);
}

enum outcome
walk_nobody(struct walk *w, const struct node *n)
{
	walk_why(w, "nobody is %s", n->addr);
	w->partly = true;
	return seen_add(&w->engine->unknown, str_from(n->addr)) == -1 ?
	    OUT_TEMP : OUT_UNKNOWN;
}

/* The part before the separator, or false: there is none. */
static bool
split(const struct walk *w, const struct node *n, struct str *base,
    struct str *ext)
{
	const char	*sep = w->site->settings->separator, *at;

	if (sep[0] == '\0' || n->lower[0] == '\0' ||
	    (at = strchr(n->lower + 1, sep[0])) == NULL)
		return false;
	*base = (struct str){ n->lower, (size_t)(at - n->lower) };
	*ext = str_from(n->local + base->n + 1);
	return true;
}

static enum outcome
resolve_ours(struct walk *w, struct node *n, const struct site_domain *d)
{
	struct str	base, ext;
	enum outcome	o;

	o = try_local(w, n, d, str_from(n->lower), STR(""));
	if (o == OUT_NONE && split(w, n, &base, &ext))
		o = try_local(w, n, d, base, ext);
	if (o == OUT_NONE)
		o = try_catch_all(w, n, d);
	return o == OUT_NONE ? walk_nobody(w, n) : o;
}

static void
key_of(const struct node *n, char key[ADDR_MAX + 1])
{
	snprintf(key, ADDR_MAX + 1, "%s@%s", n->lower, n->domain);
}

/* 1 go on, 0 it has been dealt with, -1 *o is the end. */
static int
check_way(struct walk *w, struct node *n, enum outcome *o)
{
	const struct node	*p;
	char			 key[ADDR_MAX + 1];
	int			 r;

	key_of(n, key);
	for (p = n->parent; p != NULL; p = p->parent) {
		if (strcmp(p->lower, n->lower) != 0 ||
		    strcmp(p->domain, n->domain) != 0)
			continue;
		/* "bob: bob, ann" means the mailbox of bob, not bob again. */
		if (p == n->parent && p->skip < p->by) {
			if (n->skip < p->by)
				n->skip = p->by;
			walk_why(w, "%s names itself: its own entry is not "
			    "asked again", n->addr);
			return 1;
		}
		walk_why(w, "%s leads back to itself", n->addr);
		*o = OUT_LOOP;
		return -1;
	}
	if (n->depth > ENGINE_DEPTH) {
		walk_why(w, "more than %d aliases in one another",
		    ENGINE_DEPTH);
		*o = OUT_DEEP;
		return -1;
	}
	*o = OUT_OK;
	if ((r = seen_add(&w->engine->visited, str_from(key))) == -1)
		*o = OUT_TEMP;
	else if (r == 0 && seen_has(&w->engine->nobody, str_from(key))) {
		w->partly = true;
		*o = OUT_UNKNOWN;
	}
	return r;
}

static bool
is_postmaster(const struct node *n)
{
	return strcmp(n->lower, "postmaster") == 0;
}

/* virtual entry, alias, the setting; in the end it is accepted all the same (RFC 5321 4.5.1). */
static enum outcome
resolve_postmaster(struct walk *w, struct node *n)
{
	const char	*name = w->site->settings->postmaster;
	bool		 partly = w->partly;
	struct node	 child;
	enum outcome	 o;

	o = try_virtual(w, n, str_from(n->lower), STR(""));
	if (o == OUT_NONE)
		o = try_alias(w, n, str_from(n->lower));
	if (o == OUT_OK || o == OUT_TEMP)
		return o;
	walk_why(w, "postmaster is %s", name);
	n->by = SKIP_ALIAS;
	/* whom the alias missed does not matter if the setting finds somebody */
	w->partly = partly;
	if (walk_node(w, str_from(name), n, &child)) {
		o = walk_resolve(w, &child);
		if (o == OUT_OK || o == OUT_TEMP)
			return o;
	}
	walk_why(w, "the postmaster's mail waits until the setting postmaster "
	    "names somebody");
	return OUT_CONFIG;
}

static void
why_ours(struct walk *w, const struct node *n, const struct site_domain *d)
{
	const char	*kind = d->kind == SITE_LOCAL ? "local" : "virtual";

	if (d->item == NULL)
		walk_why(w, "%s is a name of this host", n->domain);
	else if (strcasecmp(d->item->text, n->domain) == 0)
		walk_why_item(w, d->item, "domain %s is %s", n->domain, kind);
	else
		walk_why_item(w, d->item, "domain %s, which is %s, is %s",
		    d->item->text, n->domain, kind);
}

enum outcome
walk_resolve(struct walk *w, struct node *n)
{
	const struct site_domain *d = site_find(w->site, str_from(n->domain));
	struct final	f = { .kind = FINAL_REMOTE };
	char		key[ADDR_MAX + 1];
	enum outcome	o = OUT_OK;
	int		r;

	if ((r = check_way(w, n, &o)) != 1)
		return o;
	if (n->parent != NULL)
		walk_why_domain(w, n);
	if (d == NULL || d->kind == SITE_RELAY) {
		walk_why(w, "%s is on another host", n->addr);
		f.arg = f.addr = str_from(n->addr);
		return walk_final(w, &f);
	}
	why_ours(w, n, d);
	if (is_postmaster(n) && n->skip == SKIP_NOTHING)
		return resolve_postmaster(w, n);
	o = resolve_ours(w, n, d);
	if (o == OUT_UNKNOWN && n->skip == SKIP_NOTHING) {
		key_of(n, key);
		if (seen_add(&w->engine->nobody, str_from(key)) == -1)
			o = OUT_TEMP;
	}
	return o;
}

enum outcome
walk_unknown(struct walk *w)
{
	struct seen	*s = &w->engine->unknown;
	struct final	 f = { .kind = FINAL_USER };
	enum outcome	 o = OUT_OK;
	const char	*at;
	size_t		 i, from = 0;

	for (i = 0; i < s->n && o == OUT_OK; i++) {
		f.addr = (struct str){ s->bytes.p + from, s->ends[i] - from };
		from = s->ends[i];
		f.user = f.addr;
		at = memchr(f.addr.p, '@', f.addr.n);
		if (at != NULL && at > f.addr.p)
			f.user.n = (size_t)(at - f.addr.p);
		o = walk_final(w, &f);
	}
	return o;
}

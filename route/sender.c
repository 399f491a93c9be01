/*
 * route/sender.c - may this user send as this address (RFC 6409 6.1)? What the
 * table senders says, or that mail for the address is his. Pure but for the
 * look-ups.
 */
#include "route/sender.h"

#include <stdio.h>
#include <string.h>

#include "common/fmt/record.h"
#include "common/proc/proto_route.h"
#include "route/value.h"

static void
decide(struct walk *w, unsigned code, const char *status, const char *text)
{
	struct decision	*d = w->out;

	d->code = code;
	d->status = status;
	d->text = text;
	/* whose mail it is has served its purpose */
	buf_reset(&d->finals);
	d->nfinals = 0;
}

static void
allow(struct walk *w)
{
	decide(w, 250, "2.1.0", "sender ok");
}

/* ---- the table */

/* 1 the entry names the user, 0 it does not, -1 it is damaged. */
static int
names_user(struct walk *w, const char *key, struct str value, struct str user)
{
	struct cur	c = cur_from(value);
	struct str	place = STR("");
	struct field	f;

	while (record_next(&c, &f)) {
		if (f.tag == VALUE_PLACE)
			place = f.value;
		else if (f.tag == VALUE_USER && (str_eq(f.value, STR("*")) ||
		    str_eq_nocase(f.value, user))) {
			walk_why(w, "%.*s: %s is for %.*s", STR_ARG(place), key,
			    STR_ARG(f.value));
			return 1;
		}
	}
	if (!cur_done(&c))
		return -1;
	walk_why(w, "%.*s: %s is not for %.*s", STR_ARG(place), key,
	    STR_ARG(user));
	return 0;
}

/* 1 yes, 0 nothing is said of him there, -1 the look-up failed. */
static int
ask_key(struct walk *w, const char *key, struct str user)
{
	struct str	value;
	int		r;

	r = w->tables->sender(w->tables->arg, str_from(key), &value);
	if (r == 0)
		walk_why(w, "senders: no %s", key);
	else if (r == 1)
		r = names_user(w, key, value, user);
	if (r == -1)
		walk_failed(w, "senders", key);
	return r;
}

static int
ask_table(struct walk *w, const struct node *n, struct str user)
{
	const char	*sep = w->site->settings->separator, *at = NULL;
	char		 key[ADDR_MAX + 1];
	int		 r;

	if (w->site->settings->senders.n == 0)
		return 0;
	snprintf(key, sizeof(key), "%s@%s", n->lower, n->domain);
	if ((r = ask_key(w, key, user)) != 0)
		return r;
	if (sep[0] != '\0' && n->lower[0] != '\0')
		at = strchr(n->lower + 1, sep[0]);
	if (at != NULL) {
		snprintf(key, sizeof(key), "%.*s@%s", (int)(at - n->lower),
		    n->lower, n->domain);
		if ((r = ask_key(w, key, user)) != 0)
			return r;
	}
	snprintf(key, sizeof(key), "@%s", n->domain);
	if ((r = ask_key(w, key, user)) != 0)
		return r;
	return ask_key(w, "*", user);
}

/* ---- his own */

static bool
is_final(const struct decision *d, struct str user)
{
	struct cur	c = cur_from(buf_view(&d->finals));
	struct field	f;
	struct final	r;

	while (record_next(&c, &f) && final_decode(f.value, &r))
		if (r.kind == FINAL_USER && str_eq_nocase(r.user, user))
			return true;
	return false;
}

/* Mail for it reaches him, by his name or by one entry that names him. */
static int
ask_own(struct walk *w, struct node *n, struct str user)
{
	const struct site_domain *d = site_find(w->site, str_from(n->domain));

	walk_why_domain(w, n);
	if (d == NULL || d->kind == SITE_RELAY) {
		walk_why(w, "%s is not a domain of this host", n->domain);
		return 0;
	}
	w->direct = true;
	if (walk_resolve(w, n) == OUT_TEMP)
		return -1;
	if (is_final(w->out, user))
		return 1;
	walk_why(w, "mail for %s is not delivered to %.*s", n->addr,
	    STR_ARG(user));
	return 0;
}

void
sender_decide(struct walk *w, const struct engine_ask *q)
{
	const char	*who = w->site->settings->submission_senders;
	struct node	 n;
	int		 r;

	if (q->sender.n == 0) {
		walk_why(w, "the null sender is nobody's address");
		allow(w);
		return;
	}
	if (!walk_node(w, q->sender, NULL, &n)) {
		walk_why(w, "\"%.*s\" is no address", STR_ARG(q->sender));
		decide(w, 553, "5.1.7", "this is no address");
		return;
	}
	if (strcmp(who, "any") == 0) {
		walk_why(w, "submission.senders any");
		allow(w);
		return;
	}
	r = ask_table(w, &n, q->auth);
	if (r == 0 && strcmp(who, "own") == 0)
		r = ask_own(w, &n, q->auth);
	if (r == 1)
		allow(w);
	else if (r == 0)
		decide(w, 553, "5.7.1", "this sender address is not yours");
	else
		decide(w, 451, "4.3.0", "temporary failure of a look-up");
}

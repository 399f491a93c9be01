/*
 * auth/source.c - accounts from the compiled tables, and who may be somebody
 * in the system's database, which auth cannot see. Runs as ph-auth.
 */
#include "auth/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACE_MAX	(USER_PATH_MAX + 64)
#define ACCOUNT_MAX	((128u << 10) + PLACE_MAX)	/* a record and its place */

struct sources {
	struct users	*tables;	/* NULL: the system's users only */
	bool		 system;
};

void
account_init(struct account *a)
{
	memset(a, 0, sizeof(*a));
	a->services = a->networks = a->reason = a->place = STR("");
	buf_init(&a->rec, ACCOUNT_MAX);
}

void
account_free(struct account *a)
{
	buf_wipe(&a->rec);
	explicit_bzero(a, sizeof(*a));
	account_init(a);
}

/* The next of a list with commas. False: there is none. */
static bool
next_of(struct str *list, struct str *one)
{
	const char	*comma;

	if (list->n == 0)
		return false;
	*one = *list;
	if ((comma = memchr(list->p, ',', list->n)) != NULL)
		one->n = (size_t)(comma - list->p);
	list->p += one->n + (comma != NULL);
	list->n -= one->n + (comma != NULL);
	return true;
}

bool
services_have(struct str list, const char *service)
{
	struct str	one;

	while (next_of(&list, &one))
		if (str_eq(one, str_from(service)))
			return true;
	return false;
}

/* "local" is who comes without an address, from this host. */
static bool
network_is(struct str one, const struct addr *a)
{
	struct network	net;

	if (str_eq(one, STR("local")))
		return !a->valid;
	return a->valid && network_parse(one, &net) == 0 &&
	    network_has(&net, a);
}

bool
networks_have(struct str list, const struct addr *a)
{
	struct str	one;
	bool		only_exceptions = list.n > 0, except;

	while (next_of(&list, &one)) {
		if ((except = one.n > 0 && one.p[0] == '!')) {
			one.p++;
			one.n--;
		} else
			only_exceptions = false;
		if (network_is(one, a))
			return !except;
	}
	return only_exceptions;
}

bool
account_may(const struct account *a, const char *service,
    const struct addr *client, const char **why)
{
	*why = NULL;
	if (a->nologin)
		*why = "nologin";
	else if (a->services.n > 0 && !services_have(a->services, service))
		*why = "not for this service";
	else if (a->networks.n > 0 && !networks_have(a->networks, client))
		*why = "not from this network";
	return *why == NULL;
}

int
sources_open(struct sources **out, const struct settings *st, int dir,
    struct diag *why)
{
	struct sources	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return diag_errno(why, "users");
	s->system = settings_users_system(st);
	if (settings_users_tables(st) &&
	    (users_open(&s->tables, true, false, dir, why) == -1 ||
	    users_open_passwords(s->tables, why) == -1)) {
		sources_close(&s);
		return -1;
	}
	*out = s;
	return 0;
}

bool
sources_refresh(struct sources *s, struct diag *why)
{
	why->text[0] = '\0';
	return s->tables != NULL && users_refresh(s->tables, why);
}

static void
add_secret(struct account *a, struct secret secret, const char *service)
{
	if (secret.record.n > 0 && (service == NULL || secret.services.n == 0 ||
	    services_have(secret.services, service)))
		a->secrets[a->nsecrets++] = secret;
}

/* What the table says, in the account's words; the views stay where they are. */
static void
take(struct account *a, const struct users_entry *e, const char *service)
{
	size_t	i;

	a->any = e->any;
	a->master = e->master;
	a->nologin = e->nologin;
	a->services = e->services;
	a->networks = e->networks;
	a->reason = e->reason;
	add_secret(a, (struct secret){ e->password, STR(""), STR("") },
	    service);
	for (i = 0; i < e->napps; i++)
		add_secret(a, (struct secret){ e->apps[i].record,
		    e->apps[i].name, e->apps[i].services }, service);
}

/* 1, 0: not in the tables, -1. */
static int
find_compiled(struct sources *s, struct str name, const char *service,
    struct account *a)
{
	struct users_entry	e;
	struct buf		place;
	int			r;

	buf_init(&place, PLACE_MAX);
	if ((r = users_find(s->tables, name, &a->user, &place)) == 1 &&
	    /* room for the place behind it: views do not move */
	    (r = users_secrets(s->tables, name, PLACE_MAX, &a->rec, &e)) == 1) {
		take(a, &e, service);
		a->place.p = a->rec.p + a->rec.n;
		a->place.n = place.n;
		r = buf_addstr(&a->rec, buf_view(&place)) == 0 ? 1 : -1;
	}
	buf_free(&place);
	return r;
}

/* The tables do not know the name. */
static int
find_system(struct sources *s, struct str name, struct account *a)
{
	if (!s->system || !users_name_ok(name) ||
	    memchr(name.p, '@', name.n) != NULL ||
	    str_lower(a->user.name, sizeof(a->user.name), name) == -1)
		return 0;
	a->system = true;
	a->place = STR("system");
	return 1;
}

int
sources_find(struct sources *s, struct str name, const char *service,
    struct account *a)
{
	int	r = 0;

	account_free(a);
	if (s->tables != NULL && name.n > 0)
		r = find_compiled(s, name, service, a);
	return r == 0 ? find_system(s, name, a) : r;
}

int
sources_nobody(struct sources *s, struct account *a)
{
	struct users_entry	e;
	int			r = 1;

	account_free(a);
	if (s->tables == NULL)
		return 1;
	if ((r = users_secrets(s->tables, STR(""), 0, &a->rec, &e)) == 1)
		add_secret(a, (struct secret){ e.password, STR(""), STR("") },
		    NULL);
	return r == 0 ? 1 : r;
}

void
sources_close(struct sources **sp)
{
	if (*sp == NULL)
		return;
	users_close(&(*sp)->tables);
	free(*sp);
	*sp = NULL;
}

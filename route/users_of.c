/* route/users_of.c - where users come from. Run by root, or by whoever tests a configuration. */
#include "route/users_of.h"

#include <stdlib.h>
#include <string.h>

static enum users_kind
kind_of(const struct setting_item *it)
{
	if (it->more == NULL)
		return USERS_SYSTEM;
	return strcmp(it->text, "file") == 0 ? USERS_FILE : USERS_SQLITE;
}

int
users_of_init(struct users_of *u, const struct settings *st)
{
	size_t	i;

	*u = (struct users_of){ .defaults = { st->users_uid, st->users_gid,
	    st->users_home, st->domains.n > 0 ? st->domains.items[0].text :
	    st->hostname } };
	if ((u->sources = calloc(st->users.n, sizeof(*u->sources))) == NULL)
		return -1;
	u->n = st->users.n;
	for (i = 0; i < u->n; i++)
		u->sources[i] = (struct users_source){
		    kind_of(&st->users.items[i]), st->users.items[i].more,
		    st->users.items[i].last };
	return 0;
}

void
users_of_free(struct users_of *u)
{
	free(u->sources);
	u->sources = NULL;
	u->n = 0;
}

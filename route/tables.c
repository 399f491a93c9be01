/* route/tables.c - the compiled tables and the users, for the engine. Run as ph-route. */
#include "route/tables.h"

#include <stdlib.h>

#include "common/store/table.h"
#include "common/store/users.h"
#include "route/value.h"

struct tables {
	struct table	*aliases, *virtual_, *senders;
	struct users	*users;
};

int
tables_open(struct tables **out, const struct settings *st, int dir,
    struct diag *why)
{
	struct tables	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return diag_errno(why, "tables");
	if (table_open(&t->aliases, dir, ALIASES_TABLE, why) == -1 ||
	    table_open(&t->virtual_, dir, VIRTUAL_TABLE, why) == -1 ||
	    table_open(&t->senders, dir, SENDERS_TABLE, why) == -1 ||
	    users_open(&t->users, settings_users_tables(st),
	    settings_users_system(st), dir, why) == -1) {
		tables_close(&t);
		return -1;
	}
	*out = t;
	return 0;
}

bool
tables_refresh(struct tables *t, struct diag *why)
{
	struct diag	other = { "" };
	bool		changed;

	why->text[0] = '\0';
	changed = table_refresh(t->aliases, why);
	changed |= table_refresh(t->virtual_, why);
	changed |= table_refresh(t->senders, why);
	changed |= users_refresh(t->users, &other);
	if (other.text[0] != '\0')
		*why = other;
	return changed;
}

static int
get_alias(void *arg, struct str key, struct str *value)
{
	struct tables	*t = arg;

	return table_get(t->aliases, key, value);
}

static int
get_virtual(void *arg, struct str key, struct str *value)
{
	struct tables	*t = arg;

	return table_get(t->virtual_, key, value);
}

static int
get_sender(void *arg, struct str key, struct str *value)
{
	struct tables	*t = arg;

	return table_get(t->senders, key, value);
}

static int
get_user(void *arg, struct str name, uid_t *uid, struct buf *place)
{
	struct tables	*t = arg;
	struct user	 u;
	int		 r;

	if ((r = users_find(t->users, name, &u, place)) == 1)
		*uid = u.uid;
	return r;
}

struct engine_tables
tables_engine(struct tables *t)
{
	return (struct engine_tables){ t, get_alias, get_virtual, get_user,
	    get_sender };
}

void
tables_close(struct tables **tp)
{
	struct tables	*t = *tp;

	if (t == NULL)
		return;
	table_close(&t->aliases);
	table_close(&t->virtual_);
	table_close(&t->senders);
	users_close(&t->users);
	free(t);
	*tp = NULL;
}

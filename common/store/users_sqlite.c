/*
 * common/store/users_sqlite.c - users of an SQLite database, opened to be read
 * only. Run by root through `route -c`; the database is the administrator's,
 * but programs of his write into it: its texts are proven as those of files
 * are. Columns have the names of posthouse-users(5); others are left alone.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/store/users_scan.h"

#define BUSY_MS		5000
#define ROW_MAX		(128u << 10)	/* bytes of one user */
#define PLACE_MAX	1100

struct base {
	struct users_scan	*scan;
	const struct users_source *source;
	sqlite3			*db;
	sqlite3_stmt		*users, *apps;	/* apps NULL: no such table */
	char			 place[PLACE_MAX], apps_place[PLACE_MAX];
	struct buf		 row;		/* all of it is there from the beginning: views stay */
	unsigned		 rows;
};

static void
broken(const struct base *b, const char *table, unsigned row)
{
	char	what[DIAG_MAX];

	snprintf(what, sizeof(what), "%s",
	    b->db == NULL ? "out of memory" : sqlite3_errmsg(b->db));
	users_scan_mistake(b->scan, table, row, 1, what);
}

/* A copy that lives as long as the row. NULL is "". -1: too long. */
static int
text(struct base *b, sqlite3_stmt *st, int column, struct str *out)
{
	struct str	s = { (const char *)sqlite3_column_text(st, column),
			    (size_t)sqlite3_column_bytes(st, column) };

	*out = (struct str){ b->row.p + b->row.n, s.n };
	return s.n == 0 ? 0 : buf_addstr(&b->row, s);
}

static unsigned
row_number(sqlite3_stmt *st)
{
	return (unsigned)sqlite3_column_int64(st, 0);
}

/* What a column of the user's row says. NULL, or what is wrong. */
static const char *
take_column(struct base *b, int i, struct users_entry *e)
{
	const char	*name = sqlite3_column_name(b->users, i);
	struct str	 value;
	bool		 known;

	if (name == NULL || text(b, b->users, i, &value) == -1)
		return "this row is too long";
	if (value.n == 0)
		return NULL;
	return users_entry_set(e, str_from(name), value, &known);
}

/* False: the application passwords of this user are not as they should be; that has been said. */
static bool
take_apps(struct base *b, struct users_entry *e)
{
	struct str	 v[3];
	const char	*what = NULL;
	unsigned	 n = 0;		/* of this user's rows */
	int		 i, r;

	if (b->apps == NULL)
		return true;
	sqlite3_reset(b->apps);
	if (sqlite3_bind_text(b->apps, 1, e->user.name, -1,
	    SQLITE_TRANSIENT) != SQLITE_OK) {
		broken(b, b->apps_place, 0);
		return false;
	}
	while (what == NULL && (r = sqlite3_step(b->apps)) == SQLITE_ROW) {
		for (n++, i = 0; i < 3; i++)
			if (text(b, b->apps, i + 1, &v[i]) == -1)
				what = "this row is too long";
		if (what == NULL)
			what = users_entry_add_app(e, v[0], v[1], v[2]);
	}
	if (what != NULL)
		users_scan_mistake(b->scan, b->apps_place, n, 1, what);
	else if (r != SQLITE_DONE) {
		broken(b, b->apps_place, 0);
		what = "";
	}
	return what == NULL;
}

/* False: the scan is over. */
static bool
one_user(struct base *b)
{
	struct users_entry	 e;
	const char		*what = NULL;
	unsigned		 row = row_number(b->users);
	int			 i, n = sqlite3_column_count(b->users);
	bool			 go_on = true;

	b->rows++;
	if (row == 0)	/* of a view */
		row = b->rows;
	users_entry_init(&e);
	e.scheme = b->source->scheme;
	for (i = 1; i < n && what == NULL; i++)
		what = take_column(b, i, &e);
	if (what == NULL && e.user.name[0] == '\0')
		what = "no name, expected one in each row";
	if (what == NULL && e.any && e.password.n > 0)
		what = "nopassword beside a password, expected one of them";
	if (what != NULL)
		users_scan_mistake(b->scan, b->place, row, 1, what);
	else if (take_apps(b, &e))
		go_on = users_scan_entry(b->scan, &e, b->place, row, 1);
	explicit_bzero(&e, sizeof(e));
	explicit_bzero(b->row.p, b->row.n);
	buf_reset(&b->row);
	return go_on;
}

static int
prepare(struct base *b, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(b->db, sql, -1, st, NULL) == SQLITE_OK ? 0 :
	    -1;
}

/* -1: what sqlite3_errmsg says. */
static int
open_base(struct base *b)
{
	sqlite3_stmt	*st;
	int		 r;

	if (sqlite3_open_v2(b->source->path, &b->db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(b->db, BUSY_MS) != SQLITE_OK ||
	    /* who may write into it is not to run functions as root */
	    sqlite3_db_config(b->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0,
	    NULL) != SQLITE_OK ||
	    /* one state of all tables */
	    sqlite3_exec(b->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	/* a view has no rowid */
	if ((prepare(b, "SELECT rowid, * FROM users", &b->users) == -1 &&
	    prepare(b, "SELECT 0, * FROM users", &b->users) == -1) ||
	    prepare(b, "SELECT 1 FROM sqlite_master WHERE name = "
	    "'app_passwords'", &st) == -1)
		return -1;
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	if (r != SQLITE_ROW)
		return r == SQLITE_DONE ? 0 : -1;
	return prepare(b, "SELECT 0, name, services, password "
	    "FROM app_passwords WHERE user = ? COLLATE NOCASE ORDER BY name",
	    &b->apps);
}

void
users_sqlite(struct users_scan *scan, const struct users_source *source)
{
	struct base	b = { .scan = scan, .source = source };
	int		r = SQLITE_DONE;

	buf_init(&b.row, ROW_MAX);
	snprintf(b.place, sizeof(b.place), "%s:users", source->path);
	snprintf(b.apps_place, sizeof(b.apps_place), "%s:app_passwords",
	    source->path);
	if (buf_reserve(&b.row, ROW_MAX) == -1 || open_base(&b) == -1)
		broken(&b, source->path, 1);
	else {
		while ((r = sqlite3_step(b.users)) == SQLITE_ROW)
			if (!one_user(&b))
				break;
		if (r != SQLITE_DONE && r != SQLITE_ROW)
			broken(&b, b.place, 0);
	}
	buf_wipe(&b.row);
	sqlite3_finalize(b.apps);
	sqlite3_finalize(b.users);
	sqlite3_close(b.db);
}

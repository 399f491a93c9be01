/*
 * common/proc/settings.c - posthouse.conf(5) as one struct. Runs in the
 * master over the administrator's file, and in each program over the part
 * that the master gave it; trusts neither to be well-formed.
 */
#include "common/proc/settings.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/proc/settings_impl.h"

void
setting_mistake(struct setting_report *report, const struct diag *why)
{
	report->count++;
	if (report->why != NULL && report->why->text[0] == '\0')
		*report->why = *why;
	if (report->all != NULL)
		buf_addf(report->all, "%s\n", why->text);
}

void
settings_free(struct settings **sp)
{
	struct settings	*s = *sp;
	size_t		 i;

	if (s == NULL)
		return;
	for (i = 0; i < setting_nkeys; i++) {
		char	*at = (char *)s + setting_keys[i].offset;

		switch (setting_keys[i].type) {
		case SETTING_TEXT:
			free(*(char **)(void *)at);
			break;
		case SETTING_LIST:
		case SETTING_PAIRS:
		case SETTING_USERS:
		case SETTING_EXPECT:
			setting_list_free((struct setting_list *)(void *)at);
			break;
		case SETTING_COUNT:
		case SETTING_SIZE:
		case SETTING_TIME:
		case SETTING_BOOL:
			break;
		}
	}
	conf_free(&s->stmts);
	free(s);
	*sp = NULL;
}

static bool
is_single(enum setting_type t)
{
	return t == SETTING_TEXT || t == SETTING_COUNT || t == SETTING_SIZE ||
	    t == SETTING_TIME || t == SETTING_BOOL;
}

static const struct conf_stmt *
first_of(const struct settings *s, const char *key)
{
	const struct conf_stmt	*st;

	TAILQ_FOREACH(st, &s->stmts, link)
		if (strcmp(st->key, key) == 0)
			return st;
	return NULL;
}

static void
unknown_key(const struct conf_stmt *st, struct setting_report *report)
{
	const struct setting_key *near = setting_near(st->key);
	struct diag		  why = { "" };

	if (near != NULL)
		diag_at(&why, st->file, st->line, st->col,
		    "unknown key \"%s\", did you mean \"%s\"?", st->key,
		    near->name);
	else
		diag_at(&why, st->file, st->line, st->col,
		    "unknown key \"%s\", expected one of posthouse.conf(5)",
		    st->key);
	setting_mistake(report, &why);
}

static void
apply_all(struct settings *s, struct setting_report *report)
{
	const struct conf_stmt	 *st, *first;
	const struct setting_key *k;
	struct diag		  why = { "" };

	TAILQ_FOREACH(st, &s->stmts, link) {
		if ((k = setting_find(st->key)) == NULL) {
			unknown_key(st, report);
			continue;
		}
		first = first_of(s, st->key);
		if (is_single(k->type) && first != st) {
			diag_at(&why, st->file, st->line, st->col,
			    "%s is set a second time, expected once (it is "
			    "in line %u already)", k->name, first->line);
			setting_mistake(report, &why);
			continue;
		}
		setting_apply(s, k, st, report);
	}
}

/* Texts and numbers before the statements, lists only where there is none. */
static int
defaults(struct settings *s, bool lists)
{
	size_t	i;

	for (i = 0; i < setting_nkeys; i++) {
		const struct setting_key *k = &setting_keys[i];

		if (is_single(k->type) == lists)
			continue;
		if (lists && first_of(s, k->name) != NULL)
			continue;
		if (setting_default(s, k) == -1)
			return -1;
	}
	return 0;
}

/* The two defaults that are no constants. */
static int
default_names(struct settings *s)
{
	char	name[256];

	if (s->hostname == NULL) {
		if (gethostname(name, sizeof(name)) == -1)
			name[0] = '\0';
		name[sizeof(name) - 1] = '\0';
		s->hostname = strdup(rule_domain.ok(name) ? name : "localhost");
		if (s->hostname == NULL)
			return -1;
	}
	if (first_of(s, "domain") == NULL)
		return setting_list_add(&s->domains, s->hostname, NULL,
		    "default", 0);
	return 0;
}

static struct settings *
build(struct str text, const char *name, struct setting_report *report)
{
	struct settings	*s;
	struct diag	 why = { "" };

	if ((s = calloc(1, sizeof(*s))) == NULL)
		goto fail;
	TAILQ_INIT(&s->stmts);
	if (defaults(s, false) == -1)
		goto fail;
	if (conf_parse(text, name, &s->stmts, &why) == -1)
		setting_mistake(report, &why);
	apply_all(s, report);
	if (defaults(s, true) == -1 || default_names(s) == -1)
		goto fail;
	if (report->count == 0)
		setting_cross_check(s, report);
	return s;
fail:
	diag_errno(&why, "%s", name);
	setting_mistake(report, &why);
	settings_free(&s);
	return NULL;
}

int
settings_parse(struct str text, const char *name, struct settings **out,
    struct diag *why)
{
	struct setting_report	report = { why, NULL, 0 };

	why->text[0] = '\0';
	*out = build(text, name, &report);
	if (report.count == 0)
		return 0;
	settings_free(out);
	return -1;
}

static int
slurp(int fd, const char *name, struct buf *text, struct diag *why)
{
	if (fd == -1)
		return diag_errno(why, "%s", name);
	buf_init(text, CONF_FILE_MAX);
	if (fdio_slurp(fd, text) == -1) {
		diag_errno(why, "%s", name);
		buf_free(text);
		return -1;
	}
	return 0;
}

int
settings_load_fd(int fd, struct settings **out, struct diag *why)
{
	struct buf	text;
	int		r;

	*out = NULL;
	if (slurp(fd, "configuration", &text, why) == -1)
		return -1;
	r = settings_parse(buf_view(&text), "configuration", out, why);
	buf_free(&text);
	return r;
}

int
settings_load(const char *path, struct settings **out, struct diag *why)
{
	struct buf	text;
	int		fd, r;

	*out = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r = slurp(fd, path, &text, why);
	fdio_close(&fd);
	if (r == -1)
		return -1;
	r = settings_parse(buf_view(&text), path, out, why);
	buf_free(&text);
	return r;
}

static struct settings *
build_file(const char *path, struct setting_report *report)
{
	struct settings	*s;
	struct diag	 why = { "" };
	struct buf	 text;
	int		 fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r = slurp(fd, path, &text, &why);
	fdio_close(&fd);
	if (r == -1) {
		setting_mistake(report, &why);
		return NULL;
	}
	s = build(buf_view(&text), path, report);
	buf_free(&text);
	return s;
}

int
settings_check(const char *path, struct buf *errors)
{
	struct setting_report	 report = { NULL, errors, 0 };
	struct settings		*s = build_file(path, &report);

	settings_free(&s);
	return report.count;
}

struct settings *
settings_salvage(const char *path)
{
	struct setting_report	report = { NULL, NULL, 0 };

	return build_file(path, &report);
}

int
settings_print_keys(struct buf *out)
{
	size_t	i;

	for (i = 0; i < setting_nkeys; i++) {
		const struct setting_key *k = &setting_keys[i];

		buf_addf(out, "%s\t%s\t%s\t%s\t%s\n", k->name,
		    setting_type_name(k->type),
		    k->def == NULL || *k->def == '\0' ? "-" : k->def,
		    k->min == NULL ? "-" : k->min,
		    k->max == NULL ? "-" : k->max);
	}
	return buf_ok(out) ? 0 : -1;
}

/* What this program may know of the file, in the order of the file. */
static int
export_text(const struct settings *s, unsigned program, struct buf *out)
{
	const struct conf_stmt	 *st;
	const struct setting_key *k;

	TAILQ_FOREACH(st, &s->stmts, link) {
		k = setting_find(st->key);
		if (k == NULL || (program != PROGRAM_MASTER &&
		    !(k->programs & program)))
			continue;
		if (conf_write(out, st) == -1)
			return -1;
	}
	/* A default that only the master can find out: programs are sandboxed. */
	if (first_of(s, "hostname") == NULL)
		buf_addf(out, "hostname %s\n", s->hostname);
	if (!buf_ok(out)) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

int
settings_export(const struct settings *s, unsigned program)
{
	struct buf	out;
	int		fd;

	buf_init(&out, 2 * CONF_FILE_MAX);
	fd = memfd_create("posthouse.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || export_text(s, program, &out) == -1 ||
	    fdio_write(fd, out.p, out.n) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
	    F_SEAL_SEAL) == -1)
		fdio_close(&fd);
	buf_free(&out);
	return fd;
}

bool
settings_users_system(const struct settings *s)
{
	size_t	i;

	for (i = 0; i < s->users.n; i++)
		if (s->users.items[i].more == NULL)
			return true;
	return false;
}

bool
settings_users_tables(const struct settings *s)
{
	return settings_users_file(s, 0) != NULL;
}

const char *
settings_users_file(const struct settings *s, size_t i)
{
	size_t	k;

	for (k = 0; k < s->users.n; k++)
		if (s->users.items[k].more != NULL && i-- == 0)
			return s->users.items[k].more;
	return NULL;
}

/*
 * imapd/place.c - the namespaces of a session: the user's folders, and those of imap.shared, which belong to everybody whom
 * the file system and a dovecot-acl let in. Runs with the mailbox's uid; distrusts the names that the client sends.
 */
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/quota.h"
#include "imapd/place.h"

struct place_list {
	struct name_rules	 rules;
	char			 shared[16];	/* "Shared." */
	struct store		*store[2];
	unsigned		 n;
	char			**groups;	/* names, ended by NULL; NULL: nobody asks */
};

/* The effective one need not be among the others. */
static int
group_ids(gid_t **ids)
{
	int	n = getgroups(0, NULL);

	if (n == -1 || (*ids = calloc((size_t)n + 1, sizeof(**ids))) == NULL)
		return -1;
	(*ids)[0] = getegid();
	n = getgroups(n, *ids + 1);
	return n == -1 ? -1 : n + 1;
}

/* All of them or none: a list of rights may take away from a group what everybody has. */
static int
group_names(struct place_list *l, const gid_t *ids, size_t count)
{
	struct group	*g;
	size_t		 i, n = 0;

	if ((l->groups = calloc(count + 1, sizeof(*l->groups))) == NULL)
		return -1;
	for (i = 0; i < count; i++) {
		if (i > 0 && ids[i] == ids[0])
			continue;
		errno = 0;
		if ((g = getgrgid(ids[i])) == NULL) {
			if (place_is_failure(errno))
				return -1;
			continue;	/* there is none */
		}
		if ((l->groups[n++] = strdup(g->gr_name)) == NULL)
			return -1;
	}
	return 0;
}

/* Those of the process: asked of the system before the sandbox, and only where there are shared folders. */
static int
find_groups(struct place_list *l, struct diag *why)
{
	gid_t	*ids = NULL;
	int	 n = group_ids(&ids), r = -1;

	if (n == -1 || (r = group_names(l, ids, (size_t)n)) == -1)
		diag_errno(why, "names of groups");
	free(ids);
	return r;
}

static int
open_shared(struct place_list *l, const struct settings *set, struct diag *why)
{
	char		location[1100];
	struct diag	closed;

	if (set->imap.shared[0] == '\0')
		return 0;
	if (find_groups(l, why) == -1)
		return -1;
	snprintf(location, sizeof(location), "maildir:%s", set->imap.shared);
	/* who may not read it has none */
	if (store_open(&l->store[SPACE_SHARED], location, false, &closed) ==
	    -1) {
		if (!place_is_failure(errno))
			return 0;
		*why = closed;
		return -1;
	}
	snprintf(l->shared, sizeof(l->shared), "Shared%c", l->rules.separator);
	l->rules.shared = l->shared;
	l->n = 2;
	return 0;
}

int
places_open(struct session *s, struct diag *why)
{
	struct place_list	*l = calloc(1, sizeof(*l));

	if (l == NULL)
		return diag_errno(why, "open the mailbox");
	s->places = l;
	l->rules.separator = s->set->imap.separator[0];
	l->rules.prefix = s->set->imap.prefix;
	l->n = 1;
	if (store_open(&l->store[SPACE_OWN], s->mailbox, true, why) == 0 &&
	    open_shared(l, s->set, why) == 0) {
		quota_set(l->store[SPACE_OWN], s->quota != 0 ? s->quota :
		    (uint64_t)s->set->local.quota);
		store_use_names(l->store[SPACE_OWN],
		    s->set->imap.special_use);
		return 0;
	}
	places_close(s);
	return -1;
}

void
places_close(struct session *s)
{
	struct place_list	*l = s->places;
	size_t			 i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n; i++)
		if (l->store[i] != NULL)
			store_close(&l->store[i]);
	for (i = 0; l->groups != NULL && l->groups[i] != NULL; i++)
		free(l->groups[i]);
	free(l->groups);
	free(l);
	s->places = NULL;
}

static const struct name_rules *
rules_of(const struct session *s)
{
	s->places->rules.utf8 = session_utf8(s);
	return &s->places->rules;
}

char
place_separator(const struct session *s)
{
	return s->places->rules.separator;
}

unsigned
place_spaces(const struct session *s)
{
	return s->places->n;
}

const char *
place_prefix(const struct session *s, unsigned space)
{
	return space == SPACE_OWN ? s->places->rules.prefix :
	    s->places->rules.shared;
}

struct store *
place_store(const struct session *s, unsigned space)
{
	return s->places->store[space];
}

/* A folder of another program's, whose name is no modified UTF-7: the client has been told of it as it is. */
static void
find_as_it_is(struct session *s, bool shared, struct str rest,
    struct place *p, const char **wrong)
{
	struct name_rules	raw = *rules_of(s);
	struct place		q = *p;
	bool			odd;

	raw.utf8 = false;
	if (name_to_folder(&raw, shared, rest, q.folder, sizeof(q.folder),
	    &odd) != NULL || !odd || !store_exists(q.store, q.folder))
		return;
	*p = q;
	*wrong = NULL;
}

/* RFC 9051 5.1: a name that is not in NFC is what it is in NFC. */
static const char *
find_composed(struct session *s, bool shared, struct str rest,
    struct place *p)
{
	const char	*wrong = NULL;
	struct buf	 name;
	bool		 odd;
	int		 other;

	buf_init(&name, 4 * PLACE_NAME_MAX);
	if ((other = name_compose(rest, &name)) == -1)
		wrong = "it is too long";
	else if (other == 1)
		wrong = name_to_folder(rules_of(s), shared, buf_view(&name),
		    p->folder, sizeof(p->folder), &odd);
	buf_free(&name);
	return wrong;
}

/* What another program has made is found by the name that it has. */
static const char *
find_utf8(struct session *s, bool shared, struct str rest, struct place *p,
    const char *wrong)
{
	if (wrong == NULL && store_exists(p->store, p->folder))
		return NULL;
	find_as_it_is(s, shared, rest, p, &wrong);
	if (wrong != NULL || store_exists(p->store, p->folder))
		return wrong;
	return find_composed(s, shared, rest, p);
}

/* Names that the rules allow, as far as the store has not got others already. */
static const char *
find_folder(struct session *s, struct str name, struct place *p)
{
	const char	*wrong;
	struct str	 rest;
	bool		 shared, inbox, odd;

	if (!name_space(rules_of(s), name, &shared, &inbox, &rest))
		return "it is in no namespace";
	p->name_space = shared ? SPACE_SHARED : SPACE_OWN;
	p->store = place_store(s, p->name_space);
	p->folder[0] = '\0';
	if (inbox)
		return NULL;
	wrong = name_to_folder(rules_of(s), shared, rest, p->folder,
	    sizeof(p->folder), &odd);
	if (wrong == NULL && odd && !store_exists(p->store, p->folder))
		wrong = session_utf8(s) ? "there are control characters in it" :
		    "it is not in modified UTF-7, or has control characters";
	return session_utf8(s) ? find_utf8(s, shared, rest, p, wrong) : wrong;
}

bool
place_find(struct session *s, struct command *cmd, struct str name,
    unsigned need, struct place *p)
{
	const char	*wrong = find_folder(s, name, p);

	if (wrong != NULL) {
		command_no(cmd, "CANNOT", "No mailbox has this name: %s",
		    wrong);
		return false;
	}
	if (place_rights(s, p->name_space, p->folder, &p->rights) == -1) {
		command_failed(s, cmd, "look at the rights");
		return false;
	}
	if ((p->rights & need) == need)
		return true;
	if (p->rights & RIGHT_LOOKUP)
		command_no(cmd, "NOPERM", "You have no right to do this");
	else
		command_no(cmd, "NONEXISTENT", "No such mailbox");
	return false;
}

bool
place_of_name(struct session *s, struct str name, struct place *p)
{
	p->rights = 0;
	return find_folder(s, name, p) == NULL;
}

bool
place_look_up(struct session *s, struct str name, unsigned need,
    struct place *p)
{
	return place_of_name(s, name, p) && place_rights(s, p->name_space,
	    p->folder, &p->rights) == 0 && (p->rights & need) == need;
}

int
place_name(struct session *s, unsigned space, const char *folder,
    struct buf *out)
{
	return name_from_folder(rules_of(s), space == SPACE_SHARED, folder,
	    out);
}

bool
place_is_called(struct session *s, const struct place *p, struct str name)
{
	struct buf	own;
	bool		is;

	buf_init(&own, 8 * PLACE_NAME_MAX);
	is = place_name(s, p->name_space, p->folder, &own) == -1 ||
	    str_eq(buf_view(&own), name) || (*p->folder == '\0' &&
	    str_eq_nocase(buf_view(&own), name));
	buf_free(&own);
	return is;
}

int
place_put(struct session *s, struct buf *out, const struct place *p)
{
	struct buf	name;
	int		r;

	buf_init(&name, 8 * PLACE_NAME_MAX);
	r = place_name(s, p->name_space, p->folder, &name);
	if (r == 0)
		r = imap_put_astring(out, buf_view(&name), session_utf8(s));
	buf_free(&name);
	return r;
}

void
place_who(const struct session *s, unsigned space, struct acl_who *who)
{
	*who = (struct acl_who){ s->user,
	    (const char *const *)s->places->groups, space == SPACE_OWN };
}

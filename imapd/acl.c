/*
 * imapd/acl.c - who may do what (RFC 4314): SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS. Kept in each folder's
 * "dovecot-acl". The owner of a folder has all rights to it, whatever is said there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/inside.h"
#include "common/store/dotlock.h"
#include "imapd/commands.h"
#include "imapd/mailboxes.h"


/* A mailbox that is there, to which the user has these rights; false: it has been answered. */
static bool
take_mailbox(struct session *s, struct command *cmd, unsigned need,
    struct str *name, struct place *p)
{
	if (!imap_astring(&cmd->args, &s->memory, name)) {
		command_bad(cmd, "the name of a mailbox is missing");
		return false;
	}
	if (!place_find(s, cmd, *name, need, p))
		return false;
	if (store_exists(p->store, p->folder) &&
	    (p->name_space == SPACE_OWN || *p->folder != '\0'))
		return true;
	command_no(cmd, "NONEXISTENT", "there is no such mailbox");
	return false;
}

/* Who is meant; "owner" and the user's own name are the same where all is his. */
static bool
take_who(struct session *s, struct command *cmd, struct acl_entry *who,
    const struct place *p, bool *owner)
{
	struct str	id;

	if (!imap_sp(&cmd->args) ||
	    !imap_astring(&cmd->args, &s->memory, &id) ||
	    !acl_id_parse(id, who)) {
		command_bad(cmd, "no user or group can be called so");
		return false;
	}
	*owner = p->name_space == SPACE_OWN && !who->negative &&
	    (who->kind == ACL_OWNER || (who->kind == ACL_USER &&
	    str_eq(who->name, str_from(s->user))));
	return true;
}

void
rights_put(struct session *s, struct buf *out, struct str name,
    unsigned rights)
{
	char	text[ACL_LETTERS];

	buf_adds(out, "* MYRIGHTS ");
	(void)imap_put_astring(out, name, session_utf8(s));
	if (rights == 0)
		buf_adds(out, " \"\"\r\n");
	else
		buf_addf(out, " %s\r\n", acl_rights_text(rights, true, text));
}

static void
put_entry(struct session *s, struct buf *out, const struct acl_entry *e)
{
	struct buf	id;
	char		text[ACL_LETTERS];

	buf_init(&id, 2 * ACL_NAME_MAX);
	acl_id_put(&id, e);
	buf_addc(out, ' ');
	(void)imap_put_astring(out, buf_view(&id), session_utf8(s));
	buf_free(&id);
	if (e->rights == 0)
		buf_adds(out, " \"\"");
	else
		buf_addf(out, " %s", acl_rights_text(e->rights, true, text));
}

static bool
is_owners(const struct session *s, const struct place *p,
    const struct acl_entry *e)
{
	return p->name_space == SPACE_OWN && !e->negative &&
	    (e->kind == ACL_OWNER || (e->kind == ACL_USER &&
	    str_eq(e->name, str_from(s->user))));
}

static void
say_acl(struct session *s, const struct place *p, struct str name,
    const struct acl *acl)
{
	struct acl_entry	owner = { .kind = ACL_USER,
				    .name = str_from(s->user),
				    .rights = RIGHTS_ALL };
	struct buf		out;
	size_t			i;

	buf_init(&out, 1u << 20);
	buf_adds(&out, "* ACL ");
	(void)imap_put_astring(&out, name, session_utf8(s));
	if (p->name_space == SPACE_OWN)
		put_entry(s, &out, &owner);
	for (i = 0; i < acl->n; i++)
		if (!is_owners(s, p, &acl->e[i]))
			put_entry(s, &out, &acl->e[i]);
	buf_adds(&out, "\r\n");
	say_buf(s, &out);
	buf_free(&out);
}

enum state
cmd_getacl(struct session *s, struct command *cmd)
{
	struct place	p;
	struct acl	acl;
	struct str	name;
	bool		own;

	if (!take_mailbox(s, cmd, RIGHT_ADMIN, &name, &p) || !command_end(cmd))
		return s->state;
	if (place_acl(s, p.name_space, p.folder, &s->memory, &acl, &own) == -1)
		command_failed(s, cmd, "read the list of rights");
	else {
		say_acl(s, &p, name, &acl);
		command_ok(cmd, NULL, "GETACL completed");
	}
	return s->state;
}

enum state
cmd_myrights(struct session *s, struct command *cmd)
{
	struct place	p;
	struct str	name;
	struct buf	out;

	if (!take_mailbox(s, cmd, 0, &name, &p) || !command_end(cmd))
		return s->state;
	/* RFC 4314, 4: one of these. */
	if ((p.rights & (RIGHT_LOOKUP | RIGHT_READ | RIGHT_INSERT |
	    RIGHT_CREATE | RIGHT_DELETE | RIGHT_ADMIN)) == 0) {
		command_no(cmd, "NONEXISTENT", "there is no such mailbox");
		return s->state;
	}
	buf_init(&out, 16 * PLACE_NAME_MAX);
	rights_put(s, &out, name, p.rights);
	say_buf(s, &out);
	buf_free(&out);
	command_ok(cmd, NULL, "MYRIGHTS completed");
	return s->state;
}

enum state
cmd_listrights(struct session *s, struct command *cmd)
{
	struct acl_entry	who = { .rights = 0 };
	struct place		p;
	struct str		name;
	struct buf		out, id;
	bool			owner;

	if (!take_mailbox(s, cmd, RIGHT_ADMIN, &name, &p) ||
	    !take_who(s, cmd, &who, &p, &owner) || !command_end(cmd))
		return s->state;
	buf_init(&out, 16 * PLACE_NAME_MAX);
	buf_init(&id, 2 * ACL_NAME_MAX);
	acl_id_put(&id, &who);
	buf_adds(&out, "* LISTRIGHTS ");
	(void)imap_put_astring(&out, name, session_utf8(s));
	buf_addc(&out, ' ');
	(void)imap_put_astring(&out, buf_view(&id), session_utf8(s));
	buf_adds(&out, owner ? " lrwstipekxacd\r\n" :
	    " \"\" l r w s t i p e k x a c d\r\n");
	say_buf(s, &out);
	buf_free(&id);
	buf_free(&out);
	command_ok(cmd, NULL, "LISTRIGHTS completed");
	return s->state;
}

/* how: '+', '-', or 0 for exactly these rights. */
static int
edit_acl(struct acl *acl, const struct acl_entry *who, char how)
{
	struct acl_entry	*e = acl_find(acl, who);

	if (e == NULL) {
		if (acl->n == ACL_ENTRIES_MAX) {
			errno = EFBIG;
			return -1;
		}
		e = &acl->e[acl->n++];
		*e = *who;
		e->rights = 0;
	}
	e->rights = how == '+' ? e->rights | who->rights :
	    how == '-' ? e->rights & ~who->rights : who->rights;
	if (e->rights == 0)
		*e = acl->e[--acl->n];
	return 0;
}

/* Under the file's lock: what is there, changed. */
static int
write_acl(struct session *s, const struct place *p,
    const struct acl_entry *who, char how, int dir)
{
	struct acl	acl;
	struct buf	text;
	int		lock, r;
	bool		own;

	if ((lock = dotlock_take(dir, ACL_LOCK, ACL_LOCK_WAIT,
	    DOTLOCK_MODE)) == -1)
		return -1;
	buf_init(&text, ACL_FILE_MAX);
	r = place_acl(s, p->name_space, p->folder, &s->memory, &acl, &own);
	if (r == 0)
		r = edit_acl(&acl, who, how);
	if (r == 0) {
		acl_file_put(&text, &acl);
		r = dotlock_replace(dir, ACL_LOCK, &lock, "dovecot-acl", &text);
	} else
		dotlock_drop(dir, ACL_LOCK, &lock);
	buf_free(&text);
	return r;
}

static int
change_acl(struct session *s, const struct place *p,
    const struct acl_entry *who, char how)
{
	char	path[PLACE_FILE_MAX];
	int	dir, r;

	dir = inside_open(store_root(p->store),
	    place_file(p->folder, ".", path), O_RDONLY | O_DIRECTORY);
	if (dir == -1)
		return -1;
	r = write_acl(s, p, who, how, dir);
	fdio_close(&dir);
	return r;
}

static enum state
answer_change(struct session *s, struct command *cmd, const struct place *p,
    const struct acl_entry *who, char how)
{
	if (change_acl(s, p, who, how) == -1)
		command_failed(s, cmd, "change the list of rights");
	else
		command_ok(cmd, NULL, "%.*s completed", STR_ARG(cmd->name));
	return s->state;
}

enum state
cmd_setacl(struct session *s, struct command *cmd)
{
	struct acl_entry	who;
	struct place		p;
	struct str		name, rights;
	char			how = '\0';
	bool			owner;

	if (!take_mailbox(s, cmd, RIGHT_ADMIN, &name, &p) ||
	    !take_who(s, cmd, &who, &p, &owner))
		return s->state;
	if (!imap_sp(&cmd->args) ||
	    !imap_astring(&cmd->args, &s->memory, &rights)) {
		command_bad(cmd, "rights are missing");
		return s->state;
	}
	if (rights.n > 0 && (*rights.p == '+' || *rights.p == '-')) {
		how = *rights.p++;
		rights.n--;
	}
	if (!acl_rights_parse(rights, &who.rights)) {
		command_bad(cmd, "there is no such right");
		return s->state;
	}
	if (!command_end(cmd))
		return s->state;
	if (!owner)
		return answer_change(s, cmd, &p, &who, how);
	if (how == '+' || (how == '-' && who.rights == 0) ||
	    (how == '\0' && who.rights == RIGHTS_ALL))
		command_ok(cmd, NULL, "SETACL completed");
	else
		command_no(cmd, "CANNOT", "the owner keeps all rights");
	return s->state;
}

enum state
cmd_deleteacl(struct session *s, struct command *cmd)
{
	struct acl_entry	who = { .rights = 0 };
	struct place		p;
	struct str		name;
	bool			owner;

	if (!take_mailbox(s, cmd, RIGHT_ADMIN, &name, &p) ||
	    !take_who(s, cmd, &who, &p, &owner) || !command_end(cmd))
		return s->state;
	if (!owner)
		return answer_change(s, cmd, &p, &who, '\0');
	command_no(cmd, "CANNOT", "the owner keeps all rights");
	return s->state;
}

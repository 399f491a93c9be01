/* imapd/commands.h - the table of commands, and what runs them. */
#ifndef IMAPD_COMMANDS_H
#define IMAPD_COMMANDS_H

#include "imapd/session.h"

enum {
	CMD_NO_EXPUNGE = 1,	/* the client would not understand EXPUNGE in its answer (RFC 3501 7.4.1) */
	CMD_STREAMS = 2,	/* reads its own literals */
	CMD_NO_UPDATES = 4,	/* no other responses before its tagged one */
	CMD_WRITES = 8,		/* changes the selected mailbox: not after EXAMINE */
	CMD_NO_SEQ = 16,	/* uses message sequence numbers: BAD with UIDONLY (RFC 9586) */
	CMD_LATER = 32		/* what has changed may be told with the next command, if that is here already */
};

struct command_row {
	const char	*name;		/* "UID FETCH" */
	unsigned	 states;	/* where it is welcome */
	unsigned	 flags;
	command_run	*run;
};

const struct command_row *command_find(struct str name);	/* ASCII case ignored */
/* Does the command that begins so read its own literals? */
bool	command_streams(struct str text);
/* Splits tag and name off. False: it has been answered. */
bool	command_begin(struct session *, struct str text, struct command *, const struct command_row **);
/* From the first command to the end. */
void	commands_run(struct session *);

/* The handlers, by file. */
/* basic.c */
command_run	cmd_capability, cmd_noop, cmd_logout, cmd_enable, cmd_id, cmd_check, cmd_refused;
/* "IMAP4rev1 ENABLE ...": what this session can do now, appended. -1: errno. */
int	session_capabilities(const struct session *, struct buf *) must_check;
/* select.c */
command_run	cmd_select, cmd_examine, cmd_close, cmd_unselect;
/* No mailbox is selected any more: s->state is S_AUTH. */
void	select_leave(struct session *);
/* fetch.c */
command_run	cmd_fetch;
/* search.c, sort.c, thread.c, esearch.c */
command_run	cmd_search, cmd_sort, cmd_thread, cmd_esearch, cmd_cancelupdate;
/* uidbatches.c */
command_run	cmd_uidbatches;
/* store.c */
command_run	cmd_store, cmd_expunge;
/* For CLOSE: what is marked \Deleted is removed, nothing is said. -1: errno; EACCES: the user, or the disk, does not let it. */
int	store_expunge_all(struct session *) must_check;
/* copy.c */
command_run	cmd_copy, cmd_move;
/* append.c */
command_run	cmd_append, cmd_replace;
/* list.c */
command_run	cmd_list, cmd_lsub, cmd_namespace;
/* mailbox.c */
command_run	cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe;
/* status.c */
command_run	cmd_status;
/* quota.c, acl.c, metadata_get.c, metadata_set.c */
command_run	cmd_getquota, cmd_getquotaroot, cmd_setquota, cmd_setacl, cmd_deleteacl, cmd_getacl, cmd_listrights, cmd_myrights,
	    cmd_getmetadata, cmd_setmetadata;
/* idle.c, notify.c, compress.c, unauthenticate.c */
command_run	cmd_idle, cmd_notify, cmd_compress, cmd_unauthenticate;

#endif

/*
 * master/plan.c - the static table of programs. Users and directories are
 * each program's own affair (proc/priv.h); what stands here is what only the
 * master can give: descriptors, and sockets in the right places.
 */
#include "master/plan.h"

#include <stddef.h>

#include "common/base/attr.h"

const struct program_plan plan_programs[ID_COUNT] = {
	[ID_LOG] = { "log", "log", NULL, NULL, PROGRAM_LOG, 5 },
	[ID_KEYS] = { "keys", "keys", NULL, NULL, PROGRAM_KEYS, 4 },
	[ID_ROUTE] = { "route", "route", NULL, NULL, PROGRAM_ROUTE, 4 },
	[ID_AUTH] = { "auth", "auth", NULL, NULL, PROGRAM_AUTH, 1 },
	[ID_LOCAL] = { "local", "local", NULL, NULL, PROGRAM_LOCAL, 3 },
	[ID_REMOTE] = { "remote", "remote", NULL, NULL, PROGRAM_REMOTE, 3 },
	[ID_QUEUE] = { "queue", "queue", NULL, NULL, PROGRAM_QUEUE, 2 },
	[ID_SMTP] = { "smtp", "smtpd", "smtp", NULL, PROGRAM_SMTPD, 0 },
	[ID_LMTP] = { "lmtp", "smtpd", "lmtp", NULL, PROGRAM_SMTPD, 0 },
	[ID_SUBMISSION] = { "submission", "smtpd", "submission", "submissions",
	    PROGRAM_SMTPD, 0 },
	[ID_POP3] = { "pop3", "pop3d", "pop3", "pop3s", PROGRAM_POP3D, 0 },
	[ID_IMAP] = { "imap", "imapd", "imap", "imaps", PROGRAM_IMAPD, 0 },
	[ID_HOP] = { "hop", "hop", NULL, NULL, PROGRAM_HOP, 4 },
	[ID_INTROSPECT] = { "introspect", "introspect", NULL, NULL,
	    PROGRAM_INTROSPECT, 2 },
	[ID_PAM] = { "auth-pam", "auth-pam", NULL, NULL, PROGRAM_PAM, 1 }
};

const struct socket_plan plan_sockets[] = {
	{ "keys@smtp", ID_KEYS, BELOW_SPOOL, "incoming/sock", "keys",
	    "ph-smtp", "ph-smtp", 0600 },
	{ "keys@login", ID_KEYS, BELOW_RUN, "login", "keys",
	    "ph-login", "ph-login", 0600 },
	{ "route@smtp", ID_ROUTE, BELOW_SPOOL, "incoming/sock", "route",
	    "ph-smtp", "ph-smtp", 0600 },
	{ "route@queue", ID_ROUTE, BELOW_SPOOL, "sock", "route",
	    "ph-queue", "ph-queue", 0600 },
	{ "hop@queue", ID_HOP, BELOW_SPOOL, "sock", "hop",
	    "ph-queue", "ph-queue", 0600 },
	{ "auth@login", ID_AUTH, BELOW_RUN, "login", "auth",
	    "ph-login", "ph-login", 0600 },
	{ "auth@smtp", ID_AUTH, BELOW_SPOOL, "incoming/sock", "auth",
	    "ph-smtp", "ph-smtp", 0600 },
	{ "auth@introspect", ID_AUTH, BELOW_RUN, "token", "auth",
	    "ph-token", "ph-token", 0600 },
	/* auth's root directory is that of the tables */
	{ "pam@auth", ID_PAM, BELOW_TABLES, ".", "pam",
	    "ph-auth", "ph-auth", 0600 },
	{ "local@queue", ID_LOCAL, BELOW_SPOOL, "sock", "local",
	    "ph-queue", "ph-queue", 0600 },
	{ "remote@queue", ID_REMOTE, BELOW_SPOOL, "sock", "remote",
	    "ph-queue", "ph-queue", 0600 },
	{ "queue@smtp", ID_QUEUE, BELOW_SPOOL, "incoming/sock", "queue",
	    "ph-smtp", "ph-smtp", 0600 },
	{ "queue@drop", ID_QUEUE, BELOW_SPOOL, "drop/sock", "queue",
	    NULL, "ph-drop", 0660 },
	{ "queue@ctl", ID_QUEUE, BELOW_RUN, ".", "queue",
	    NULL, "ph-queue", 0660 }
};
const size_t plan_nsockets = nitems(plan_sockets);

const char *const plan_users[] = {
	"ph-log", "ph-auth", "ph-route", "ph-queue", "ph-smtp", "ph-login",
	"ph-remote", "ph-hop", "ph-keys", "ph-token", NULL
};

const struct setting_list *
plan_listen(const struct settings *s, enum program_id id, bool tls)
{
	switch (id) {
	case ID_SMTP:
		return tls ? NULL : &s->smtp.in.listen;
	case ID_LMTP:
		return tls ? NULL : &s->lmtp.listen;
	case ID_SUBMISSION:
		return tls ? &s->submission.tls_listen :
		    &s->submission.in.listen;
	case ID_POP3:
		return tls ? &s->pop3s_listen : &s->pop3.listen;
	case ID_IMAP:
		return tls ? &s->imap.tls_listen : &s->imap.in.listen;
	case ID_LOG:
	case ID_KEYS:
	case ID_ROUTE:
	case ID_AUTH:
	case ID_LOCAL:
	case ID_REMOTE:
	case ID_QUEUE:
	case ID_HOP:
	case ID_INTROSPECT:
	case ID_PAM:
	case ID_COUNT:
		break;
	}
	return NULL;
}

bool
plan_wanted(const struct settings *s, enum program_id id)
{
	const struct setting_list *list, *tls;

	if (id == ID_INTROSPECT)
		return s->token.introspection_url[0] != '\0';
	if (id == ID_PAM)
		return settings_users_system(s);
	list = plan_listen(s, id, false);
	tls = plan_listen(s, id, true);
	return list == NULL || list->n > 0 || (tls != NULL && tls->n > 0);
}

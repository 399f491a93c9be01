/*
 * imapd/quota.c - QUOTA (RFC 9208; RFC 2087). There is one root, for all of the user's own folders, if anything limits them.
 * Limits are set by a master user who has logged in as this one, and by nobody else.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/store/quota.h"
#include "imapd/commands.h"
#include "imapd/mailboxes.h"

#define ROOT	"User quota"	/* as Dovecot calls it */

static bool
may_set(const struct session *s)
{
	return s->by[0] != '\0';
}

/* What limits the user's own folders. That what was set is passed over is told the operator once. */
static bool
limits(struct session *s, struct quota *q)
{
	bool	limited = quota_limits(place_store(s, SPACE_OWN), q);
	char	user[LOG_SAFE_MAX];

	if (q->is_bad && !s->quota_is_bad)
		log_warn("quota user=%s why=\"posthouse-quota cannot be "
		    "understood\"", log_safe(user, sizeof(user),
		    str_from(s->user)));
	s->quota_is_bad = q->is_bad;
	return limited;
}

static int
say_quota(struct session *s)
{
	struct quota	q;
	const char	*blank = "";
	struct buf	out;

	if (quota_usage(place_store(s, SPACE_OWN), &q) == -1)
		return -1;
	buf_init(&out, 256);
	if (q.bytes_max != QUOTA_NONE) {
		buf_addf(&out, "STORAGE %" PRIu64 " %" PRIu64, (q.bytes +
		    QUOTA_UNIT - 1) / QUOTA_UNIT, q.bytes_max / QUOTA_UNIT);
		blank = " ";
	}
	if (q.count_max != QUOTA_NONE)
		buf_addf(&out, "%sMESSAGE %" PRIu64 " %" PRIu64, blank,
		    q.count, q.count_max);
	say(s, "QUOTA \"" ROOT "\" (%.*s)", STR_ARG(buf_view(&out)));
	buf_free(&out);
	return 0;
}

enum state
cmd_getquota(struct session *s, struct command *cmd)
{
	struct quota	q;
	struct str	root;

	if (!imap_astring(&cmd->args, &s->memory, &root)) {
		command_bad(cmd, "the name of a quota root is missing");
		return s->state;
	}
	if (!command_end(cmd))
		return s->state;
	if (!str_eq(root, STR(ROOT)) || (!limits(s, &q) && !may_set(s)))
		command_no(cmd, "NONEXISTENT", "there is no such quota root");
	else if (say_quota(s) == -1)
		command_failed(s, cmd, "count what is used");
	else
		command_ok(cmd, NULL, "GETQUOTA completed");
	return s->state;
}

enum state
cmd_getquotaroot(struct session *s, struct command *cmd)
{
	struct place	p;
	struct quota	q;
	struct str	name;
	struct buf	out;
	bool		has_root;

	if (!imap_astring(&cmd->args, &s->memory, &name)) {
		command_bad(cmd, "the name of a mailbox is missing");
		return s->state;
	}
	if (!command_end(cmd) || !place_find(s, cmd, name, RIGHT_READ, &p))
		return s->state;
	/* it need not be there (RFC 9208 4.1.2); who could set limits learns what they would be of */
	has_root = p.name_space == SPACE_OWN && (limits(s, &q) || may_set(s));
	buf_init(&out, 16 * PLACE_NAME_MAX);
	buf_adds(&out, "* QUOTAROOT ");
	(void)imap_put_astring(&out, name, session_utf8(s));
	buf_addf(&out, "%s\r\n", has_root ? " \"" ROOT "\"" : "");
	say_buf(s, &out);
	buf_free(&out);
	if (has_root && say_quota(s) == -1)
		command_failed(s, cmd, "count what is used");
	else
		command_ok(cmd, NULL, "GETQUOTAROOT completed");
	return s->state;
}

/* "STORAGE 512"; what is not known here makes unknown true. False: BAD. */
static bool
take_limit(struct cur *c, struct quota *q, bool *unknown)
{
	struct str	name;
	uint64_t	n, *limit;

	if (!imap_atom(c, &name) || !imap_sp(c) || !imap_number64(c, &n))
		return false;
	if (str_eq_nocase(name, STR("STORAGE"))) {
		limit = &q->bytes_max;
		n = (n < QUOTA_UNITS_MAX ? n : QUOTA_UNITS_MAX) * QUOTA_UNIT;
	} else if (str_eq_nocase(name, STR("MESSAGE")))
		limit = &q->count_max;
	else {
		*unknown = true;
		return true;
	}
	if (*limit != QUOTA_NONE)
		return false;
	*limit = n;
	return true;
}

/* "(STORAGE 512 MESSAGE 100)" */
static bool
take_limits(struct cur *c, struct quota *q, bool *unknown)
{
	if (!cur_byte(c, '('))
		return false;
	if (cur_byte(c, ')'))
		return true;
	do {
		if (!take_limit(c, q, unknown))
			return false;
	} while (imap_sp(c));
	return cur_byte(c, ')');
}

static void
log_limits(const struct session *s, const struct quota *q)
{
	char	user[LOG_SAFE_MAX], by[LOG_SAFE_MAX], bytes[24] = "none",
		count[24] = "none";

	if (q->bytes_max != QUOTA_NONE)
		snprintf(bytes, sizeof(bytes), "%" PRIu64, q->bytes_max);
	if (q->count_max != QUOTA_NONE)
		snprintf(count, sizeof(count), "%" PRIu64, q->count_max);
	log_info("quota-set user=%s by=%s bytes=%s messages=%s",
	    log_safe(user, sizeof(user), str_from(s->user)),
	    log_safe(by, sizeof(by), str_from(s->by)), bytes, count);
}

/* The limits are these from now on, for deliveries and other sessions as well. */
static void
change(struct session *s, struct command *cmd, const struct quota *q)
{
	if (quota_change(place_store(s, SPACE_OWN), q) == -1) {
		command_failed(s, cmd, "keep the limits");
		return;
	}
	log_limits(s, q);
	if (say_quota(s) == -1)
		command_failed(s, cmd, "count what is used");
	else
		command_ok(cmd, NULL, "SETQUOTA completed");
}

enum state
cmd_setquota(struct session *s, struct command *cmd)
{
	struct quota	q = { .bytes_max = QUOTA_NONE, .count_max = QUOTA_NONE };
	struct str	root;
	bool		unknown = false;

	if (!imap_astring(&cmd->args, &s->memory, &root) ||
	    !imap_sp(&cmd->args) || !take_limits(&cmd->args, &q, &unknown)) {
		command_bad(cmd, "a quota root and limits are expected");
		return s->state;
	}
	if (!command_end(cmd))
		return s->state;
	if (!may_set(s))
		command_no(cmd, "NOPERM", "limits are set by the "
		    "administrator");
	else if (!str_eq(root, STR(ROOT)))
		command_no(cmd, "NONEXISTENT", "there is no such quota root");
	else if (unknown)
		command_no(cmd, "CANNOT", "only STORAGE and MESSAGE can be "
		    "limited");
	else
		change(s, cmd, &q);
	return s->state;
}

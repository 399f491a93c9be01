/*
 * imapd/session.h - one session after its login: its state, and the command under way. A session is a process of its own with
 * the mailbox's uid, straight-line code: a command is read, run, answered.
 */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/fmt/imap.h"
#include "common/net/conn.h"
#include "common/proc/proto_auth.h"
#include "common/proc/settings.h"
#include "common/store/view.h"
#include "imapd/fetch_file.h"
#include "imapd/fetch_partial.h"

/* States (RFC 3501, 3), as bits for the table of commands. */
enum state { S_AUTH = 1, S_SELECTED = 2, S_LOGOUT = 4 };
#define S_ANY	(S_AUTH | S_SELECTED)

/* What the client has enabled (RFC 5161), or shown to know. */
enum {
	ENABLED_REV2 = 1, ENABLED_UTF8 = 2, ENABLED_CONDSTORE = 4, ENABLED_QRESYNC = 8, ENABLED_UIDONLY = 16
};

struct place_list;	/* namespaces, place.h */
struct rights_seen;	/* selected.h */
struct search_result;	/* of SEARCHRES: "$", numbers.h */
struct contexts;	/* of CONTEXT=SEARCH, contexts.h */
struct notify;		/* RFC 5465, notify.h */
struct own_messages;	/* arrivals.h */

struct session {
	struct conn		 conn;
	const struct settings	*set;
	const char		*user, *client, *mailbox;
	const char		*by;		/* the master user who is logged in as user; "": he is himself */
	bool			 encrypted;
	bool			 same_host;	/* the client is on this machine */
	uint64_t		 quota;		/* bytes, the user's own; 0: the configuration's */
	bool			 quota_is_bad;	/* it has been logged that what was set cannot be understood */
	enum state		 state;
	unsigned		 enabled;
	struct view		*view;		/* in S_SELECTED */
	size_t			 recent;	/* messages in it, as the client was told */
	struct place_list	*places;
	struct rights_seen	*rights;	/* to the selected mailbox, if it is a shared one; NULL: not asked for yet */
	struct arena		 memory;	/* of the command under way */
	struct search_result	*result;
	struct contexts		*contexts;
	struct notify		*notify;
	struct own_messages	*own;
	struct partials		 partials;
	struct fetch_kept	 kept;		/* the file of that message */
	struct {
		uint64_t	 cost;		/* of all UIDBATCHES since then */
		size_t		 count;		/* messages that there were */
		uint32_t	 last;		/* and the highest UID */
	} batched;
	bool			 compressed;
	bool			 by_uid;	/* the command under way has UID in front, and so its FETCH responses have UIDs */
	bool			 named;		/* who the client is stands in the log */
	bool			 mute;		/* nothing that is said arrives any more */
	bool			 may_go_back;	/* the front takes the connection back (RFC 8437) */
	bool			 back;		/* and it has to now */
	const char		*end;		/* why it is over; NULL: it goes on */
	unsigned		 errors;
	uint64_t		 commands, bytes_in, bytes_out;
};

enum { REPLY_NONE, REPLY_OK, REPLY_NO, REPLY_BAD };
#define REPLY_MAX	(4u << 20)	/* COPYUID may have 100 000 UIDs twice */

struct command {
	struct str	 tag;
	struct str	 name;		/* as in the table: "UID FETCH" */
	struct cur	 args;		/* behind the name and its blank; literals are within, but for commands that stream */
	bool		 uid;		/* UID in front */
	bool		 numbers;	/* of messages are searched for: no EXPUNGE meanwhile, UID or not (RFC 7162, 3.2.10.2) */
	bool		 literal_open;	/* streaming: args ends with the announcement of a literal that has not been read, see reader.h */
	int		 reply;		/* REPLY_... */
	struct buf	 text;		/* "[CODE] text" of the tagged reply */
};

/*
 * A handler writes its untagged responses, says how it went (once) by one of these, and returns the state that comes next;
 * the dispatcher sends what has changed in the selected mailbox, then the tagged reply. code: "TRYCREATE" (brackets are added), or NULL.
 */
typedef enum state command_run(struct session *, struct command *);
void	command_ok(struct command *, const char *code, const char *fmt, ...) printf_like(3, 4);
void	command_no(struct command *, const char *code, const char *fmt, ...) printf_like(3, 4);
void	command_bad(struct command *, const char *fmt, ...) printf_like(2, 3);
/* NO with the code that fits errno (RFC 5530: [SERVERBUG], [NOPERM], [OVERQUOTA], [NONEXISTENT], [ALREADYEXISTS], [INUSE], [LIMIT] ...), and a log line. what: "open the mailbox". */
void	command_failed(struct session *, struct command *, const char *what);
/* Is there nothing left of the arguments? If there is, BAD is said. */
bool	command_end(struct command *);

/* Untagged: "* " is put in front and CRLF behind. */
void	say(struct session *, const char *fmt, ...) printf_like(2, 3);
/* The same, long or with literals: all of it, as it is, without "* " and CRLF. */
void	say_buf(struct session *, const struct buf *);
void	say_str(struct session *, struct str);
/* BYE, and the session's end, if it has none yet. */
void	say_no_memory(struct session *);
/* May strings to this client have UTF-8 in quotes? */
bool	session_utf8(const struct session *);
static inline bool
session_enabled(const struct session *s, unsigned what)
{
	return (s->enabled & what) != 0;
}

#endif

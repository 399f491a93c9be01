/* imapd/front_impl.h - what the parts of the front share; nobody else includes this. */
#ifndef IMAPD_FRONT_IMPL_H
#define IMAPD_FRONT_IMPL_H

#include "common/base/arena.h"
#include "common/net/entry.h"
#include "imapd/front.h"
#include "imapd/front_command.h"

/* One client that has not logged in. */
struct front {
	struct conn		 conn;
	struct entry		 entry;
	const struct settings	*set;
	struct buf		 text;		/* the command under way, with its literals */
	struct arena		 memory;	/* of the same command */
	bool			 named;		/* its ID is in the log */
	const char		*end;		/* why it is over here */
};

/* front_read.c: the next command, whole. False: it is over, end says why. What is none is answered there. */
bool	front_next(struct front *);
/* A line of the command with this tag, or the answer to a challenge: OK, BAD (it has been answered) or OVER. The view is valid until the next read. */
enum entry_turn front_line(struct front *, struct str tag, struct str *);
/* Untagged: "* " in front; and the reply to a command. BAD is counted as the client's mistake. */
void	front_say(struct front *, const char *, ...) printf_like(2, 3);
void	front_ok(struct front *, struct str tag, const char *, ...) printf_like(3, 4);
void	front_no(struct front *, struct str tag, const char *, ...) printf_like(3, 4);
void	front_bad(struct front *, struct str tag, const char *, ...) printf_like(3, 4);
/* What was said of secrets is overwritten. */
void	front_forget(struct front *);

/* A command's answer to: does the client go on here? False: end says why not. */

/* front_auth.c: RFC 3501, 6.2.2 and 6.2.3. */
bool	front_login(struct front *, const struct front_command *);
bool	front_authenticate(struct front *, const struct front_command *);

#endif

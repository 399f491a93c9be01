/* pop3d/talk.h - lines in, replies out; for the front and the session. */
#ifndef POP3D_TALK_H
#define POP3D_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/conn.h"
#include "common/proc/mechanisms.h"

#define TALK_LINE	1100	/* PASS with the longest password; RFC 2449, 4 asks for 255 */

enum talk_status {
	TALK_OK,	/* a line */
	TALK_BAD,	/* what came is no line; it has been answered */
	TALK_OVER	/* there are no more, end says why */
};

/* What CAPA says, see capa.h. */
struct talk_offer {
	char		 mechanisms[MECHANISMS_TEXT_SIZE];
	bool		 password;	/* USER and PASS */
	bool		 stls;
	long long	 delay;		/* ms between two logins, 0: none */
	char		 expire[8];	/* days, or "never" */
};

struct talk {
	struct conn	 conn;
	int64_t		 idle;		/* ms, the autologout timer */
	size_t		 line_max;	/* TALK_LINE, and for the front more */
	long long	 errors, errors_max;
	const char	*end;		/* why there are no more lines */
	struct talk_offer offer;
	bool		 utf8;		/* RFC 6856, 2.1: the client has asked for it */
};

void	talk_init(struct talk *, int fd, int64_t idle, long long errors_max,
	    const volatile int *stop);
/* The next line; nothing is answered that is one. */
enum talk_status talk_next(struct talk *, struct str *line);
/* The next line that is one; the others are answered here. False: it is over, end says why. The view is valid until the next call. */
bool	talk_line(struct talk *, struct str *);
/* "+OK text" */
void	talk_ok(struct talk *, const char *, ...) printf_like(2, 3);
/* "-ERR text"; text begins with a "[CODE] " where RFC 2449 or 3206 has one. */
void	talk_err(struct talk *, const char *, ...) printf_like(2, 3);
/* As above, counted as the client's mistake. */
void	talk_bad(struct talk *, const char *, ...) printf_like(2, 3);
/* A line of a multi-line reply that cannot begin with a dot, and the end of it. */
void	talk_row(struct talk *, const char *, ...) printf_like(2, 3);
void	talk_end(struct talk *);
/* Everything goes out, or is given up after a while; closes the connection. */
void	talk_close(struct talk *);

#endif

/* auth/user.h - the tool user(8), shared by its parts. Run by the administrator; trusts what he says, not what the files hold. */
#ifndef AUTH_USER_H
#define AUTH_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "auth/scheme.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/proto_auth.h"
#include "common/proc/settings.h"
#include "common/store/users.h"

#define USER_FILE_MAX	(256u << 20)
#define USER_LINE_MAX	65536

struct user_opts {
	const char		*conf;		/* posthouse.conf */
	const char		*file;		/* passwd-file; NULL: the first of the configuration */
	const struct scheme	*scheme;	/* NULL: CRYPT, which is yescrypt */
	unsigned long		 cost;		/* 0: the scheme's */
	const char		*service, *client;	/* test: "" all */
	bool			 from_stdin, remove, no_compile;
	char			**args;
	int			 nargs;
	struct settings		*settings;	/* NULL: not read */
};

/* user_ask.c: at most AUTH_PASS_MAX bytes, from the terminal (twice if it is a new one) or a line of stdin. -1: said why. */
int	user_ask(const struct user_opts *, bool fresh, char[AUTH_PASS_MAX + 1]) must_check;
/* 100 random bits in letters and digits that look like no others, in groups. */
void	user_random(char *, size_t);
/* The record, with what a line cannot hold in base64. -1: said why. */
int	user_record(const struct scheme *, unsigned long cost, const char *pass, struct buf *) must_check;

/* user_file.c: a passwd-file that is being changed; nobody else of us changes it meanwhile. */
struct user_file {
	char		*path;		/* where links lead */
	int		 fd;		/* locked */
	struct stat	 st;
	struct buf	 text;
};
/* create: one that is not there is made, empty, for its owner alone. -1: *why. */
int	user_file_open(struct user_file *, const char *path, bool create, struct diag *) must_check;
/* The line of that name: with its end in rest of text; false: there is none. */
bool	user_file_find(const struct user_file *, struct str name, struct str *line);
/* The text with a line (view into it) in another form; "" removes it; a line.n of 0 at its end adds one. */
int	user_file_replace(struct user_file *, struct str line, struct str with, struct diag *) must_check;
/* Durable, owner and mode as before; then the new one has the name, and the lock. */
int	user_file_commit(struct user_file *, struct diag *) must_check;
void	user_file_close(struct user_file *);

/* user_line.c: pure; the new line is proven. -1: *why. */
int	user_line_password(struct str line, struct str record, struct buf *, struct diag *) must_check;
int	user_line_new(const char *name, struct str record, char *const *fields, int nfields, struct buf *,
	    struct diag *) must_check;
/* record "": without it; *found says whether it was there. */
int	user_line_app(struct str line, const char *app, const char *services, struct str record, bool *found,
	    struct buf *, struct diag *) must_check;

/* What a verb does: exit status. */
int	user_add(struct user_opts *);
int	user_passwd(struct user_opts *);
int	user_delete(struct user_opts *);
int	user_app(struct user_opts *);
int	user_list(struct user_opts *);
int	user_test(struct user_opts *);
int	user_hash(struct user_opts *);

#endif

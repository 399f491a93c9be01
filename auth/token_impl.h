/* auth/token_impl.h - what the parts of token share; nobody else includes this. */
#ifndef AUTH_TOKEN_IMPL_H
#define AUTH_TOKEN_IMPL_H

#include <stdint.h>
#include <sys/queue.h>

#include "auth/claims.h"
#include "auth/introspect.h"
#include "auth/jwks_file.h"
#include "auth/token.h"
#include "common/proc/peers.h"

/* WAITING for introspect to be there, ASKED it, or SETTLED: told by the timer, from the loop. */
enum check_state { CHECK_WAITING, CHECK_ASKED, CHECK_SETTLED };

struct token_check {
	TAILQ_ENTRY(token_check) link;
	struct tokens		*all;
	struct event		*timer;
	token_done		*done;
	void			*arg;
	uint64_t		 id;
	enum check_state	 state;
	enum oauth_form		 form;
	char			 named[TOKEN_USER_MAX + 1];	/* by the client; "" */
	struct buf		 token;		/* until it has been asked */
	struct token_answer	 answer;
	char			 why[INTROSPECT_WHY_MAX + 1];	/* of introspect */
	struct buf		 json;
};
TAILQ_HEAD(check_list, token_check);

struct tokens {
	const struct settings	*settings;
	struct event_base	*base;
	struct jwks_file	*file;		/* NULL: none */
	bool			 asks;		/* introspection is on */
	struct peers		*peers;
	struct peer		*introspect;	/* NULL: not there now */
	struct check_list	 checks;
	size_t			 n;
	uint64_t		 next_id;
	unsigned long long	 good, refused, temporary;
};

/* token.c: the outcome; the answer goes out from the event loop. */
void	token_settle_good(struct token_check *, const char *user, const char *id);
void	token_settle_refused(struct token_check *, enum oauth_error, const char *why);
void	token_settle_temporary(struct token_check *, const char *why);

/* token_link.c */
int	token_link_start(struct tokens *, struct diag *) must_check;
void	token_link_stop(struct tokens *);
/* Now, or when introspect is there. */
void	token_link_ask(struct token_check *);
void	token_link_cancel(const struct token_check *);

#endif

/*
 * route/engine.h - where does this address go, and why? A pure function of
 * settings, tables and question: no clock, no file, no socket. The daemon,
 * `route -v`, `route -t` and the compiler all call the same one.
 */
#ifndef ROUTE_ENGINE_H
#define ROUTE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/fmt/final.h"
#include "common/net/addr.h"
#include "route/seen.h"
#include "route/site.h"

#define ENGINE_DEPTH	50	/* aliases in aliases */

/* Look-ups. 1 found (the view lives until the next decision), 0 not there, -1 errno: damaged or out of reach. */
struct engine_tables {
	void	*arg;
	int	(*alias)(void *, struct str key, struct str *value);
	int	(*virtual_)(void *, struct str key, struct str *value);
	/* place gets "file:line" or "passwd" */
	int	(*user)(void *, struct str name, uid_t *, struct buf *place);
	int	(*sender)(void *, struct str key, struct str *value);
};

enum engine_verb { ENGINE_RCPT, ENGINE_FINAL, ENGINE_VRFY, ENGINE_EXPN, ENGINE_SENDER };

struct engine_ask {
	enum engine_verb verb;
	bool		 has_client;	/* false: local submission */
	struct addr	 client;
	struct str	 auth;		/* user, "" for none */
	struct str	 rcpt;
	struct str	 sender;	/* SENDER only: local@domain, "" for nobody */
};

struct decision {
	unsigned	 code;		/* SMTP reply */
	const char	*status;	/* RFC 3463 */
	const char	*text;
	struct buf	 finals;	/* fields ROUTE_FINAL, all of them */
	size_t		 nfinals;
	enum final_kind	 kind;		/* of the first */
	struct buf	 names;		/* fields ROUTE_NAME */
	struct buf	 why;		/* fields ROUTE_WHY */
};

/* Memory that decisions share. */
struct engine {
	struct seen	visited, nobody;	/* lower-case addresses met; those that led to nobody */
	struct seen	finals, unknown;
	struct buf	scratch;
};

void	engine_init(struct engine *);
void	engine_free(struct engine *);
void	decision_init(struct decision *);
void	decision_free(struct decision *);
/* Always leaves a decision; out of memory is one, too (451). */
void	engine_decide(struct engine *, const struct site *, const struct engine_tables *,
	    const struct engine_ask *, struct decision *);

#endif

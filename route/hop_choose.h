/*
 * route/hop_choose.h - from what was looked up to an ordered list of places
 * to be tried, or why there is none. Pure: chance is an argument.
 */
#ifndef ROUTE_HOP_CHOOSE_H
#define ROUTE_HOP_CHOOSE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/diag.h"
#include "common/proc/proto_hop.h"
#include "route/hop_facts.h"
#include "route/hop_plan.h"

#define HOP_KEY_LEN	512u

struct hop_target {
	const char	*host;		/* "" for a literal; borrowed from plan or facts */
	const char	*path;		/* of a socket, or NULL: addr and port */
	struct addr	 addr;
	unsigned	 port, pref;
};

struct hop_choice {
	unsigned	 code;		/* 250, 450, 550 */
	const char	*status;	/* RFC 3463 */
	char		 text[DIAG_MAX];
	struct buf	 why;		/* fields HOP_WHY */
	/* if the code is 250 */
	char		 key[HOP_KEY_LEN];
	unsigned	 expires;	/* seconds */
	const char	*protocol, *tls;
	const char	*connections, *rate;	/* NULL: no such line */
	struct addr	 sources[2];
	size_t		 nsources;
	struct hop_target targets[HOP_TARGETS];
	size_t		 ntargets;
};

/* A number below the bound; arc4random_uniform(3) is one. */
typedef uint32_t	hop_chance(uint32_t);

void	hop_choice_init(struct hop_choice *);
void	hop_choice_free(struct hop_choice *);
/* facts: of the plan's name; NULL for kinds without a look-up. They have to outlive the choice. */
void	hop_choose(const struct hop_site *, const struct hop_plan *, const struct facts *, hop_chance *,
	    struct hop_choice *);
/* A verdict without a look-up. */
void	hop_refuse(struct hop_choice *, unsigned code, const char *status, const char *, ...) printf_like(4, 5);

/* The parts, for hop_choose alone. hop_settle.c: key, TLS, sources, limits; host: the first of the best, or "". */
void	hop_settle(const struct hop_site *, const struct hop_plan *, const char *host, struct hop_choice *);
/* hop_why.c: the HOP_WHY records of plan and facts. */
void	hop_why_plan(const struct hop_plan *, struct hop_choice *);
void	hop_why_facts(const struct facts *, struct hop_choice *);

#endif

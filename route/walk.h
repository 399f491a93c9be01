/* route/walk.h - from an address of ours to its final recipients; the inner part of the engine. */
#ifndef ROUTE_WALK_H
#define ROUTE_WALK_H

#include "common/fmt/path.h"
#include "route/engine.h"

enum outcome {
	OUT_NONE,	/* this look-up says nothing: go on with the next */
	OUT_OK,
	OUT_UNKNOWN,	/* no such user */
	OUT_BAD,	/* not an address */
	OUT_LOOP,
	OUT_DEEP,
	OUT_WIDE,	/* too many final recipients */
	OUT_CONFIG,	/* accepted, but nobody gets it yet */
	OUT_TEMP	/* a table or memory failed */
};

enum skip { SKIP_NOTHING, SKIP_VIRTUAL, SKIP_ALIAS };

/* An address on the way. Its parents are the addresses that led here. */
struct node {
	const struct node	*parent;
	unsigned		 depth;
	char			 local[LOCAL_MAX + 1];	/* plain, as written */
	char			 lower[LOCAL_MAX + 1];	/* the same in lower case */
	char			 domain[DOMAIN_MAX + 1];	/* hop_name_canonical */
	char			 addr[ADDR_MAX + 1];	/* canonical local@domain */
	enum skip		 skip;	/* a target that names its own entry: what not to ask again */
	enum skip		 by;	/* what is being expanded here */
};

struct walk {
	struct engine			*engine;
	const struct site		*site;
	const struct engine_tables	*tables;
	struct decision			*out;
	bool				 expn;	/* name the members, do not follow them */
	bool				 partly;	/* something unknown was met */
	bool				 direct;	/* what an entry names is a user or of no interest */
};

/* Fills the node from local@domain or local (then the first domain). False: not an address. */
bool	walk_node(struct walk *, struct str, const struct node *parent, struct node *);
/* Adds the final recipients of an address to out. */
enum outcome walk_resolve(struct walk *, struct node *);
/* Members that are unknown become users that are unknown, so that the failure is told to the sender. */
enum outcome walk_unknown(struct walk *);
enum outcome walk_final(struct walk *, const struct final *);
/* A user by this name, and no alias; OUT_NONE if there is none. */
enum outcome walk_user(struct walk *, const struct node *, const char *name, struct str ext);
/* Remembers that this means nobody. */
enum outcome walk_nobody(struct walk *, const struct node *);
/* A look-up failed with errno. */
enum outcome walk_failed(struct walk *, const char *what, const char *key);
/* walk_entry.c: the value of an entry of the tables, for the address in the node. */
enum outcome walk_expand(struct walk *, struct node *, struct str value, struct str ext);

/* Says how the domain is spelled to be looked up, if that is not how it was written. */
void	walk_why_domain(struct walk *, const struct node *);
void	walk_why(struct walk *, const char *, ...) printf_like(2, 3);
/* "file:line: text" of a setting, without a place for a default. */
void	walk_why_item(struct walk *, const struct setting_item *, const char *, ...) printf_like(3, 4);

#endif

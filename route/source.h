/* route/source.h - the source files of all tables, read and checked. */
#ifndef ROUTE_SOURCE_H
#define ROUTE_SOURCE_H

#include "route/engine.h"
#include "route/memory.h"
#include "route/site.h"
#include "route/value.h"

struct users;

struct sources {
	const struct site	*site;		/* borrowed */
	struct memory		 tables[TABLE_KINDS];	/* as compiled */
	struct memory		 names;		/* users: "uid file:line" */
	struct users		*system;	/* users system */
	bool			 hidden[TABLE_KINDS];	/* not everybody may read all their files */
	struct buf		 said;		/* mistakes and warnings, one per line */
	unsigned		 mistakes, warnings;
};

/* Reads everything; what is wrong is in said. -1 only if that is impossible (ENOMEM). */
int	sources_load(struct sources *, const struct site *) must_check;
void	sources_free(struct sources *);
/* Loops and names that mean nobody; after sources_load. -1: ENOMEM. */
int	sources_prove(struct sources *) must_check;
/* Look-ups in what was read. */
struct engine_tables sources_tables(struct sources *);

void	sources_mistake(struct sources *, const char *file, unsigned line, unsigned col, const char *, ...) printf_like(5, 6);
/* file NULL: not about a line. */
void	sources_warn(struct sources *, const char *file, unsigned line, const char *, ...) printf_like(4, 5);
/* In parts: an empty one; texts of the tables; then sort, before it is asked. */
void	sources_init(struct sources *, const struct site *);
void	sources_text(struct sources *, const char *file, struct str text, enum table_kind);
void	sources_file(struct sources *, const struct setting_item *, enum table_kind);
void	sources_sort(struct sources *);

#endif

/* common/store/cache_impl.h - what the files of cache.h share: the files' format (posthouse-cache(5)), the open cache. */
#ifndef STORE_CACHE_IMPL_H
#define STORE_CACHE_IMPL_H

#include "common/base/buf.h"
#include "common/store/cache.h"

#define CACHE_ROWS_NAME		"posthouse.cache"
#define CACHE_TEXTS_NAME	"posthouse.texts"
#define CACHE_ROWS_NEW		"posthouse.cache.new"
#define CACHE_TEXTS_NEW		"posthouse.texts.new"
#define CACHE_MAGIC		"PHcache1"
#define CACHE_ROWS_MAX		(1u << 26)
#define CACHE_TEXTS_MAX		(UINT64_C(1) << 38)

enum { CACHE_HEAD = 1, CACHE_BODY = 2, CACHE_DATE = 4 };

/* Of both files. All numbers are as this machine has them. */
struct cache_header {
	char		magic[8];
	uint32_t	uidvalidity;
	uint32_t	row_size;	/* also of the texts' */
	uint32_t	part_size;
	uint32_t	spare;
	uint64_t	generation;	/* the same in both, another one in each pair */
	uint64_t	sum;
};

struct cache_row {
	uint32_t	uid;
	uint16_t	flags;
	int16_t		zone;
	int64_t		sent;
	uint64_t	head_at, head_sum;	/* envelope, references, message_id */
	uint64_t	body_at, body_sum;	/* parts (at a multiple of 8), bodystructure */
	uint64_t	wire, size;
	uint32_t	envelope_n, references_n, message_id_n;
	uint32_t	structure_n, nparts, spare;
	uint64_t	sum;			/* of the row; the generation is part of it */
};

struct cache_map {
	const char	*p;
	size_t		 n;
};

struct cache {
	int		 dir, rows_fd, texts_fd;
	uint32_t	 uidvalidity;
	bool		 read_only;
	uint64_t	 generation;
	struct cache_map rows, texts;
	size_t		 nrows;		/* that were looked at */
	size_t		 nsorted;	/* the first of them, whole and in the order of their UIDs: they need no table */
	size_t		 hint;		/* among these: the one behind the last that was asked for */
	uint32_t	*table;		/* of the others: number + 1, by UID; 0: empty */
	size_t		 ntable, table_cap;
	unsigned	 asked;		/* times, since the sizes of the files were looked at */
	bool		 new_sorted;	/* new_rows, by UID */
	struct buf	 new_rows, new_texts;	/* put, but not written; offsets are in new_texts */
	struct buf	 parts;		/* that cache_body gave last */
};

uint64_t cache_sum(uint64_t seed, const void *, size_t);
uint64_t cache_row_sum(const struct cache_row *, uint64_t generation);
void	cache_header_make(struct cache_header *, uint32_t uidvalidity, uint64_t generation);

/* cache_file.c: the two files */
/* Opens, if they are there and belong together. */
void	cache_files_open(struct cache *);
void	cache_files_close(struct cache *);
/* Have they grown, are they others, is one shorter than what is mapped? */
void	cache_files_refresh(struct cache *);
/* -1: errno; EAGAIN: somebody else holds it for too long. The files are there then, and of this folder. */
int	cache_files_lock(struct cache *) must_check;
void	cache_files_unlock(struct cache *);
/* New ones instead of those there are, with these contents (offsets from the texts' beginning, 0 is behind its header); the lock is held. */
int	cache_files_replace(struct cache *, const struct buf *rows, const struct buf *texts) must_check;
/* Behind what there is. The lock is held. */
int	cache_files_append(struct cache *, struct buf *rows, const struct buf *texts) must_check;

/* cache_rows.c: which row is a UID's */
void	cache_rows_forget(struct cache *);
bool	cache_rows_scan(struct cache *);	/* those behind nrows; false: the file is of no use */
bool	cache_rows_find(struct cache *, uint32_t uid, struct cache_row *);
bool	cache_rows_get(const struct cache *, size_t, struct cache_row *);

/* Whole, and within the text of n bytes. */
bool	cache_row_head(const struct cache_row *, const char *texts, size_t n, struct cache_head *);
bool	cache_row_body(const struct cache_row *, const char *texts, size_t n, struct cache_body *);
/* What whoever walks through the tree relies on: numbers go up, places are in order and in the file of that size. */
bool	cache_parts_ok(const struct part *, size_t n, uint64_t size);

#endif

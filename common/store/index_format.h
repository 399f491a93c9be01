/*
 * common/store/index_format.h - the bytes of posthouse.index; posthouse-index(5). A file of another machine's order of
 * bytes, or of another version, is damaged. Everything is aligned to 8 bytes.
 */
#ifndef STORE_INDEX_FORMAT_H
#define STORE_INDEX_FORMAT_H

#include <stdint.h>

#define INDEX_FILE	"posthouse.index"
#define INDEX_DRAFT	"posthouse.index.new"
#define INDEX_UNWRITTEN	0100	/* a bit of the file's mode: clients were told of what could not be written to it */

#define INDEX_MAGIC	"PHindex\n"
#define INDEX_VERSION	4
#define INDEX_KEYWORDS	56
#define INDEX_KEYWORD_MAX 100
#define INDEX_GONE_MAX	50000		/* UIDs that are kept for view_vanished */
#define INDEX_ROWS_MAX	(64u << 20)
#define INDEX_GUID_MAX	255

/* Flags of a row beside VIEW_ANSWERED ... VIEW_DRAFT. */
#define INDEX_SYSTEM	31
#define INDEX_RECENT	32		/* put into cur/ by a program of ours: \Recent to the first session that finds it */
#define INDEX_IS_NEW	64		/* the file is in new/ */
#define INDEX_KEPT	(INDEX_SYSTEM | INDEX_RECENT | INDEX_IS_NEW)
#define INDEX_GONE	128

#define INDEX_UNKNOWN	UINT64_MAX	/* a size */
#define INDEX_NO_DATE	INT64_MIN

struct index_row {
	uint64_t	keywords;	/* bit i: the one with keyword_letter(i) */
	uint64_t	modseq;
	uint32_t	uid;
	uint32_t	hash;		/* of the base name */
	uint32_t	name;		/* offset: base name, info, GUID */
	uint8_t		flags, base_len, info_len, guid_len;
	uint64_t	wire, size;	/* or INDEX_UNKNOWN */
	int64_t		date, saved;	/* or INDEX_NO_DATE */
};

struct index_gone {
	uint64_t	modseq;
	uint32_t	uid, unused;
};

/* A directory as of the last look; due: ms since 1970 from when on it has to be looked at again all the same, 0: never. */
struct index_dir_stamp {
	int64_t		mtime;		/* ns */
	int64_t		due;
};
struct index_file_stamp {
	uint64_t	ino, size;
	int64_t		mtime;
};

struct index_header {
	char		magic[8];
	uint32_t	version, order;	/* 0x01020304 */
	uint64_t	generation;	/* random: no two files have the same */
	uint64_t	seed;		/* of hashes */
	int64_t		booted;		/* when the machine was, seconds since 1970 */
	char		mailbox_id[40];
	uint32_t	validity, next;	/* UIDs */
	uint64_t	highest, floor;	/* modification sequences */
	struct index_dir_stamp	new_dir, cur_dir;
	struct index_file_stamp	list, keywords;
	uint64_t	dead;		/* lines of the list that nobody needs */
	/* sections, in this order behind the header */
	uint64_t	rows, gone, keywords_size, names_size;
	/* of the rows, so that a folder can be opened without them */
	uint64_t	new, recent, unseen, deleted;
	uint64_t	first_unseen;	/* its row; rows if there is none */
	uint64_t	sum;		/* of the sections */
	uint64_t	head_sum;	/* of the keywords, then of all above */
};

/* Behind the sections: blocks of items, each written at once. */
struct index_block {
	uint64_t	sum;
	uint64_t	size;		/* of what follows; a multiple of 8 */
};
enum index_item_type {
	ITEM_ADD = 1,		/* index_row, then base name, info, GUID */
	ITEM_SET,		/* index_set, then info */
	ITEM_REMOVE,		/* index_gone */
	ITEM_NOTE,		/* index_note */
	ITEM_HEAD,		/* index_header; only what changes is taken */
	ITEM_KEYWORDS		/* lines "letter name\n" */
};
struct index_item {
	uint16_t	type, unused;
	uint32_t	size;		/* of what follows, without filling */
};
struct index_set {
	uint64_t	keywords, modseq;
	uint32_t	uid;
	uint16_t	flags, unused;
};
struct index_note {
	uint32_t	uid, unused;
	uint64_t	wire, size;
	int64_t		date, saved;
};

#endif

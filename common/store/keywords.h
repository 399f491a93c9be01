/*
 * common/store/keywords.h - dovecot-keywords: the names of letters in the names of files; lines "0 name", where 0 is
 * 'a', see keyword_letter; Dovecot knows those up to 'z'. Read and written as Dovecot does: its lock is that of the list of UIDs,
 * and dovecot-keywords.lock is where the new file is written (uidlist_file.h). Lines that are not understood are kept.
 */
#ifndef STORE_KEYWORDS_H
#define STORE_KEYWORDS_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/str.h"
#include "common/store/index_format.h"

#define KEYWORDS_FILE	"dovecot-keywords"
#define KEYWORDS_LOCK	"dovecot-keywords.lock"

/* index_letters.c: the letter of a keyword in file names, 0 <= number < INDEX_KEYWORDS; the number of a letter, -1: it is none. */
char	keyword_letter(int number);
int	keyword_number(char letter);
/* Pure: the names in such a text; empty: none of that letter. */
void	keywords_parse(struct str, char (*)[INDEX_KEYWORD_MAX + 1]);
/* Can one be called that? An atom of IMAP (RFC 3501 9). */
bool	keyword_ok(struct str);
/* Its number, ASCII case ignored; -1: it is none of these. */
int	keywords_find(char (*)[INDEX_KEYWORD_MAX + 1], struct str);
/*
 * The file in that folder; none is empty. What was known before goes in: a file that was damaged or removed has *lost names, without which
 * letters in names of files mean nothing. Those of letters that it gives no other name to stay: a last line without its LF that begins a known name is one that was cut, not another name. One that is longer than 64 KiB is read so
 * far, and counts as one that has lost names. -1: errno, nothing has changed.
 */
int	keywords_read(int dir, char (*)[INDEX_KEYWORD_MAX + 1], bool *lost) must_check;
/* The names that it has lost are in it again, durably. indexed: as of uidlist_lock. -1: errno. */
int	keywords_mend(int dir, bool indexed, char (*)[INDEX_KEYWORD_MAX + 1]) must_check;
/* Its number, durably made if it is new; names are as the file says then, and known ones that it has lost are in it again. -1: errno, EMLINK: all letters are used. */
int	keywords_make(int dir, struct str, bool indexed, char (*)[INDEX_KEYWORD_MAX + 1]) must_check;

#endif

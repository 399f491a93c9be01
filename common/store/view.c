/*
 * common/store/view.c - a folder is opened, and what of it is shown; as the mailbox's user. The folder belongs to others as well, who
 * rename and remove as they like.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/store/keywords.h"
#include "common/store/view_impl.h"

#define PARSED_MAX	((size_t)256 << 20)

static struct view *
make(struct store *s, const char *folder, bool read_only)
{
	struct view	*v;

	if (strlen(folder) > MAILDIR_FOLDER_MAX) {
		errno = ENOENT;
		return NULL;
	}
	if ((v = calloc(1, sizeof(*v))) == NULL)
		return NULL;
	v->store = s;
	v->read_only = read_only;
	v->wait = -1;
	v->dir = (struct maildir){ .root = -1, .tmp = -1, .new = -1,
	    .cur = -1 };
	v->x.lock = v->x.fd = -1;
	arena_init(&v->parsed, PARSED_MAX);
	memcpy(v->folder, folder, strlen(folder) + 1);
	return v;
}

static int
begin(struct view *v, bool quick, struct diag *why)
{
	unsigned	how = (v->read_only ? INDEX_KEEP_NEW : 0) |
	    (quick ? INDEX_UNCHECKED : 0);
	struct stat	st;

	if (store_open_folder(v->store, v->folder, false, &v->dir, why) == -1)
		return -1;
	if (fstat(v->dir.root, &st) == -1)
		return diag_errno(why, "open the folder");
	v->dev = st.st_dev;
	v->ino = st.st_ino;
	if (index_init(&v->x, &v->dir, v->store) == -1 ||
	    index_sync(&v->x, how) == -1)
		return diag_errno(why, "read the Maildir");
	v->validity = v->x.head.validity;
	v->highest = v->x.head.highest;
	v->next = v->x.head.next;
	v->seen_version = v->x.version;
	v->seen_keywords = v->x.keywords_version;
	if (!v->read_only)
		maildir_clean(&v->dir, now_real().tv_sec);
	if ((v->quick = v->x.unchecked)) {
		v->n = v->x.live;
		v->recent = v->x.new + v->x.nobodys;
		return 0;
	}
	return view_show_new(v) == -1 ? diag_errno(why, "open the folder") : 0;
}

static int
open_folder(struct view **out, struct store *s, const char *folder,
    bool read_only, bool quick, struct diag *why)
{
	struct view	*v;

	*out = NULL;
	if ((v = make(s, folder, read_only)) == NULL)
		return diag_errno(why, "open the folder");
	if (begin(v, quick, why) == -1) {
		view_close(&v);
		return -1;
	}
	*out = v;
	return 0;
}

int
view_open(struct view **out, struct store *s, const char *folder,
    bool read_only, struct diag *why)
{
	return open_folder(out, s, folder, read_only, false, why);
}

int
view_open_quick(struct view **out, struct store *s, const char *folder,
    bool read_only, struct diag *why)
{
	return open_folder(out, s, folder, read_only, true, why);
}

/* The header was in order, the rows are not: if they are as many as was said they can be made anew. */
static int
repair(struct view *v)
{
	unsigned	how = v->read_only ? INDEX_KEEP_NEW : 0;

	if (index_sync(&v->x, how | INDEX_ALL) == -1)
		return -1;
	v->seen_version = v->x.version;
	v->seen_keywords = v->x.keywords_version;
	v->highest = v->x.head.highest;
	if (v->x.head.validity == v->validity && v->x.head.next == v->next)
		return 0;
	errno = ESTALE;
	return -1;
}

int
view_complete(struct view *v)
{
	size_t	said = v->n;

	if (!v->quick)
		return 0;
	if (!index_check_rows(&v->x) && repair(v) == -1)
		return -1;
	v->n = v->recent = 0;
	if (view_show_new(v) == -1) {
		v->n = said;
		return -1;
	}
	v->quick = false;
	if (v->n == said)
		return 0;
	errno = ESTALE;
	return -1;
}

void
view_close(struct view **view)
{
	struct view	*v = *view;
	int		 saved = errno;

	if (v == NULL)
		return;
	view_flush(v);
	if (!v->quick)
		index_tidy(&v->x);
	view_parsed_close(v);
	if (v->wait >= 0)
		fdio_close(&v->wait);
	index_free(&v->x);
	maildir_close(&v->dir);
	free(v->shown);
	free(v->vanished);
	free(v);
	*view = NULL;
	errno = saved;
}

size_t
view_count(const struct view *v)
{
	return v->n;
}

const struct view_message *
view_message(const struct view *v, size_t i)
{
	return view_at(v, i);
}

size_t
view_find(const struct view *v, uint32_t uid)
{
	size_t	low = 0, high = v->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (view_at(v, middle)->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
view_row(struct view *v, size_t i, size_t *row)
{
	uint32_t	uid = view_at(v, i)->uid;

	/* its UID may be another one's by now */
	if (v->x.head.validity != v->validity) {
		errno = ENOENT;
		return -1;
	}
	*row = index_find(&v->x, uid, v->guess);
	v->guess = *row + 1;
	if (*row < index_count(&v->x) &&
	    index_row(&v->x, *row)->uid == uid &&
	    index_is_live(index_row(&v->x, *row)))
		return 0;
	errno = ENOENT;
	return -1;
}

uint32_t
view_uidvalidity(const struct view *v)
{
	return v->validity;
}

uint32_t
view_uidnext(const struct view *v)
{
	return v->next;
}

uint64_t
view_highest_modseq(const struct view *v)
{
	return v->highest;
}

uint64_t
view_modseq_told(const struct view *v, uint64_t modseq)
{
	return modseq < v->x.written ? modseq : v->x.written;
}

uint64_t
view_highest_told(const struct view *v)
{
	return view_modseq_told(v, v->highest);
}

size_t
view_recent(const struct view *v)
{
	return v->recent;
}

size_t
view_first_unseen(struct view *v)
{
	size_t	i;

	if (v->quick) {
		i = index_first_unseen(&v->x);
		return i < v->n ? i : v->n;
	}
	for (i = 0; i < v->n; i++)
		if ((view_at(v, i)->flags & VIEW_SEEN) == 0)
			break;
	return i;
}

bool
view_read_only(const struct view *v)
{
	return v->read_only;
}

const char *
view_folder(const struct view *v)
{
	return v->folder;
}

struct store *
view_store_of(const struct view *v)
{
	return v->store;
}

bool
view_is_of(const struct view *v, const struct store *s, const char *folder)
{
	return v != NULL && v->store == s && strcmp(v->folder, folder) == 0;
}

const char *
view_mailbox_id(struct view *v)
{
	index_mailbox_id(&v->x);
	return v->x.head.mailbox_id;
}

const char *
view_keyword(const struct view *v, unsigned i)
{
	return i < VIEW_KEYWORDS && v->x.keyword[i][0] != '\0' ?
	    v->x.keyword[i] : NULL;
}

uint64_t
view_keyword_bit(struct view *v, struct str name, bool make_it)
{
	int	number = keywords_find(v->x.keyword, name);

	errno = EROFS;
	if (number == -1 && make_it && !v->read_only)
		number = index_make_keyword(&v->x, name);
	return number == -1 ? 0 : UINT64_C(1) << number;
}

bool
view_keywords_new(struct view *v)
{
	bool	new = v->seen_keywords != v->x.keywords_version;

	v->seen_keywords = v->x.keywords_version;
	return new;
}

bool
view_keywords_left(const struct view *v)
{
	unsigned	i;

	for (i = 0; i < VIEW_KEYWORDS; i++)
		if (v->x.keyword[i][0] == '\0')
			return !v->read_only;
	return false;
}

/*
 * tests/unit/save_fake.h - what save.c stands upon, made of nothing: a folder's letters and UIDs, a view of a directory that has a few
 * files, and a cache that remembers one message.
 */
#include "common/base/fdio.h"
#include "common/store/arrivals.h"
#include "common/store/cache.h"
#include "common/store/view.h"

struct arrivals { struct maildir dir; };
struct view {
	struct store	*store;
	int		 dir;			/* cur/ of its folder */
	const char	*file[8];
	struct view_message m[8];
	unsigned	 looks;			/* view_file with again */
	const char	*now[8];		/* where a second look finds them */
};
struct cache { bool to; };

static struct {
	const char	*keywords[26];
	int		 fail;			/* errno of arrivals_number */
	bool		 gone, held;		/* the folder */
	int		 die;			/* at the n-th step from now; 0: never */
	uint32_t	 next, put_uid, put_as;
	struct arrival	 seen[80];
	char		 file[80][MAILDIR_NAME_MAX + 1], guid[80][256];
	size_t		 nseen;
} fake;

static void
step(void)
{
	if (fake.die > 0 && --fake.die == 0)
		raise(SIGKILL);
}

int
arrivals_open(struct arrivals **a, struct store *s, const char *folder,
    struct diag *why)
{
	if ((*a = calloc(1, sizeof(**a))) == NULL)
		return -1;
	if (maildir_open_to_read(&(*a)->dir, store_root(s), ".", folder,
	    false, why) == 0)
		return 0;
	free(*a);
	*a = NULL;
	return -1;
}

void
arrivals_close(struct arrivals **a)
{
	maildir_close(&(*a)->dir);
	free(*a);
	*a = NULL;
}

const struct maildir *
arrivals_maildir(const struct arrivals *a)
{
	return &a->dir;
}

bool
arrivals_is_there(const struct arrivals *a)
{
	(void)a;
	return !fake.gone;
}

int
arrivals_hold(struct arrivals *a)
{
	if (fake.held)
		abort();
	errno = ESTALE;
	fake.held = arrivals_is_there(a);
	return fake.held ? 0 : -1;
}

void
arrivals_let_go(struct arrivals *a)
{
	(void)a;
	fake.held = false;
}

int
arrivals_keyword(struct arrivals *a, struct str name, char *letter)
{
	size_t	i;

	(void)a;
	*letter = '\0';
	for (i = 0; i < 26; i++)
		if (fake.keywords[i] != NULL &&
		    str_eq(name, str_from(fake.keywords[i])))
			*letter = (char)('a' + (int)i);
	return 0;
}

int
arrivals_number(struct arrivals *a, struct arrival *list, size_t n,
    uint32_t *validity)
{
	size_t	i;

	step();
	for (i = 0; i < n; i++) {
		if (faccessat(a->dir.cur, list[i].file, F_OK, 0) == -1)
			abort();
		list[i].uid = fake.next++;
		if (i < nitems(fake.seen)) {
			fake.seen[i] = list[i];
			strlcpy(fake.file[i], list[i].file, sizeof(fake.file[i]));
			snprintf(fake.guid[i], sizeof(fake.guid[i]), "%.*s",
			    STR_ARG(list[i].guid));
		}
	}
	fake.nseen = n;
	*validity = 77;
	if (fake.fail == 0)
		return 0;
	errno = fake.fail;
	return -1;
}

const struct view_message *
view_message(const struct view *v, size_t at)
{
	return &v->m[at];
}

const char *
view_keyword(const struct view *v, unsigned i)
{
	(void)v;
	return i == 0 ? "Zero" : i == 1 ? "One" : NULL;
}

struct store *
view_store_of(const struct view *v)
{
	return v->store;
}

const char *
view_folder(const struct view *v)
{
	(void)v;
	return "src";
}

uint32_t
view_uidvalidity(const struct view *v)
{
	(void)v;
	return 5;
}

int
view_file(struct view *v, size_t at, bool again, int *dir, const char **name)
{
	step();
	v->looks += again;
	if (again)
		v->file[at] = v->now[at];
	if (v->file[at] == NULL) {
		errno = ENOENT;
		return -1;
	}
	*dir = v->dir;
	*name = v->file[at];
	return 0;
}

int
view_open_message(struct view *v, size_t at)
{
	return openat(v->dir, v->file[at], O_RDONLY | O_CLOEXEC);
}

int
view_info(struct view *v, size_t at, struct view_info *info)
{
	*info = (struct view_info){ .wire = 7, .size = 6,
	    .guid = STR("the-guid") };
	if (v->file[at] == NULL) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

struct cache *
cache_open(int dir, uint32_t validity, bool read_only)
{
	struct cache	*c = calloc(1, sizeof(*c));

	ck_assert_uint_eq(validity, read_only ? 5 : 77);
	ck_assert_int_ne(dir, -1);
	c->to = !read_only;
	return c;
}

void
cache_close(struct cache **c)
{
	free(*c);
	*c = NULL;
}

bool
cache_head(struct cache *c, uint32_t uid, struct cache_head *h)
{
	*h = (struct cache_head){ .sent = uid };
	return !c->to && uid == 11;
}

bool
cache_body(struct cache *c, uint32_t uid, struct cache_body *b)
{
	(void)c, (void)uid, (void)b;
	return false;
}

int
cache_put_head(struct cache *c, uint32_t uid, const struct cache_head *h)
{
	ck_assert(c->to);
	fake.put_uid = (uint32_t)h->sent;
	fake.put_as = uid;
	return 0;
}

int
cache_put_body(struct cache *c, uint32_t uid, const struct cache_body *b)
{
	(void)c, (void)uid, (void)b;
	return -1;
}

int
cache_flush(struct cache *c)
{
	(void)c;
	return 0;
}

/*
 * route/source_alias.c - alias, virtual and sender files to entries in memory. Run by
 * root through `route -c`. The files are the administrator's; a file that
 * they :include: may be anybody's: it is read with care, and names addresses
 * only unless it is root's.
 */
#include "route/source.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/fmt/aliases.h"
#include "common/fmt/cur.h"
#include "common/fmt/path.h"
#include "common/fmt/record.h"
#include "route/source_key.h"
#include "route/value.h"

#define SOURCE_MAX	(256u << 20)
#define VALUE_MAX	(16u << 20)
#define INCLUDE_DEPTH	8

struct reader {
	struct sources	*src;
	const struct reader *parent;	/* that includes this one */
	const char	*file;		/* that is being read */
	dev_t		 dev;		/* of an included one */
	ino_t		 ino;
	struct str	 text;		/* of it */
	struct buf	 scratch;	/* of one target */
	struct buf	*value;		/* of the entry */
	unsigned	 depth;		/* includes in includes */
	unsigned	 line;		/* the place written last */
	enum table_kind	 kind;
	bool		 trusted;	/* may name commands and files */
	size_t		 targets;
};

/* The line of a place in the text, from that of an earlier one. */
static unsigned
line_of(const char *from, unsigned line, const char *at)
{
	for (; from < at; from++)
		line += *from == '\n';
	return line;
}

/* Of a mistake only: a line may be long, and have many targets. */
static unsigned
column_of(const struct reader *r, const char *at)
{
	const char	*bol = at;

	while (bol > r->text.p && bol[-1] != '\n')
		bol--;
	return (unsigned)(at - bol) + 1;
}

static bool
has_comment(struct str text)
{
	size_t	i;

	for (i = 1; i < text.n; i++)
		if (text.p[i] == '#' && is_wsp((unsigned char)text.p[i - 1]))
			return true;
	return false;
}

/* Who may send: a user's name, which may be an address, or all of them. */
static const char *
add_sender(struct reader *r, struct str text)
{
	struct cur	c = cur_from(text);
	struct path	p;

	if (!str_eq(text, STR("*")) &&
	    (!path_mailbox(&c, PATH_UTF8, true, &p) || !cur_done(&c)))
		return "expected a user's name, or * for each of them";
	record_put(r->value, VALUE_USER, text);
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
add_address(struct reader *r, struct str text)
{
	struct cur	c = cur_from(text);
	struct path	p;
	struct str	domain;
	struct buf	b;
	const char	*what = NULL;

	if (text.n > 1 && text.p[0] == '\\') {
		text.p++;
		text.n--;
		c = cur_from(text);
		if (!path_mailbox(&c, PATH_UTF8, true, &p) || !cur_done(&c) ||
		    p.domain.n > 0)
			return "expected a user's name after the backslash";
		record_put(r->value, VALUE_USER, text);
		return NULL;
	}
	if (r->kind == TABLE_VIRTUAL && cur_byte(&c, '@')) {
		if (!path_domain(&c, PATH_UTF8, &domain) || !cur_done(&c))
			return "expected a domain after the @";
		record_put(r->value, VALUE_ADDRESS, text);
		return NULL;
	}
	if (!path_mailbox(&c, PATH_UTF8, true, &p) || !cur_done(&c))
		return has_comment(text) ? "text after an address, expected a "
		    "comma or the end of the line (a comment has a line of "
		    "its own)" : "this is no address, expected name or "
		    "name@domain";
	buf_init(&b, 2 * ADDR_MAX);
	if (path_format(&p, &b) == -1)
		what = "this address is too long";
	else
		record_put(r->value, VALUE_ADDRESS, buf_view(&b));
	buf_free(&b);
	return what;
}

/*
 * Root opens it, but must not be led by a user's symbolic link to what only
 * root can read.
 */
static int
open_include(const char *path, struct stat *st)
{
	struct open_how	how = { .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK, .resolve = RESOLVE_NO_SYMLINKS };
	int		fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode)) {
		if (geteuid() != 0 || (st->st_mode & S_IROTH))
			return fd;
		fdio_close(&fd);
		fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how,
		    sizeof(how));
		if (fd != -1 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
			return fd;
	} else
		errno = EINVAL;
	fdio_close(&fd);
	return -1;
}

static void	read_targets(struct reader *, struct str, unsigned line);

static bool
is_inside(const struct reader *r, const struct stat *st)
{
	for (; r != NULL; r = r->parent)
		if (r->depth > 0 && r->dev == st->st_dev &&
		    r->ino == st->st_ino)
			return true;
	return false;
}

static const char *
read_include(struct reader *r, struct str name)
{
	struct reader	in = *r;
	struct stat	st;
	struct buf	text;
	char		path[1024];
	int		fd;

	if (r->depth == INCLUDE_DEPTH)
		return "too many files that include one another";
	if (str_copy(path, sizeof(path), name) == -1)
		return "the name of the file is too long";
	if ((fd = open_include(path, &st)) == -1)
		return strerror(errno);
	if (is_inside(r, &st)) {
		fdio_close(&fd);
		return "this file includes itself";
	}
	buf_init(&text, SOURCE_MAX);
	if (fdio_slurp(fd, &text) == -1) {
		fdio_close(&fd);
		buf_free(&text);
		return strerror(errno);
	}
	fdio_close(&fd);
	r->src->hidden[r->kind] |= (st.st_mode & S_IROTH) == 0;
	in.parent = r;
	in.dev = st.st_dev;
	in.ino = st.st_ino;
	in.file = path;
	in.text = buf_view(&text);
	in.trusted = r->trusted && (st.st_uid == 0 || st.st_uid == geteuid());
	in.depth++;
	in.line = 0;
	buf_init(&in.scratch, SOURCE_MAX);
	read_targets(&in, in.text, 1);
	buf_free(&in.scratch);
	buf_free(&text);
	r->targets = in.targets;
	r->line = 0;
	return NULL;
}

static const char *
add_target(struct reader *r, const struct alias_target *t)
{
	switch (t->kind) {
	case ALIAS_ADDRESS:
		return r->kind == TABLE_SENDERS ? add_sender(r, t->text) :
		    add_address(r, t->text);
	case ALIAS_PIPE:
	case ALIAS_FILE:
		if (r->kind == TABLE_SENDERS)
			return "expected a user's name";
		if (!r->trusted)
			return "commands and files may stand in files of root "
			    "only, expected an address";
		record_put(r->value, t->kind == ALIAS_PIPE ? VALUE_PIPE :
		    VALUE_FILE, t->text);
		return NULL;
	case ALIAS_INCLUDE:
		return read_include(r, t->text);
	case ALIAS_ERROR:
		break;
	}
	return "malformed target, expected an address, |command, /file or "
	    ":include:/file";
}

/* Where the next target begins: past blanks, commas and comments, as alias_target_next goes. */
static const char *
next_target(const struct cur *c)
{
	const char	*p = c->p;

	while (p < c->end) {
		if (*p == '#' && (p == c->p || p[-1] == '\n' ||
		    is_wsp((unsigned char)p[-1])))
			while (p < c->end && *p != '\n')
				p++;
		else if (*p != '\0' && strchr(" \t\r\n,", *p) != NULL)
			p++;
		else
			break;
	}
	return p;
}

static void
read_targets(struct reader *r, struct str targets, unsigned line)
{
	struct cur		 c = cur_from(targets);
	struct alias_target	 t;
	const char		*from = c.p, *at, *what;
	unsigned		 at_line = line;

	for (;;) {
		at = next_target(&c);
		buf_reset(&r->scratch);
		if (!alias_target_next(&c, &r->scratch, &t))
			return;
		at_line = line_of(from, at_line, at);
		from = at;
		if (t.kind != ALIAS_INCLUDE && at_line != r->line) {
			record_putf(r->value, VALUE_PLACE, "%s:%u", r->file,
			    at_line);
			r->line = at_line;
		}
		r->targets++;
		if ((what = add_target(r, &t)) == NULL)
			continue;
		if (t.kind == ALIAS_INCLUDE)
			sources_mistake(r->src, r->file, at_line,
			    column_of(r, at), ":include:%.*s: %s",
			    STR_ARG(t.text), what);
		else
			sources_mistake(r->src, r->file, at_line,
			    column_of(r, at), "%s", what);
	}
}

static void
read_entry(struct reader *r, const struct alias_entry *e)
{
	struct buf	 key;
	const char	*what;

	buf_init(&key, 2 * ADDR_MAX);
	buf_reset(r->value);
	what = source_key(r->src->site, r->kind, e->name, &key);
	r->targets = 0;
	r->line = 0;
	if (what == NULL) {
		record_putf(r->value, VALUE_PLACE, "%s:%u", r->file, e->line);
		r->line = e->line;
		read_targets(r, e->targets, e->line);
		if (r->targets == 0)
			what = r->kind == TABLE_SENDERS ? "expected a user's "
			    "name" : "no target, expected an address, "
			    "|command, /file or :include:/file";
		else if (!buf_ok(r->value) || !buf_ok(&key))
			what = "this entry is too large";
		else if (memory_add(&r->src->tables[r->kind], buf_view(&key),
		    buf_view(r->value), r->file, e->line) == -1)
			what = strerror(errno);
	}
	if (what != NULL)
		sources_mistake(r->src, r->file, e->line, 1, "%s", what);
	buf_free(&key);
}

static void
read_entries(struct reader *r)
{
	struct cur		 c = cur_from(r->text);
	struct alias_entry	 e;
	struct buf		 names;
	const char		*what = NULL;
	unsigned		 line = 1, col = 1;
	enum alias_result	 result;

	buf_init(&names, SOURCE_MAX);
	for (;;) {
		buf_reset(&names);
		result = alias_next(&c, &line, &e, &names, &what, &col);
		if (result == ALIAS_END)
			break;
		if (result == ALIAS_BAD)
			sources_mistake(r->src, r->file, e.line, col, "%s",
			    what);
		else
			read_entry(r, &e);
	}
	buf_free(&names);
}

void
sources_text(struct sources *src, const char *file, struct str text,
    enum table_kind kind)
{
	struct reader	r = { .src = src, .file = file, .text = text,
	    .trusted = true, .kind = kind };
	struct buf	value;

	buf_init(&value, VALUE_MAX);
	buf_init(&r.scratch, SOURCE_MAX);
	r.value = &value;
	read_entries(&r);
	buf_free(&r.scratch);
	buf_free(&value);
}

void
sources_file(struct sources *src, const struct setting_item *it,
    enum table_kind kind)
{
	static const char *const keys[TABLE_KINDS] = {
		"aliases", "virtual", "senders"
	};
	struct buf	text;
	struct stat	st;
	int		fd;

	buf_init(&text, SOURCE_MAX);
	fd = open(it->text, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1 || fdio_slurp(fd, &text) == -1)
		sources_mistake(src, it->file, it->line, 1, "%s %s: %s",
		    keys[kind], it->text, strerror(errno));
	else {
		src->hidden[kind] |= (st.st_mode & S_IROTH) == 0;
		sources_text(src, it->text, buf_view(&text), kind);
	}
	fdio_close(&fd);
	buf_free(&text);
}

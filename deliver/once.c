/*
 * deliver/once.c - the delivery of deliver(1), by the same code as the agent's.
 * Runs as the mailbox's user; distrusts the message, and for root's sake
 * everything that the user can change.
 */
#include "deliver/once.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/proc/sandbox.h"
#include "deliver/command.h"
#include "deliver/input.h"
#include "deliver/owner.h"
#include "deliver/place.h"
#include "deliver/trace.h"

#define ADDR_TEXT_MAX	2048u

struct once {
	const struct opts	*opts;
	const struct target	*target;
	struct input		 in;
	struct buf		 sender, addr, orig;	/* what the mail's views look into */
	struct mail		 mail;
};

/* A name without a domain gets ours. */
static void
complete(struct buf *b, struct str name, const char *domain)
{
	buf_addstr(b, name);
	if (name.n > 0 && memchr(name.p, '@', name.n) == NULL)
		buf_addf(b, "@%s", domain);
}

/* "<ann@example.org>" or "ann@example.org" */
static struct str
without_brackets(struct str s)
{
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct str){ s.p + 1, s.n - 2 };
	return s;
}

static void
name_sender(struct once *x, bool by_root)
{
	const struct opts	*o = x->opts;
	const char		*domain = owner_domain(x->target->set);

	if (o->sender != NULL)
		complete(&x->sender, without_brackets(str_from(o->sender)),
		    domain);
	else if (x->in.has_sender)
		complete(&x->sender, x->in.sender, domain);
	else
		complete(&x->sender, str_from(by_root ? "root" :
		    x->target->user.name), domain);
}

static void
name_recipient(struct once *x)
{
	const struct opts	*o = x->opts;
	const struct settings	*s = x->target->set;
	struct str		 name = str_from(x->target->user.name);

	if (o->rcpt != NULL && (o->user != NULL ||
	    strchr(o->rcpt, '@') != NULL))
		complete(&x->addr, str_from(o->rcpt), owner_domain(s));
	else if (x->target->ext.n == 0 || *s->separator == '\0' ||
	    memchr(name.p, '@', name.n) != NULL)
		complete(&x->addr, name, owner_domain(s));
	else
		buf_addf(&x->addr, "%.*s%s%.*s@%s", STR_ARG(name),
		    s->separator, STR_ARG(x->target->ext), owner_domain(s));
	if (o->ext != NULL && strchr(o->ext, '@') != NULL)
		buf_adds(&x->orig, o->ext);
	else
		buf_addstr(&x->orig, buf_view(&x->addr));
}

/* -o: "maildir:PATH", "mbox:PATH", or a path as in an alias file. */
static int
where(const struct opts *o, const struct user *u, char *dst, size_t size)
{
	const char	*path = o->where, *kind = NULL;
	char		 cwd[PLACE_PATH_MAX] = "";
	struct stat	 st;
	int		 n;

	if (strncmp(path, "maildir:", 8) == 0 || strncmp(path, "mbox:", 5) == 0) {
		kind = path[1] == 'a' ? "maildir" : "mbox";
		path = strchr(path, ':') + 1;
	}
	if (path[0] == '~' && path[1] == '/')
		n = snprintf(dst, size, "%s%s", u->home, path + 1);
	else {
		if (*path != '/' && getcwd(cwd, sizeof(cwd) - 1) == NULL)
			return -1;
		n = snprintf(dst, size, "%s%s%s", cwd, *cwd != '\0' ? "/" : "",
		    path);
	}
	if ((size_t)n >= size || (size_t)n + 9 > size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (kind == NULL)
		kind = dst[n - 1] == '/' || (stat(dst, &st) == 0 &&
		    S_ISDIR(st.st_mode)) ? "maildir" : "mbox";
	memmove(dst + strlen(kind) + 1, dst, (size_t)n + 1);
	memcpy(dst, kind, strlen(kind));
	dst[strlen(kind)] = ':';
	return 0;
}

static int
confine(const struct place *p, struct diag *why)
{
	char			dir[PLACE_PATH_MAX];
	struct sandbox_path	path = { dir, SANDBOX_READ | SANDBOX_WRITE };

	place_dir(p, dir, sizeof(dir));
	return sandbox_enter_files(&path, 1, why);
}

/* False: the mail has its result. */
static bool
find_place(struct once *x, char *location, size_t size)
{
	const struct settings	*s = x->target->set;
	const struct user	*u = &x->target->user;

	if (x->opts->where != NULL) {
		if (where(x->opts, u, location, size) == 0)
			return true;
		mail_errno(&x->mail, x->opts->where);
		return false;
	}
	if (owner_mailbox(s, u, location, size) == 0)
		return true;
	mail_result(&x->mail, "5.3.5", "user %s has no place by the setting "
	    "local.mailbox", u->name);
	return false;
}

static bool
open_place(struct once *x, struct place *p)
{
	const struct settings	*s = x->target->set;
	char			 location[PLACE_PATH_MAX + 8];
	struct diag		 why = { "" };

	*p = (struct place){ .lock_timeout = s->local.lock_timeout };
	p->strict = strcmp(s->durability, "strict") == 0;
	strlcpy(p->host, s->hostname, sizeof(p->host));
	if ((p->limited = x->opts->where == NULL))
		p->quota = owner_quota(s, &x->target->user);
	if (!find_place(x, location, sizeof(location)))
		return false;
	if (place_open(p, location, x->opts->folder != NULL ?
	    x->opts->folder : "", &why) == -1) {
		mail_diag(&x->mail, &why);
		return false;
	}
	if (confine(p, &why) == 0)
		return true;
	mail_result(&x->mail, "4.3.0", "%s", why.text);
	place_close(p);
	return false;
}

/* A lock is not held while somebody thinks about what to write: all of it first. */
static int
gather(struct content *c)
{
	off_t	wire, len;
	int	fd;

	if ((fd = memfd_create("message", MFD_CLOEXEC)) == -1)
		return -1;
	if (content_copy(c, STR(""), fd, &wire) == -1 ||
	    (len = lseek(fd, 0, SEEK_CUR)) == -1) {
		fdio_close(&fd);
		return -1;
	}
	c->fd = fd;
	c->at = 0;
	c->len = len;
	return 0;
}

/* A signal that ends us between lock and unlock would keep others out for minutes. */
static void
hold_signals(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
store(struct once *x)
{
	struct place	p;
	struct mail	*m = &x->mail;
	struct diag	 why;
	int		 fd = -1;

	if (!open_place(x, &p))
		return;
	if (p.kind == PLACE_MBOX) {
		if (gather(&m->content) == -1) {
			mail_errno(m, "read the message");
			goto done;
		}
		fd = m->content.fd;
		hold_signals();
	}
	if (place_begin(&p, m, (size_t)x->target->set->local.hops))
		place_end(&p, &m, 1);
	if (p.kind == PLACE_MAILDIR && m->exit != EX_OK) {
		diag_set(&why, "%s: %s", p.path, m->text);
		strlcpy(m->text, why.text, sizeof(m->text));
	}
done:
	place_close(&p);
	fdio_close(&fd);
}

static void
run(struct once *x)
{
	const struct target	*t = x->target;
	struct command		 c = {
		.line = str_from(x->opts->command), .ext = t->ext,
		.id = STR(""), .user = t->user.name, .home = t->user.home,
		.timeout = t->set->local.pipe_timeout
	};

	if (mail_check(&x->mail, (size_t)t->set->local.hops))
		command_run(&c, &x->mail);
}

static void
tell(const struct once *x)
{
	char	user[LOG_SAFE_MAX], from[LOG_SAFE_MAX], to[LOG_SAFE_MAX];
	char	why[LOG_SAFE_MAX];

	trace("%s user=%s from=%s to=%s status=%s why=%s",
	    x->mail.exit == EX_OK ? "stored" : "not-stored",
	    log_safe(user, sizeof(user), str_from(x->target->user.name)),
	    log_safe(from, sizeof(from), x->mail.sender),
	    log_safe(to, sizeof(to), x->mail.addr), x->mail.status,
	    log_safe(why, sizeof(why), str_from(x->mail.text)));
}

static void
deliver(struct once *x, bool by_root)
{
	struct mail	*m = &x->mail;

	name_sender(x, by_root);
	name_recipient(x);
	m->sender = buf_view(&x->sender);
	m->addr = buf_view(&x->addr);
	m->rcpt = buf_view(&x->orig);
	m->content = x->in.content;
	m->handed_ok = true;
	if (!buf_ok(&x->sender) || !buf_ok(&x->addr) || !buf_ok(&x->orig)) {
		errno = ENAMETOOLONG;
		mail_errno(m, "addresses");
	} else if (x->opts->command != NULL)
		run(x);
	else
		store(x);
}

int
once_deliver(const struct opts *o, const struct target *t, bool by_root,
    struct diag *why)
{
	struct once	x = { .opts = o, .target = t };
	long long	max = o->size >= 0 ? o->size : t->set->smtp.message_size;

	if (input_begin(&x.in, STDIN_FILENO,
	    max == 0 ? INT64_MAX : (off_t)max) == -1) {
		diag_errno(why, "standard input");
		return EX_TEMPFAIL;
	}
	buf_init(&x.sender, ADDR_TEXT_MAX);
	buf_init(&x.addr, ADDR_TEXT_MAX);
	buf_init(&x.orig, ADDR_TEXT_MAX);
	deliver(&x, by_root);
	tell(&x);
	diag_set(why, x.mail.exit == EX_OK ? "%s" : "%s (%s)", x.mail.text,
	    x.mail.status);
	buf_free(&x.sender);
	buf_free(&x.addr);
	buf_free(&x.orig);
	input_free(&x.in);
	return x.mail.exit;
}

/* deliver/place.c - stores mail; runs as the mailbox's user and distrusts the message. */
#include "deliver/place.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fault.h"
#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/store/mbox.h"
#include "common/store/quota.h"

#define HEAD_MAX	CONTENT_HEAD_MAX
#define COUNT_AGAIN_MS	30000	/* what the user deletes makes room */
#define COUNT_TIGHT_MS	1000	/* if there is little of that */

void
mail_result(struct mail *m, const char *status, const char *fmt, ...)
{
	va_list	ap;

	strlcpy(m->status, status, sizeof(m->status));
	m->exit = status_exit(status);
	va_start(ap, fmt);
	vsnprintf(m->text, sizeof(m->text), fmt, ap);
	va_end(ap);
}

void
mail_errno(struct mail *m, const char *what)
{
	struct diag	why;

	diag_errno(&why, "%s", what);
	mail_diag(m, &why);
}

void
mail_diag(struct mail *m, const struct diag *why)
{
	int	saved = errno;

	mail_result(m, errno_status(saved), "%s", why->text);
	m->exit = errno_sysexit(saved);
}

/* Which of all the directories called tmp? */
static int
say_where(const struct place *p, struct diag *why)
{
	struct diag	what = *why;

	if (strstr(what.text, p->path) == NULL)
		diag_set(why, "%s: %s", p->path, what.text);
	return -1;
}

static int
open_maildir(struct place *p, const char *folder, struct diag *why)
{
	/* The quota is that of the whole. */
	if (*folder != '\0' && maildir_open(&p->whole, AT_FDCWD, p->path, "",
	    true, why) == -1)
		return say_where(p, why);
	if (maildir_open(&p->maildir, AT_FDCWD, p->path, folder, true,
	    why) == -1) {
		maildir_close(&p->whole);
		return say_where(p, why);
	}
	if (*folder != '\0')
		snprintf(p->below, sizeof(p->below), "/.%s", folder);
	if (p->strict)
		p->maildir.how = DURABLE_STRICT;
	return 0;
}

static const struct maildir *
whole(const struct place *p)
{
	return p->whole.root == -1 ? &p->maildir : &p->whole;
}

/* The file may be missing, its directory must be there: a sandbox is made for it. */
static int
open_mbox(struct place *p, struct diag *why)
{
	struct stat	st;
	char		dir[PLACE_PATH_MAX];

	place_dir(p, dir, sizeof(dir));
	if (stat(dir, &st) == -1)
		return diag_errno(why, "%s", dir);
	p->dir_dev = st.st_dev;
	p->dir_ino = st.st_ino;
	return 0;
}

int
place_open(struct place *p, const char *location, const char *folder,
    struct diag *why)
{
	const char	*path = strchr(location, ':');

	p->maildir = (struct maildir){ .root = -1, .tmp = -1, .new = -1,
	    .cur = -1, .how = DURABLE_STRICT };
	p->whole = p->maildir;
	p->below[0] = '\0';
	p->counted = 0;
	p->begun = p->begun_count = 0;
	p->quota_is_bad = false;
	if (path == NULL || path[1] != '/' ||
	    strlcpy(p->path, path + 1, sizeof(p->path)) >= sizeof(p->path)) {
		errno = EINVAL;
		return diag_set(why, "%s: expected maildir:/path or "
		    "mbox:/path", location);
	}
	if (strncmp(location, "maildir:", 8) == 0) {
		p->kind = PLACE_MAILDIR;
		return open_maildir(p, folder, why);
	}
	p->kind = PLACE_MBOX;
	if (strncmp(location, "mbox:", 5) != 0) {
		errno = EINVAL;
		return diag_set(why, "%s: expected maildir:/path or "
		    "mbox:/path", location);
	}
	if (*folder == '\0')
		return open_mbox(p, why);
	errno = EINVAL;
	return diag_set(why, "an mbox file has no folders");
}

bool
place_is_there(const struct place *p)
{
	struct stat	here, there;
	char		path[PLACE_PATH_MAX + sizeof(p->below) + 8];

	if (p->kind == PLACE_MBOX) {
		place_dir(p, path, sizeof(path));
		return stat(path, &there) == 0 && there.st_dev == p->dir_dev &&
		    there.st_ino == p->dir_ino;
	}
	snprintf(path, sizeof(path), "%s%s/new", p->path, p->below);
	return fstat(p->maildir.new, &here) == 0 &&
	    stat(path, &there) == 0 && here.st_ino == there.st_ino &&
	    here.st_dev == there.st_dev;
}

void
place_dir(const struct place *p, char *dst, size_t size)
{
	char	*slash;

	strlcpy(dst, p->path, size);
	/* the lock lies beside an mbox */
	if (p->kind == PLACE_MBOX && (slash = strrchr(dst, '/')) != NULL)
		slash[slash == dst] = '\0';
}

/* As they are now: an administrator may have set others. */
static bool
limits(struct place *p, struct quota *q)
{
	bool	limited;

	if (!p->limited || p->kind == PLACE_MBOX)
		return false;
	limited = quota_find(whole(p)->root, p->quota, q);
	if (q->is_bad && !p->quota_is_bad)
		log_warn("quota place=%s why=\"posthouse-quota cannot be "
		    "understood\"", p->path);
	p->quota_is_bad = q->is_bad;
	return limited;
}

/* What was counted, if it is good enough for one more. */
static bool
is_known(const struct place *p, const struct quota *q, uint64_t need)
{
	int64_t	age = now_ms() - p->counted;

	return p->counted != 0 && age <= COUNT_AGAIN_MS &&
	    quota_fits(q, need, 1) &&
	    (age <= COUNT_TIGHT_MS || !quota_is_tight(q, need, 1));
}

static int
count(struct place *p)
{
	if (maildir_usage(whole(p), &p->used, &p->used_count) == -1)
		return -1;
	/* not in new yet, but soon */
	p->used += p->begun;
	p->used_count += p->begun_count;
	p->counted = now_ms();
	return 0;
}

static void
say_full(const struct quota *q, struct mail *m, uint64_t need)
{
	if (q->count_max != QUOTA_NONE && q->count >= q->count_max)
		mail_result(m, "5.2.2", "mailbox is full: %llu of %llu "
		    "messages", (unsigned long long)q->count,
		    (unsigned long long)q->count_max);
	else
		mail_result(m, "5.2.2", "mailbox is full: %llu of %llu bytes, "
		    "the message has %llu", (unsigned long long)q->bytes,
		    (unsigned long long)q->bytes_max,
		    (unsigned long long)need);
}

static bool
has_room(struct place *p, struct mail *m, uint64_t need)
{
	struct quota	q;

	if (!limits(p, &q))
		return true;
	q.bytes = p->used;
	q.count = p->used_count;
	if (!is_known(p, &q, need)) {
		if (count(p) == -1) {
			mail_errno(m, "count the mailbox");
			return false;
		}
		q.bytes = p->used;
		q.count = p->used_count;
	}
	if (!quota_fits(&q, need, 1)) {
		say_full(&q, m, need);
		return false;
	}
	p->used += need;
	p->used_count++;
	return true;
}

bool
mail_check(struct mail *m, size_t max_hops)
{
	struct header_facts	facts;

	if (content_facts(&m->content, m->addr, &facts) == -1) {
		mail_errno(m, "read the message");
		return false;
	}
	if (facts.loop && !(facts.handed && m->handed_ok)) {
		mail_result(m, "5.4.6", "mail loop: it was delivered to this "
		    "address before");
		return false;
	}
	if (facts.hops > max_hops) {
		mail_result(m, "5.4.6", "mail loop: %zu hops", facts.hops);
		return false;
	}
	return true;
}

static bool
check(struct place *p, struct mail *m, size_t max_hops)
{
	if (!mail_check(m, max_hops))
		return false;
	/* A stream is counted when it has been written. */
	return m->content.len == CONTENT_STREAM ||
	    has_room(p, m, (uint64_t)m->content.len);
}

int
mail_head(struct buf *out, const struct mail *m)
{
	head_make(out, m->sender, m->rcpt, m->addr);
	if (m->content.bare)
		buf_addc(out, '\n');
	return buf_ok(out) ? 0 : -1;
}

static void
store_mbox(struct place *p, struct mail *m, struct buf *head)
{
	struct diag	why = { "" };
	char		sender[HEAD_MAX];

	if (str_copy(sender, sizeof(sender), m->sender) == -1)
		sender[0] = '\0';
	if (mbox_append(p->path, sender, now_real_ms() / 1000, buf_view(head),
	    m->content.fd, m->content.at, m->content.len, p->lock_timeout,
	    &why) == 0)
		mail_result(m, "2.0.0", "stored in %s", p->path);
	else
		mail_diag(m, &why);
}

static bool
write_draft(struct place *p, struct mail *m, struct buf *head)
{
	off_t	wire;

	if (maildir_begin(&p->maildir, p->host, &m->draft) == -1) {
		mail_errno(m, "make a file in tmp");
		return false;
	}
	if (content_copy(&m->content, buf_view(head), m->draft.fd,
	    &wire) == -1)
		mail_errno(m, "write the message");
	else if (m->content.len != CONTENT_STREAM ||
	    has_room(p, m, (uint64_t)wire)) {
		m->draft.wire = wire + (off_t)(head->n + head_lines(head));
		return true;
	}
	maildir_abort(&p->maildir, &m->draft);
	return false;
}

bool
place_begin(struct place *p, struct mail *m, size_t max_hops)
{
	struct buf	head;
	bool		r = false;

	m->draft.fd = -1;
	if (!check(p, m, max_hops))
		return false;
	buf_init(&head, HEAD_MAX);
	if (mail_head(&head, m) == -1)
		mail_errno(m, "write the header");
	else if (p->kind == PLACE_MBOX)
		store_mbox(p, m, &head);
	else if ((r = write_draft(p, m, &head))) {
		p->begun += (uint64_t)m->content.len;
		p->begun_count++;
	}
	buf_free(&head);
	return r;
}

void
place_end(struct place *p, struct mail **mails, size_t n)
{
	struct maildir_draft	drafts[PLACE_BATCH];
	size_t			i;
	int64_t			bytes = 0;
	int			r;

	if (n == 0)
		return;
	for (i = 0; i < n; i++) {
		drafts[i] = mails[i]->draft;
		p->begun -= (uint64_t)mails[i]->content.len;
	}
	p->begun_count -= n;
	r = maildir_commit(&p->maildir, drafts, n);
	/* who deletes a folder by IMAP does not know of what comes meanwhile */
	if (r == 0 && !place_is_there(p)) {
		maildir_withdraw(&p->maildir, drafts, n);
		errno = ESTALE;
		r = -1;
	}
	for (i = 0; i < n; i++) {
		mails[i]->draft.fd = -1;
		if (r == -1) {
			mail_errno(mails[i], "store the message");
			continue;
		}
		bytes += (int64_t)drafts[i].size;
		mail_result(mails[i], "2.0.0", "stored as %s", drafts[i].name);
	}
	if (r == 0)
		maildir_usage_add(whole(p), bytes, (int64_t)n);
}

void
place_close(struct place *p)
{
	if (p->kind != PLACE_MAILDIR)
		return;
	maildir_close(&p->maildir);
	maildir_close(&p->whole);
}

/*
 * queue/import.c - a message of another system, written into our spool as smtpd
 * would have: safe before anybody hears of it. Runs as ph-queue; distrusts the
 * files, which hold what strangers sent.
 */
#include "queue/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/fdio.h"
#include "common/base/now.h"
#include "common/fmt/esmtp.h"
#include "common/fmt/path.h"

#define FILE_MAX_SIZE	(1u << 30)
#define MEM_MAX		(64u << 20)
#define PIECE		65536u

void
import_init(struct import *im, const struct spool *s, bool dry)
{
	size_t	i;

	*im = (struct import){ .spool = s, .dry = dry };
	for (i = 0; i < nitems(im->files); i++)
		buf_init(&im->files[i], FILE_MAX_SIZE);
	buf_init(&im->content, FILE_MAX_SIZE);
	arena_init(&im->mem, MEM_MAX);
}

void
import_free(struct import *im)
{
	size_t	i;

	for (i = 0; i < nitems(im->files); i++)
		buf_free(&im->files[i]);
	buf_free(&im->content);
	arena_free(&im->mem);
	free(im->env.rcpts);
	im->env.rcpts = NULL;
}

/* In our form, in the arena. */
static bool
address(struct import *im, struct str text, struct str *out)
{
	struct cur	c = cur_from(text);
	struct path	path;
	struct buf	b;
	bool		ok;

	if (!path_mailbox(&c, PATH_UTF8, false, &path) || !cur_done(&c))
		return false;
	if (path.utf8)
		im->env.options |= ENV_SMTPUTF8;
	buf_init(&b, ADDR_MAX);
	ok = path_format(&path, &b) == 0 &&
	    arena_dup(&im->mem, buf_view(&b), out) == 0;
	buf_free(&b);
	return ok;
}

bool
import_sender(struct import *im, struct str addr)
{
	im->env.sender = STR("");
	if (addr.n == 0 || address(im, addr, &im->env.sender))
		return true;
	diag_set(&im->why, "the sender \"%.*s\" makes no sense",
	    addr.n > 200 ? 200 : (int)addr.n, addr.p);
	return false;
}

bool
import_rcpt(struct import *im, struct str addr, struct str orcpt,
    unsigned notify)
{
	struct envelope		*env = &im->env;
	struct envelope_rcpt	 r = { .final = STR(""), .orcpt = STR(""),
				    .state = RCPT_WAITING }, *more;

	if (!address(im, addr, &r.addr)) {
		diag_set(&im->why, "the recipient \"%.*s\" makes no sense",
		    addr.n > 200 ? 200 : (int)addr.n, addr.p);
		return false;
	}
	if (orcpt.n > 0 && esmtp_orcpt_ok(orcpt,
	    (env->options & ENV_SMTPUTF8) != 0))
		r.orcpt = orcpt;
	/* NEVER stands alone */
	if (notify <= 15 && (notify & NOTIFY_NEVER) == 0)
		r.notify = notify;
	else if (notify == NOTIFY_NEVER)
		r.notify = NOTIFY_NEVER;
	if (env->nrcpts == im->cap) {
		im->cap = im->cap * 2 + 16;
		more = reallocarray(env->rcpts, im->cap, sizeof(*more));
		if (more == NULL) {
			diag_errno(&im->why, "recipients");
			return false;
		}
		env->rcpts = more;
	}
	env->rcpts[env->nrcpts++] = r;
	return true;
}

struct str
import_xtext(struct import *im, struct str s)
{
	struct buf	b;
	struct str	out = STR("");
	size_t		i;

	buf_init(&b, 1024);
	for (i = 0; i < s.n; i++)
		if (s.p[i] > ' ' && s.p[i] < 127 && s.p[i] != '+' &&
		    s.p[i] != '=')
			buf_addc(&b, s.p[i]);
		else
			buf_addf(&b, "+%02X", (unsigned char)s.p[i]);
	if (buf_ok(&b) && arena_dup(&im->mem, buf_view(&b), &out) == -1)
		out = STR("");
	buf_free(&b);
	return out;
}

bool
import_lines(struct import *im, struct str s)
{
	const char	*lf;
	size_t		 n;

	while (s.n > 0) {
		lf = memchr(s.p, '\n', s.n);
		n = lf == NULL ? s.n : (size_t)(lf - s.p);
		buf_add(&im->content, s.p, n);
		if (lf != NULL && n > 0 && lf[-1] == '\r')
			buf_addc(&im->content, '\n');
		else if (lf != NULL)
			buf_adds(&im->content, "\r\n");
		n += lf != NULL;
		s.p += n;
		s.n -= n;
	}
	if (buf_ok(&im->content))
		return true;
	diag_errno(&im->why, "content");
	return false;
}

static bool
read_files(struct import *im, const int *fds, size_t n)
{
	size_t	i;

	for (i = 0; i < n && i < nitems(im->files); i++)
		if (fdio_slurp(fds[i], &im->files[i]) == -1) {
			diag_errno(&im->why, "read");
			return false;
		}
	return true;
}

/* A last line without its end gets one; what is not ASCII is told. */
static bool
finish(struct import *im)
{
	struct buf	*c = &im->content;
	size_t		 i;

	if (c->n > 0 && c->p[c->n - 1] != '\n')
		buf_adds(c, "\r\n");
	for (i = 0; i < c->n; i++)
		if ((unsigned char)c->p[i] > 127) {
			im->env.options |= ENV_8BITMIME;
			break;
		}
	return buf_ok(c);
}

static int
write_content(struct draft *d, struct str s)
{
	size_t	n;

	while (s.n > 0) {
		n = s.n < PIECE ? s.n : PIECE;
		if (draft_write(d, s.p, n) == -1)
			return -1;
		s.p += n;
		s.n -= n;
	}
	return 0;
}

static int
write_mail(struct import *im)
{
	const struct spool	*s = im->spool;
	const struct spool_in	 in = { s->tmp, im->held ? s->hold :
				    s->incoming, s->how, false };
	struct timespec		 ts = now_real();
	struct draft		 d;

	id_format(id_make(&ts), im->env.id);
	im->env.origin = STR("import");
	if (draft_begin(&in, &d, &im->env) == -1)
		return -1;
	if (write_content(&d, buf_view(&im->content)) == -1) {
		draft_abort(&in, &d);
		return -1;
	}
	return draft_commit(&in, &d);
}

enum import_end
import_one(struct import *im, enum import_kind kind, const int *fds, size_t n)
{
	if (!read_files(im, fds, n) ||
	    !(kind == IMPORT_POSTFIX ? import_postfix(im) : import_exim(im)))
		return IMPORT_WRONG;
	if (im->env.nrcpts == 0)
		return IMPORT_EMPTY;
	if (!finish(im)) {
		diag_set(&im->why, "it is too large");
		return IMPORT_WRONG;
	}
	if (im->dry || write_mail(im) == 0)
		return IMPORT_DONE;
	diag_errno(&im->why, "it cannot be written");
	return IMPORT_WRONG;
}

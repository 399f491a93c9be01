/*
 * master/certificates.c - the files of certificates and private keys, which
 * only root may be able to read: opened for keys(8) and handed to it by its
 * link. Nothing of them is read here. A host without any gets one of its own.
 */
#include "master/master.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"
#include "common/fmt/record.h"
#include "common/proc/link.h"
#include "common/proc/msg.h"

#define NAME	"self-signed"

/* In the order in which they are handed over; the last need not be there. */
static const char *const	kinds[CERTIFICATE_FILES] = {
	"certificate", "key", "ocsp"
};

size_t
certificates_count(const struct settings *s)
{
	return s->tls.certificates.n == 0 ? 1 : s->tls.certificates.n;
}

int
certificates_path(const struct settings *s, size_t i, size_t kind, char *dst,
    size_t size)
{
	const struct setting_list	*list = &s->tls.certificates;
	const char			*base = kind == 2 ? ".ocsp" : "";
	int				 n;

	if (i < list->n)
		n = snprintf(dst, size, "%s%s", kind == 1 ?
		    list->items[i].more : list->items[i].text, base);
	else
		n = snprintf(dst, size, "%s/%s.%s%s", s->tls.directory, NAME,
		    kind == 1 ? "key" : "crt", base);
	if ((size_t)n < size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* -1 with errno 0: it need not be there and is not. */
static int
open_one(const struct settings *s, size_t i, size_t kind, char *path,
    size_t size)
{
	int	fd;

	if (certificates_path(s, i, kind, path, size) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && kind == 2 && errno == ENOENT)
		errno = 0;
	return fd;
}

static int
send_files(int link, const struct child_fd *files, size_t n)
{
	struct msg_fds	fds = { .n = 0 };
	struct buf	rec;
	size_t		i;
	int		r = -1;

	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, "files");
	for (i = 0; i < n; i++) {
		record_puts(&rec, LINK_NAME, files[i].name);
		fds.fd[fds.n++] = files[i].fd;
	}
	if (buf_ok(&rec))
		r = msg_send(link, &rec, &fds);
	buf_free(&rec);
	return r;
}

/* One pair with what belongs to it, or nothing of it. -1: *why. */
static int
give_one(const struct settings *s, int link, size_t i, struct diag *why)
{
	struct child_fd	files[CERTIFICATE_FILES];
	char		path[PATH_SIZE];
	size_t		kind, n = 0;
	int		r = 0;

	for (kind = 0; r == 0 && kind < CERTIFICATE_FILES; kind++) {
		files[n].fd = open_one(s, i, kind, path, sizeof(path));
		if (files[n].fd == -1 && errno != 0)
			r = diag_errno(why, "%s", path);
		else if (files[n].fd != -1)
			snprintf(files[n++].name, CHILD_NAME_MAX, "%s %zu",
			    kinds[kind], i);
	}
	if (r == 0 && send_files(link, files, n) == -1)
		r = diag_errno(why, "link to keys");
	files_close(files, n);
	return r;
}

size_t
certificates_give(const struct settings *s, int link, struct diag *why)
{
	struct diag	one;
	size_t		i, wrong = 0;

	for (i = 0; i < certificates_count(s); i++)
		if (give_one(s, link, i, &one) == -1) {
			if (wrong++ == 0)
				*why = one;
			log_error("certificate why=\"%s\"", one.text);
		}
	return wrong;
}

/* ---- are they right? */

/* Each can be opened, as far as it has to be there. */
static int
check_open(const struct settings *s, struct diag *why)
{
	char	path[PATH_SIZE];
	size_t	i, kind;
	int	fd;

	for (i = 0; i < s->tls.certificates.n; i++)
		for (kind = 0; kind < CERTIFICATE_FILES; kind++) {
			fd = open_one(s, i, kind, path, sizeof(path));
			if (fd == -1 && errno != 0)
				return diag_errno(why, "tls.certificate %s",
				    path);
			fdio_close(&fd);
		}
	return 0;
}

/* Its own: the one that a program was started with is read to its end. */
static int
send_conf(const struct settings *s, int link)
{
	struct msg_fds	fds = { .n = 1 };
	struct buf	rec;
	int		r = -1;

	if ((fds.fd[0] = settings_export(s, PROGRAM_KEYS)) == -1)
		return -1;
	buf_init(&rec, MSG_MAX);
	record_puts(&rec, LINK_VERB, "reload");
	if (buf_ok(&rec))
		r = msg_send(link, &rec, &fds);
	buf_free(&rec);
	fdio_close(&fds.fd[0]);
	return r;
}

pid_t
certificates_check(const struct settings *s, int log, int err,
    struct diag *why)
{
	char		 path[PATH_SIZE], name[] = "keys", verb[] = "check";
	char		*argv[] = { name, verb, NULL };
	int		 pair[2] = { -1, -1 };
	struct child_plan plan = {
		.path = path, .argv = argv, .log = log, .err = err
	};
	pid_t		 pid = -1;

	if (check_open(s, why) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/keys", s->libexec);
	plan.conf = settings_export(s, PROGRAM_KEYS);
	if (plan.conf != -1 && msg_pair(pair) == 0) {
		plan.link = pair[1];
		pid = child_spawn(&plan);
	}
	/* what one that we could open does not hold, keys says */
	if (pid != -1 && (certificates_give(s, pair[0], why) > 0 ||
	    send_conf(s, pair[0]) == -1))
		log_debug("certificates not handed over");
	if (pid == -1)
		diag_errno(why, "%s", path);
	fdio_close(&pair[0]);
	fdio_close(&pair[1]);
	fdio_close(&plan.conf);
	return pid;
}

int
certificates_prove(const struct settings *s, struct diag *why)
{
	int	status;
	pid_t	pid;

	why->text[0] = '\0';
	if (s->tls.certificates.n == 0)
		return 0;
	if ((pid = certificates_check(s, -1, STDERR_FILENO, why)) == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return diag_errno(why, "wait for keys");
	return status == 0 ? 0 : -1;
}

/* ---- a certificate of our own */

static int
make_file(const char *path, mode_t mode, char *temp, size_t size)
{
	int	fd;

	if ((size_t)snprintf(temp, size, "%s.new", path) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* left behind by one that was killed */
	if (unlink(temp) == -1 && errno != ENOENT)
		return -1;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd != -1 && fchmod(fd, mode) == -1)
		fdio_close(&fd);
	return fd;
}

/* keys fills the two files; it can do nothing else. */
static int
run_keys(const struct settings *s, struct child_fd fds[2], struct diag *why)
{
	char		 path[PATH_SIZE], name[] = "keys", verb[] = NAME;
	char		*argv[] = { name, verb, s->hostname, NULL };
	struct child_plan plan = {
		.path = path, .argv = argv, .log = -1, .link = -1,
		.err = STDERR_FILENO, .fds = fds, .nfds = 2
	};
	int		 status;
	pid_t		 pid = -1;

	snprintf(path, sizeof(path), "%s/keys", s->libexec);
	if ((plan.conf = settings_export(s, PROGRAM_KEYS)) != -1)
		pid = child_spawn(&plan);
	fdio_close(&plan.conf);
	if (pid == -1)
		return diag_errno(why, "%s", path);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return diag_errno(why, "wait for keys");
	return status == 0 ? 0 : diag_set(why, "keys could not make a "
	    "certificate in %s", s->tls.directory);
}

/* The key first: who finds the certificate finds both. */
static int
keep(const char *dir, const struct child_fd fds[2],
    char temp[2][PATH_SIZE + 8], char path[2][PATH_SIZE], struct diag *why)
{
	int	d, r;

	if (fsync(fds[0].fd) == -1 || fsync(fds[1].fd) == -1 ||
	    rename(temp[1], path[1]) == -1 || rename(temp[0], path[0]) == -1)
		return diag_errno(why, "%s", path[0]);
	if ((d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return diag_errno(why, "%s", dir);
	r = fsync(d) == -1 ? diag_errno(why, "%s", dir) : 0;
	fdio_close(&d);
	return r;
}

static int
make_pair(const struct settings *s, char path[2][PATH_SIZE], struct diag *why)
{
	struct child_fd	fds[2] = { { "certificate", -1 }, { "key", -1 } };
	char		temp[2][PATH_SIZE + 8] = { "", "" };
	int		r = -1, i;

	if ((fds[0].fd = make_file(path[0], 0644, temp[0],
	    sizeof(temp[0]))) == -1)
		diag_errno(why, "%s", path[0]);
	else if ((fds[1].fd = make_file(path[1], 0600, temp[1],
	    sizeof(temp[1]))) == -1)
		diag_errno(why, "%s", path[1]);
	else if (run_keys(s, fds, why) == 0)
		r = keep(s->tls.directory, fds, temp, path, why);
	for (i = 0; r == -1 && i < 2; i++)
		if (fds[i].fd != -1)
			(void)unlink(temp[i]);
	files_close(fds, 2);
	return r;
}

int
certificates_make(const struct settings *s, bool *made, struct diag *why)
{
	char	path[2][PATH_SIZE];

	*made = false;
	if (s->tls.certificates.n > 0)
		return 0;
	if (certificates_path(s, 0, 0, path[0], sizeof(path[0])) == -1 ||
	    certificates_path(s, 0, 1, path[1], sizeof(path[1])) == -1)
		return diag_errno(why, "tls.directory");
	if (access(path[0], F_OK) == 0 && access(path[1], F_OK) == 0)
		return 0;
	if (setup_make_dir(s->tls.directory, why) == -1 ||
	    make_pair(s, path, why) == -1)
		return -1;
	*made = true;
	return 0;
}

void
certificates_say_made(const struct settings *s)
{
	log_warn("self-signed file=%s/" NAME ".crt host=%s why=\"there is no "
	    "tls.certificate; posthouse-tls(7) says how to replace it\"",
	    s->tls.directory, s->hostname);
}

/*
 * master/files.c - files that only root may be able to read, for a program
 * that is not root: opened at its start and at each reload, and handed to it.
 * Nothing of them is read here.
 */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/base/log.h"

static const struct {
	const char	*name;		/* the key, and the descriptor's name */
	enum program_id	 program;
	size_t		 path;		/* in struct settings */
	bool		 must;		/* one that is not there is an error */
} files[] = {
	{ "remote.passwords", ID_REMOTE,
	    offsetof(struct settings, remote.passwords), true },
	{ "remote.tls-ca", ID_REMOTE,
	    offsetof(struct settings, remote.tls_ca), false },
	{ "auth.introspection-credentials", ID_INTROSPECT,
	    offsetof(struct settings, token.introspection_credentials), true },
	{ "auth.introspection-ca", ID_INTROSPECT,
	    offsetof(struct settings, token.introspection_ca), false },
	{ "tls.client-ca", ID_SMTP, offsetof(struct settings, tls.client_ca),
	    true },
	{ "tls.client-ca", ID_LMTP, offsetof(struct settings, tls.client_ca),
	    true },
	{ "tls.client-ca", ID_SUBMISSION,
	    offsetof(struct settings, tls.client_ca), true },
	{ "tls.client-ca", ID_POP3, offsetof(struct settings, tls.client_ca),
	    true },
	{ "tls.client-ca", ID_IMAP, offsetof(struct settings, tls.client_ca),
	    true }
};

static const char *
path_of(const struct settings *s, size_t i)
{
	return *(char *const *)((const char *)s + files[i].path);
}

/* The descriptor; -1 with errno, which is 0 if there is nothing to hand over. */
static int
open_file(const struct settings *s, size_t i)
{
	const char	*path = path_of(s, i);
	int		 fd;

	if (*path == '\0') {
		errno = 0;
		return -1;
	}
	/* its reader wants a regular file: nobody waits for anything else */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT && !files[i].must)
		errno = 0;
	return fd;
}

int
files_check(const struct settings *s, struct diag *why)
{
	size_t	i;
	int	fd;

	for (i = 0; i < nitems(files); i++) {
		if ((fd = open_file(s, i)) == -1 && errno != 0)
			return diag_errno(why, "%s %s", files[i].name,
			    path_of(s, i));
		fdio_close(&fd);
	}
	return 0;
}

size_t
files_open(const struct settings *s, enum program_id id,
    struct child_fd out[MASTER_FILES])
{
	size_t	i, n = 0;

	for (i = 0; i < nitems(files); i++) {
		if (files[i].program != id)
			continue;
		if ((out[n].fd = open_file(s, i)) != -1)
			strlcpy(out[n++].name, files[i].name,
			    sizeof(out[0].name));
		else if (errno != 0)
			log_error("open file=%s why=\"%s\"", path_of(s, i),
			    strerror(errno));
	}
	return n;
}

void
files_close(struct child_fd *fds, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		fdio_close(&fds[i].fd);
}

/*
 * tests/fuzz/fuzz_mbox.c - two messages in an mbox file come out of it again:
 * no line of theirs can be taken for the beginning of a message.
 */
#include <sys/mman.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fdio.h"
#include "common/store/mbox.h"

#define FROM	"From s Tue Nov 14 22:13:20 2023\n"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char	dir[32], path[64];

static void
need(bool truth)
{
	if (!truth)
		abort();
}

static void
clean(void)
{
	unlink(path);
	rmdir(dir);
}

static void
setup(void)
{
	if (dir[0] != '\0')
		return;
	strlcpy(dir, "/dev/shm/fuzz.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL) {
		strlcpy(dir, "/tmp/fuzz.XXXXXX", sizeof(dir));
		need(mkdtemp(dir) != NULL);
	}
	snprintf(path, sizeof(path), "%s/box", dir);
	atexit(clean);
}

/* The same, the slow way: one line after the other. */
static void
expect(struct buf *b, struct str in)
{
	const char	*lf;
	struct str	 line;
	size_t		 quotes;

	buf_adds(b, FROM);
	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		line = (struct str){ in.p,
		    lf == NULL ? in.n : (size_t)(lf - in.p) };
		in.n -= line.n + (lf != NULL);
		in.p += line.n + (lf != NULL);
		if (lf != NULL && line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		for (quotes = 0; quotes < line.n && line.p[quotes] == '>';)
			quotes++;
		if (line.n - quotes >= 5 &&
		    memcmp(line.p + quotes, "From ", 5) == 0)
			buf_addc(b, '>');
		buf_addstr(b, line);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = { (const char *)data, size };
	struct buf	want, got;
	struct diag	why;
	int		fd = memfd_create("content", MFD_CLOEXEC), i;

	setup();
	need(fd != -1 && fdio_write(fd, data, size) == 0);
	buf_init(&want, 4 * size + 4096);
	buf_init(&got, 4 * size + 4096);
	unlink(path);
	for (i = 0; i < 2; i++) {
		expect(&want, in);
		need(mbox_append(path, "s", 1700000000, STR(""), fd, 0,
		    (off_t)size, 1000, &why) == 0);
	}
	need(fdio_slurp_at(AT_FDCWD, path, &got) == 0 && buf_ok(&want));
	need(str_eq(buf_view(&got), buf_view(&want)));
	buf_free(&want);
	buf_free(&got);
	close(fd);
	return 0;
}

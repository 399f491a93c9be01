/*
 * tests/fuzz/fuzz_log.c - packets of programs to log(8): a line stays one
 * line, and no byte of it is a control character.
 */
#include <stdint.h>

#define main		log_main
#define sink_put	fuzz_put
#include "log/main.c"
#undef sink_put

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned	nlines;

void
fuzz_put(struct sink *s, const char *program, pid_t pid, enum log_level level,
    struct str text)
{
	char	line[LOG_LINE_MAX * 5 + 128];
	size_t	i, n;

	(void)s;
	nlines++;
	n = log_format(line, sizeof(line), program, (int)pid, level, text);
	if (n == 0 || n >= sizeof(line) || line[n - 1] != '\n' ||
	    strlen(program) == 0 || strlen(program) >= PROGRAM_MAX)
		abort();
	for (i = 0; i + 1 < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct logger	l = { .in = -1 };
	struct str	in = { (const char *)data, size };
	char		safe[64];
	size_t		i;

	nlines = 0;
	if (take(&l, in, 42) != (nlines == 1))
		abort();
	log_safe(safe, sizeof(safe), in);
	for (i = 0; safe[i] != '\0'; i++)
		if ((unsigned char)safe[i] < ' ' || safe[i] == 0x7f)
			abort();
	if (i == 0 || i >= sizeof(safe))
		abort();
	return 0;
}

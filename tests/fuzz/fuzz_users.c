/* tests/fuzz/fuzz_users.c - any bytes as a line of a passwd-file and as a mailbox setting. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/users.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_mailbox(const struct user *u)
{
	char	out[256];

	if (users_mailbox_in(u, "example.test", "maildir:~/Maildir", out,
	    sizeof(out)) == -1)
		return;
	if (strlen(out) >= sizeof(out) || out[strcspn(out, ":") + 1] != '/')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str	 line = { (const char *)data, n }, password;
	struct user	 u;
	const char	*what = NULL;
	unsigned	 col = 0;

	switch (users_parse_line(line, &u, &password, &what, &col)) {
	case 1:
		if (u.name[0] == '\0' || u.name[0] == '-' ||
		    strchr(u.name, '/') != NULL || u.home[0] != '/' ||
		    password.p < line.p ||
		    password.p + password.n > line.p + line.n)
			abort();
		check_mailbox(&u);
		break;
	case -1:
		if (what == NULL || col == 0 || col > n + 1)
			abort();
		break;
	}
	return 0;
}

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

static bool
is_within(struct str s, struct str line)
{
	return s.n == 0 || (s.p >= line.p && s.p + s.n <= line.p + line.n);
}

static void
check_entry(const struct users_entry *e, struct str line)
{
	size_t	i;

	if (e->user.name[0] == '\0' || e->user.name[0] == '-' ||
	    strchr(e->user.name, '/') != NULL ||
	    (e->user.home[0] != '/' && e->user.home[0] != '\0') ||
	    !is_within(e->password, line) || !is_within(e->services, line) ||
	    !is_within(e->networks, line) || !is_within(e->reason, line) ||
	    (e->any && e->password.n > 0) || e->napps > USER_APPS_MAX)
		abort();
	for (i = 0; i < e->napps; i++)
		if (e->apps[i].record.n == 0 || e->apps[i].name.n == 0 ||
		    !is_within(e->apps[i].record, line) ||
		    !is_within(e->apps[i].services, line))
			abort();
	check_mailbox(&e->user);
}

static void
check_home(const struct user *u, struct str setting)
{
	char	text[200], out[256];

	if (str_copy(text, sizeof(text), setting) == 0 &&
	    users_home_in(u, "a.test", text, out, sizeof(out)) == 0 &&
	    (out[0] != '/' || strlen(out) >= sizeof(out)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str		 line = { (const char *)data, n };
	struct users_entry	 e;
	const char		*what = NULL;
	unsigned		 col = 0;

	switch (users_parse_line(line, &e, &what, &col)) {
	case 1:
		check_entry(&e, line);
		check_home(&e.user, line);
		break;
	case -1:
		if (what == NULL || col == 0 || col > n + 1)
			abort();
		break;
	}
	return 0;
}

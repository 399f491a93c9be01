/* tests/fuzz/fuzz_imap_front.c - commands before the login, and ID. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/fmt/imap.h"
#include "common/proc/proto_auth.h"
#include "imapd/front_command.h"
#include "imapd/identify.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A view of the command, or a copy that is no longer. */
static void
check(struct str part, struct str whole)
{
	if (part.n > whole.n || memchr(part.p, '\0', part.n) != NULL)
		abort();
}

static void
identity(struct str list, struct arena *a)
{
	struct cur	in = cur_from(list);
	struct buf	text;

	buf_init(&text, 65536);
	if (identify_take(&in, a, &text)) {
		if (text.n > IDENTIFY_TEXT)
			abort();
	} else if (in.p != list.p)
		abort();
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str		in = { (const char *)data, size };
	struct front_command	c;
	struct arena		a;

	arena_init(&a, 65536);
	switch (front_parse(in, &a, &c)) {
	case FRONT_NO_TAG:
		break;
	case FRONT_PARSED:
		if (c.verb == FRONT_LOGIN) {
			check(c.user, in);
			check(c.pass, in);
		}
		if (c.verb == FRONT_AUTHENTICATE &&
		    (c.mechanism.n == 0 ||
		    c.mechanism.n > AUTH_MECHANISM_MAX ||
		    (c.has_initial && c.initial.n == 0)))
			abort();
		if (c.verb == FRONT_ID)
			identity(c.list, &a);
		/* FALLTHROUGH */
	case FRONT_UNKNOWN:
	case FRONT_SYNTAX:
		if (c.tag.n == 0 || c.tag.n > IMAP_TAG_MAX || c.tag.p != in.p)
			abort();
		break;
	}
	arena_free(&a);
	return 0;
}

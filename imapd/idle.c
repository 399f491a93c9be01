/* imapd/idle.c - IDLE (RFC 2177): changes are told as they happen, until the client says DONE. */
#include "imapd/commands.h"
#include "imapd/reader.h"
#include "imapd/waiting.h"

enum state
cmd_idle(struct session *s, struct command *c)
{
	struct str	line;

	if (!command_end(c))
		return s->state;
	say_str(s, STR("+ idling\r\n"));
	if (!waiting_for_line(s, true))
		return s->state;
	switch (reader_line(s, &line)) {
	case READER_OK:
		if (str_eq_nocase(str_trim(line), STR("DONE")))
			command_ok(c, NULL, "idle no more");
		else
			command_bad(c, "DONE was expected");
		break;
	case READER_BAD:
		command_bad(c, "DONE was expected");
		break;
	case READER_OVER:
		break;
	}
	return s->state;
}

/* imapd/compress.c - COMPRESS=DEFLATE (RFC 4978): the command. */
#include "imapd/compress.h"

#include "imapd/commands.h"
#include "imapd/deflate_layer.h"

#define LEVEL		1
#define LEVEL_HERE	0	/* on one machine bytes cost less than making them fewer */
#define END_TIMEOUT	10000	/* for the client to end its stream */

void
compress_begin(struct session *s)
{
	if (conn_flush(&s->conn, s->set->imap.in.idle_timeout) == -1 ||
	    deflate_layer_begin(&s->conn,
	    s->same_host ? LEVEL_HERE : LEVEL) == -1)
		s->end = "compression cannot be begun";
}

void
compress_rest(struct session *s)
{
	deflate_layer_rest(&s->conn);
}

void
compress_last(struct session *s)
{
	deflate_layer_last(&s->conn);
}

int
compress_end(struct session *s, struct buf *after)
{
	return deflate_layer_end(&s->conn, END_TIMEOUT, after);
}

enum state
cmd_compress(struct session *s, struct command *c)
{
	struct str	name;

	if (!imap_atom(&c->args, &name) || !command_end(c) ||
	    !str_eq_nocase(name, STR("DEFLATE")))
		command_bad(c, "DEFLATE was expected");
	else if (s->compressed)
		command_bad(c, "compression is active already");
	else if (s->conn.io != NULL)
		command_no(c, NULL, "not here");
	else if (conn_pending(&s->conn).n > 0)
		/* would it be compressed or not? */
		command_bad(c, "the reply to COMPRESS has to be waited for");
	else {
		s->compressed = true;	/* once the reply is said */
		command_ok(c, NULL, "compressing");
	}
	return s->state;
}

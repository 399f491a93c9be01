/*
 * queue/postq_main.c - postq(8): orders to the queue. Run by root, or by members
 * of ph-queue; does nothing itself but ask.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/fmt/record.h"
#include "common/proc/msg.h"
#include "common/proc/proto_queue.h"
#include "queue/client.h"

static const struct {
	const char	*verb;
	bool		 id;	/* it wants one, or ALL */
} verbs[] = {
	{ "flush", true }, { "hold", true }, { "release", true },
	{ "remove", true }, { "requeue", true }, { "stat", false },
	{ "trace", true }
};

static _Noreturn void
usage(void)
{
	fprintf(stderr, "usage: postq [-f file] flush | hold | release | "
	    "requeue id ... | ALL\n"
	    "       postq [-f file] remove | trace id ...\n"
	    "       postq [-f file] stat\n");
	exit(EX_USAGE);
}

/* What it says, a line each; false if it says no. */
static bool
show(struct str rec)
{
	struct cur	c = cur_from(rec);
	struct field	f;
	struct str	verb;
	bool		ok;

	ok = record_get(rec, QUEUE_VERB, &verb) && str_eq(verb, STR("ok"));
	while (record_next(&c, &f))
		if (f.tag == QUEUE_TEXT)
			fprintf(ok ? stdout : stderr, "%.*s\n",
			    STR_ARG(f.value));
	return ok;
}

static bool
order(int fd, const char *verb, const char *id)
{
	struct buf	ask, answer;
	bool		ok;

	buf_init(&ask, MSG_MAX);
	buf_init(&answer, MSG_MAX);
	client_ask(&ask, verb, id);
	if (!buf_ok(&ask) || msg_call(fd, &ask, NULL, &answer, NULL,
	    CLIENT_TIMEOUT) == -1)
		err(EX_TEMPFAIL, "queue");
	if (id != NULL && !str_eq(str_from(id), STR("ALL")))
		printf("%s: ", id);
	fflush(stdout);
	ok = show(buf_view(&answer));
	buf_free(&ask);
	buf_free(&answer);
	return ok;
}

static bool
known(const char *verb, bool *id)
{
	size_t	i;

	for (i = 0; i < nitems(verbs); i++)
		if (strcmp(verb, verbs[i].verb) == 0) {
			*id = verbs[i].id;
			return true;
		}
	return false;
}

int
main(int argc, char *argv[])
{
	struct settings	*s;
	const char	*conf = NULL;
	bool		 wants_id, ok = true;
	int		 c, fd, i;

	while ((c = getopt(argc, argv, "f:")) != -1)
		if (c == 'f')
			conf = optarg;
		else
			usage();
	if (optind == argc || !known(argv[optind], &wants_id) ||
	    (argc - optind > 1) != wants_id)
		usage();
	s = client_settings(conf);
	if ((fd = client_connect(s)) == -1)
		err(errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE, "%s/queue",
		    s->run);
	if (!wants_id)
		ok = order(fd, argv[optind], NULL);
	for (i = optind + 1; i < argc; i++)
		ok = order(fd, argv[optind], argv[i]) && ok;
	close(fd);
	settings_free(&s);
	return ok ? EX_OK : EX_DATAERR;
}

/*
 * tests/tools/view_bench.c - view_bench MAILDIR: how long a folder takes to open (as it is, then warm), a flag to be set in it,
 * and looks that find nothing.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/store/view.h"

#define ROUNDS	1000

static struct store	*store;
static struct diag	 why;

static double
since(struct timespec from)
{
	struct timespec	now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from.tv_sec) * 1e6 +
	    (double)(now.tv_nsec - from.tv_nsec) / 1e3;
}

static struct view *
open_view(const char *what)
{
	struct timespec	at;
	struct view	*v;

	clock_gettime(CLOCK_MONOTONIC, &at);
	if (view_open(&v, store, "", false, &why) == -1)
		errx(1, "%s", why.text);
	printf("%-24s %10.0f us, %zu messages\n", what, since(at),
	    view_count(v));
	return v;
}

static void
change(struct view *v, unsigned rounds)
{
	struct timespec	at;
	unsigned	i;
	size_t		one;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (i = 0; i < rounds; i++) {
		one = (i * 7919u) % view_count(v);
		if (view_store(v, &one, 1, i % 2 == 0 ? VIEW_ADD : VIEW_REMOVE,
		    VIEW_FLAGGED, 0, UINT64_MAX) == -1)
			err(1, "store");
	}
	printf("%-24s %10.2f us\n", "store", since(at) / rounds);
}

static void
refresh(struct view *v)
{
	struct view_change	c;
	struct timespec		at;
	int			i;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (i = 0; i < ROUNDS; i++) {
		if (view_refresh(v) == -1)
			err(1, "refresh");
		while (view_next(v, true, &c))
			;
	}
	printf("%-24s %10.2f us\n", "refresh", since(at) / ROUNDS);
}

static void
sizes(struct view *v, const char *what)
{
	struct timespec		at;
	struct view_info	info;
	size_t			i;

	clock_gettime(CLOCK_MONOTONIC, &at);
	for (i = 0; i < view_count(v); i++)
		if (view_info(v, i, &info) == -1)
			err(1, "info");
	printf("%-24s %10.0f us\n", what, since(at));
}

int
main(int argc, char *argv[])
{
	char		location[4096];
	struct view	*v;

	if (argc != 2)
		errx(64, "usage: view_bench MAILDIR");
	snprintf(location, sizeof(location), "maildir:%s", argv[1]);
	if (store_open(&store, location, false, &why) == -1)
		errx(1, "%s", why.text);
	v = open_view("open");
	view_close(&v);
	v = open_view("open again");
	view_close(&v);
	v = open_view("open again");
	refresh(v);
	sizes(v, "info of all");
	sizes(v, "info of all, again");
	refresh(v);
	change(v, ROUNDS);
	refresh(v);
	view_close(&v);
	v = open_view("open after changes");
	view_close(&v);
	store_close(&store);
	return 0;
}

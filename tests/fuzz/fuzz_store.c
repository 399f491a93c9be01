/*
 * tests/fuzz/fuzz_store.c - the files beside the folders: names that come out are names, what is added is found again and goes
 * again, and what was read is read from what is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/quota.h"
#include "common/store/special_use.h"
#include "common/store/subscriptions.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define NAME	"one.fuzzed"

static size_t
count(struct str text, bool courier, const char *wanted)
{
	char			name[MAILDIR_FOLDER_MAX + 1];
	struct cur		c = cur_from(text);
	enum subscriptions_form	form;
	struct str		line;
	size_t			n = 0;
	bool			is_folder;

	form = courier ? SUBSCRIPTIONS_COURIER : subscriptions_form(&c);
	while (subscriptions_next(&c, form, &line, name, &is_folder)) {
		if (is_folder && name[0] != '\0' && !maildir_folder_found(name))
			abort();
		n += is_folder && strcmp(name, wanted) == 0;
	}
	if (!cur_done(&c))
		abort();
	return n;
}

static void
subscriptions(struct str text, bool courier)
{
	struct buf	on, off;
	size_t		had = count(text, courier, NAME);
	size_t		inbox = count(text, courier, "");

	buf_init(&on, 1u << 22);
	buf_init(&off, 1u << 22);
	if (subscriptions_change(text, courier, NAME, true, &on) != (had == 0))
		abort();
	if (had == 0) {
		if (!buf_ok(&on) || count(buf_view(&on), false, NAME) != 1 ||
		    count(buf_view(&on), false, "") != inbox ||
		    !subscriptions_change(buf_view(&on), false, NAME, false,
		    &off) || count(buf_view(&off), false, NAME) != 0 ||
		    count(buf_view(&off), false, "") != inbox)
			abort();
	} else if (!subscriptions_change(text, courier, NAME, false, &off) ||
	    count(buf_view(&off), false, NAME) != 0)
		abort();
	buf_free(&on);
	buf_free(&off);
}

static void
uses(struct str text)
{
	struct cur		c = cur_from(text), again;
	struct special_use	u, v;
	struct buf		out;

	if (!special_use_begin(&c))
		return;
	buf_init(&out, 1u << 22);
	while (special_use_next(&c, &u)) {
		buf_reset(&out);
		special_use_put_head(&out);
		special_use_put(&out, u.folder, u.use);
		again = cur_from(buf_view(&out));
		if (!buf_ok(&out) || !special_use_begin(&again) ||
		    !special_use_next(&again, &v) || !cur_done(&again) ||
		    v.use != u.use || !str_eq(v.folder, u.folder))
			abort();
	}
	buf_free(&out);
}

/* What was understood is written, and then means the same. */
static void
limits(struct str text)
{
	struct quota	a, b;
	struct buf	out;

	if (!quota_set_parse(text, &a))
		return;
	buf_init(&out, 256);
	if (quota_set_put(&out, &a) == -1 ||
	    !quota_set_parse(buf_view(&out), &b) ||
	    a.bytes_max != b.bytes_max || a.count_max != b.count_max)
		abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	text = { (const char *)data + 1, size - 1 };
	struct quota	q;

	if (size < 2)
		return 0;
	switch (data[0] % 5) {
	case 0:
		subscriptions(text, false);
		break;
	case 1:
		subscriptions(text, true);
		break;
	case 2:
		uses(text);
		break;
	case 3:
		if (quota_parse(text, &q) && ((q.bytes_max > INT64_MAX &&
		    q.bytes_max != QUOTA_NONE) || (q.count_max > INT64_MAX &&
		    q.count_max != QUOTA_NONE)))
			abort();
		break;
	case 4:
		limits(text);
		break;
	}
	return 0;
}

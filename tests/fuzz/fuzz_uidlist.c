/*
 * tests/fuzz/fuzz_uidlist.c - whatever the file is: UIDs ascend, names are
 * names, and what was read is read again from what is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/box_courier.h"
#include "common/store/box_uidlist.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
again(struct str text, const struct uidlist_head *h,
    const struct uidlist_line *l)
{
	struct cur		c = cur_from(text);
	struct uidlist_head	h2;
	struct uidlist_line	l2;
	uint32_t		last = 0;
	size_t			skipped = 0;

	if (!uidlist_head(&c, &h2) || h2.validity != h->validity ||
	    h2.next != h->next || !str_eq(h2.more, h->more))
		abort();
	if (!uidlist_next(&c, 3, &last, &skipped, &l2) || skipped != 0 ||
	    l2.uid != l->uid || !str_eq(l2.more, l->more) ||
	    !str_eq(l2.name, l->name) || !cur_done(&c))
		abort();
}

/* The same file as Courier's. */
static void
courier(struct str text)
{
	struct str	base;
	char		name[COURIER_NAME_SIZE];

	if (!courier_head(&text))
		return;
	while (courier_next(&text, &base, name))
		if (!uidlist_name_ok(base) || strlen(name) > 44 ||
		    (name[0] != '\0' && strncmp(name, "UID", 3) != 0))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur		c = cur_from((struct str){ (const char *)data, size });
	struct uidlist_head	h;
	struct uidlist_line	l;
	struct str		value;
	struct buf		out;
	uint32_t		last = 0, before = 0;
	size_t			skipped = 0;
	char			format[64], name[71];

	if (size < sizeof(format) && memchr(data, 0, size) == NULL) {
		memcpy(format, data, size);
		format[size] = '\0';
		if (uidlist_pop3_name(format, UINT32_MAX, 1, STR("a.b"), name,
		    sizeof(name)) && strlen(name) >= sizeof(name))
			abort();
	}
	if (size > 0)
		courier((struct str){ (const char *)data, size });
	if (size == 0 || !uidlist_head(&c, &h))
		return 0;
	buf_init(&out, 1u << 22);
	while (uidlist_next(&c, h.version, &last, &skipped, &l)) {
		if (l.uid <= before || l.uid != last || !uidlist_name_ok(l.name))
			abort();
		before = last;
		if (uidlist_field(l.more, 'W', &value) &&
		    memchr(value.p, ' ', value.n) != NULL)
			abort();
		buf_reset(&out);
		uidlist_put_head(&out, &h);
		uidlist_put(&out, &l);
		if (!buf_ok(&out))
			abort();
		again(buf_view(&out), &h, &l);
	}
	if (!cur_done(&c))
		abort();
	buf_free(&out);
	return 0;
}

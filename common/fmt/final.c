/* common/fmt/final.c - a final recipient as a record; pure. */
#include "common/fmt/final.h"

#include <string.h>

#include "common/fmt/record.h"

#define TAG_KIND	'k'
#define TAG_USER	'u'
#define TAG_EXT		'e'
#define TAG_ADDR	'a'
#define TAG_ARG		'g'

void
final_encode(struct buf *b, const struct final *f)
{
	char	kind = (char)f->kind;

	record_put(b, TAG_KIND, (struct str){ &kind, 1 });
	record_put(b, TAG_USER, f->user);
	record_put(b, TAG_EXT, f->ext);
	record_put(b, TAG_ADDR, f->addr);
	record_put(b, TAG_ARG, f->arg);
}

static bool
kind_ok(struct str v, enum final_kind *out)
{
	if (v.n != 1)
		return false;
	switch (v.p[0]) {
	case FINAL_USER:
	case FINAL_PIPE:
	case FINAL_FILE:
	case FINAL_REMOTE:
		*out = (enum final_kind)v.p[0];
		return true;
	}
	return false;
}

bool
final_decode(struct str rec, struct final *out)
{
	struct final	f = { .kind = FINAL_USER };
	struct str	kind;

	if (!record_ok(rec) || !record_get(rec, TAG_KIND, &kind) ||
	    !kind_ok(kind, &f.kind) ||
	    !record_get(rec, TAG_USER, &f.user) ||
	    !record_get(rec, TAG_EXT, &f.ext) ||
	    !record_get(rec, TAG_ADDR, &f.addr) ||
	    !record_get(rec, TAG_ARG, &f.arg))
		return false;
	if (f.kind == FINAL_USER ? f.user.n == 0 : f.arg.n == 0)
		return false;
	*out = f;
	return true;
}

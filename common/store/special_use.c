/* common/store/special_use.c - the file of special uses, as text; pure. */
#include "common/store/special_use.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/fmt/record.h"

bool
special_use_begin(struct cur *in)
{
	struct cur	c = *in;
	struct field	f;

	if (!record_next(&c, &f) || f.tag != 'V' || !str_eq(f.value, STR("1")))
		return false;
	*in = c;
	return true;
}

bool
special_use_next(struct cur *in, struct special_use *out)
{
	struct cur	c = *in;
	struct field	folder, use;

	if (!record_next(&c, &folder) || folder.tag != 'F' ||
	    !record_next(&c, &use) || use.tag != 'U' || use.value.n > 1 ||
	    (use.value.n == 1 && (use.value.p[0] == '\0' ||
	    strchr(SPECIAL_USES, use.value.p[0]) == NULL)))
		return false;
	*in = c;
	out->folder = folder.value;
	out->use = use.value.n == 0 ? '\0' : use.value.p[0];
	return true;
}

void
special_use_put_head(struct buf *out)
{
	record_puts(out, 'V', "1");
}

void
special_use_put(struct buf *out, struct str folder, char use)
{
	record_put(out, 'F', folder);
	record_put(out, 'U', (struct str){ &use, use != '\0' });
}

char
special_use_by_name(const char *folder)
{
	static const struct { const char *name; char use; } names[] = {
		{ "Archive", 'A' }, { "Drafts", 'D' }, { "Junk", 'J' },
		{ "Sent", 'S' }, { "Trash", 'T' },
	};
	size_t	i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(names[i].name, folder) == 0)
			return names[i].use;
	return '\0';
}

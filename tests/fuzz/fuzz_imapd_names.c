/* tests/fuzz/fuzz_imapd_names.c - no name leads out of the store, and each folder's name leads back to it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/maildir.h"
#include "imapd/place_name.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
folder_of(const struct name_rules *r, struct str name, char *folder, size_t n,
    bool *shared, bool *odd)
{
	struct str	rest;
	bool		inbox;

	*odd = false;
	folder[0] = '\0';
	return name_space(r, name, shared, &inbox, &rest) && (inbox ||
	    name_to_folder(r, *shared, rest, folder, n, odd) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name_rules	r = { '.', "", NULL, false };
	struct buf		back;
	char			one[MAILDIR_FOLDER_MAX + 1];
	char			two[MAILDIR_FOLDER_MAX + 1];
	bool			shared, odd, again;

	if (size == 0)
		return 0;
	r.separator = data[0] & 1 ? '/' : '.';
	if (data[0] & 2)
		r.prefix = data[0] & 1 ? "INBOX/" : "INBOX.";
	if (data[0] & 4)
		r.shared = data[0] & 1 ? "Shared/" : "Shared.";
	r.utf8 = (data[0] & 8) != 0;
	if (!folder_of(&r, (struct str){ (const char *)data + 1, size - 1 },
	    one, sizeof(one), &shared, &odd))
		return 0;
	if (*one != '\0' && (!maildir_folder_found(one) ||
	    strchr(one, '/') != NULL || (!odd && !maildir_folder_ok(one))))
		abort();
	buf_init(&back, 65536);
	if (name_from_folder(&r, shared, one, &back) == -1)
		abort();
	if (!odd && (!folder_of(&r, buf_view(&back), two, sizeof(two), &again,
	    &odd) || again != shared || strcmp(one, two) != 0))
		abort();
	buf_free(&back);
	return 0;
}

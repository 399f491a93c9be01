/*
 * common/base/conf_text.c - statements back to text, and the two values with
 * units. Run by the master, which hands out parts of the configuration.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "common/base/conf.h"

static void
write_word(struct buf *out, const char *s)
{
	static const char	from[] = "\"\\\n\t", to[] = "\"\\nt";
	const char		*at;

	/* Always quoted: there is no word that this could harm. */
	buf_addc(out, '"');
	for (; *s != '\0'; s++)
		if ((at = strchr(from, *s)) != NULL) {
			buf_addc(out, '\\');
			buf_addc(out, to[at - from]);
		} else
			buf_addc(out, *s);
	buf_addc(out, '"');
}

int
conf_write(struct buf *out, const struct conf_stmt *st)
{
	size_t	i;

	buf_adds(out, "position ");
	write_word(out, st->file);
	buf_addf(out, " %u\n%s", st->line, st->key);
	for (i = 0; i < st->nwords; i++) {
		buf_addc(out, ' ');
		write_word(out, st->words[i].text);
	}
	buf_addc(out, '\n');
	if (buf_ok(out))
		return 0;
	errno = out->n + 1 < out->max ? ENOMEM : EMSGSIZE;
	return -1;
}

struct unit {
	const char		*name;
	unsigned long long	 factor;
};

static int
with_unit(const char *text, const struct unit *units, size_t n,
    unsigned long long max, unsigned long long *out)
{
	size_t			digits = strspn(text, "0123456789"), i;
	unsigned long long	v;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(str_from(text + digits),
		    str_from(units[i].name)))
			break;
	if (i == n) {
		errno = EINVAL;
		return -1;
	}
	if (str_number((struct str){ text, digits }, max / units[i].factor,
	    &v) == -1)
		return -1;
	*out = v * units[i].factor;
	return 0;
}

int
conf_size(const char *text, unsigned long long *out)
{
	static const struct unit	units[] = {
		{ "", 1 }, { "K", 1ull << 10 }, { "M", 1ull << 20 },
		{ "G", 1ull << 30 },
	};

	return with_unit(text, units, nitems(units), ULLONG_MAX, out);
}

int
conf_time(const char *text, long long *out)
{
	static const struct unit	units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 },
	};
	unsigned long long		v;

	if (with_unit(text, units, nitems(units), LLONG_MAX, &v) == -1)
		return -1;
	*out = (long long)v;
	return 0;
}
